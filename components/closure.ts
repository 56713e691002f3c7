// For tests: a dynamic provider as the engine's process gets it.
import Module from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** A provider that was serialized and loaded again, and the size of what the state holds of it. */
export async function throughTheState(
  provider: pulumi.dynamic.ResourceProvider,
): Promise<{ provider: Required<pulumi.dynamic.ResourceProvider>; text: string }> {
  const { text } = await pulumi.runtime.serializeFunction(() => provider);
  const file = join(__dirname, "serialized.js");
  const loaded = Object.assign(new Module(file), { paths: module.paths }) as Module & {
    _compile(text: string, file: string): void;
  };
  loaded._compile(text, file);
  return { provider: (loaded.exports as { handler(): Required<pulumi.dynamic.ResourceProvider> }).handler(), text };
}
