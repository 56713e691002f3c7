import { createRequire } from "node:module";
import { join, relative } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { providers } from "./providerKinds";

type Kind = keyof typeof providers;
type Method = Exclude<keyof pulumi.dynamic.ResourceProvider, "configure">;
type Provider = Record<Method, (...given: unknown[]) => Promise<unknown>>;

/** From the program's folder: by name where softmap is installed, or is the program itself; a program that imports a clone by its path finds it so. */
function placeOfProviders(): string {
  const byName = "softmap/providers";
  try {
    createRequire(join(process.cwd(), "softmap.js")).resolve(byName);
    return byName;
  } catch {
    return `./${relative(process.cwd(), join(__dirname, "providers.js"))}`;
  }
}

/**
 * A dynamic provider travels in the state of each of its resources as text, twice. This one is a few lines that find the rest by name in the softmap
 * that is installed, from the program's folder: the engine reads, compares and writes all of a state at each `up`, and the SDK takes some 30 ms for
 * the text of a provider with its code in it.
 */
export function providerNamed(kind: Kind, methods: readonly Method[]): pulumi.dynamic.ResourceProvider {
  const place = placeOfProviders();
  const found = (): Provider => {
    // The file need not be there: it says from where to look. The program's process and the providers' both have its folder as theirs.
    const require = createRequire(join(process.cwd(), "softmap.js"));
    return (require(place) as { providers: Record<Kind, Provider> }).providers[kind];
  };
  const method =
    (name: Method) =>
    async (...given: unknown[]) =>
      found()[name](...given);
  return Object.fromEntries(methods.map((name) => [name, method(name)])) as unknown as pulumi.dynamic.ResourceProvider;
}
