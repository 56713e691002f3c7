// For tests: a dynamic provider as the engine's process gets it.
import Module from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** What a dynamic provider's methods take and give, as the tests use them. */
export interface LoadedProvider<Props> {
  check(olds: object, news: object): Promise<{ inputs: Props; failures?: { property: string; reason: string }[] }>;
  create(inputs: object): Promise<{ id: string; outs: Props }>;
  diff(id: string, olds: object, news: object): Promise<{ changes: boolean; replaces?: string[] }>;
  update(id: string, olds: object, news: object): Promise<{ outs: Props }>;
}

/** The provider that the dynamic-provider process would make of a state's `__provider`. */
export function loadProvider<Props = Record<string, string>>(text: string): LoadedProvider<Props> {
  const file = join(__dirname, "serialized.js");
  const loaded = Object.assign(new Module(file), { paths: module.paths }) as Module & {
    _compile(text: string, file: string): void;
  };
  loaded._compile(text, file);
  return (loaded.exports as { handler(): LoadedProvider<Props> }).handler();
}

/** A provider that was serialized and loaded again, and what the state holds of it. */
export async function throughTheState<Props = Record<string, string>>(
  provider: pulumi.dynamic.ResourceProvider,
): Promise<{ provider: LoadedProvider<Props>; text: string }> {
  const { text } = await pulumi.runtime.serializeFunction(() => provider);
  return { provider: loadProvider<Props>(text), text };
}

/** A provider's own methods, typed. */
export const methodsOf = <Props = Record<string, string>>(
  provider: pulumi.dynamic.ResourceProvider,
): LoadedProvider<Props> => provider as unknown as LoadedProvider<Props>;
