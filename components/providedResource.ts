import { createRequire } from "node:module";
import { join, relative } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { providers } from "./providerKinds";

type Kind = keyof typeof providers;

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

let place: string | undefined;

/**
 * What the state has of a provider: where it is found. The file softmap.js need not be there: it says from which folder to look, the program's, which
 * is that of the providers' process, too.
 */
export function providerText(kind: Kind): string {
  place ??= placeOfProviders();
  const from = `require("node:path").join(process.cwd(), "softmap.js")`;
  return `exports.handler = () => require("node:module").createRequire(${from})(${JSON.stringify(place)}).providers.${kind};\n`;
}

/**
 * A resource with a dynamic provider of ours, as `pulumi.dynamic.Resource` makes one but for what the state has of the provider. There that is its code,
 * serialized, twice for each resource: the engine reads, compares, logs and writes all of it at each `up`. Here it is a line that finds it by name in
 * the softmap that is installed. Providers are in providerKinds.ts.
 */
export class ProvidedResource extends pulumi.CustomResource {
  constructor(kind: Kind, name: string, props: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    // Type, property and export are what Pulumi's process of dynamic providers goes by (@pulumi/pulumi: dynamic/index.ts, cmd/dynamic-provider).
    super(`pulumi-nodejs:dynamic/softmap:${kind}`, name, { ...props, __provider: providerText(kind) }, opts);
  }
}
