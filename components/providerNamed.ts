import { createRequire } from "node:module";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { providers } from "./providerKinds";

type Kind = keyof typeof providers;
type Method = Exclude<keyof pulumi.dynamic.ResourceProvider, "configure">;
type Provider = Record<Method, (...given: unknown[]) => Promise<unknown>>;

/**
 * A dynamic provider travels in the state of each of its resources as text, twice. This one is a few lines that find the rest by name in the softmap
 * that is installed, from the program's folder: the engine reads, compares and writes all of a state at each `up`, and the SDK takes some 30 ms for
 * the text of a provider with its code in it.
 */
export function providerNamed(kind: Kind, methods: readonly Method[]): pulumi.dynamic.ResourceProvider {
  const found = (): Provider => {
    // The file need not be there: it says from where to look. The program's process and the providers' both have its folder as theirs.
    const require = createRequire(join(process.cwd(), "softmap.js"));
    return (require("softmap/providers") as { providers: Record<Kind, Provider> }).providers[kind];
  };
  const method =
    (name: Method) =>
    async (...given: unknown[]) =>
      found()[name](...given);
  return Object.fromEntries(methods.map((name) => [name, method(name)])) as unknown as pulumi.dynamic.ResourceProvider;
}
