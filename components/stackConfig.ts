import * as pulumi from "@pulumi/pulumi";
import { asRunError } from "./component";
import { parseStackConfig } from "../config/parse";
import type { StackConfig } from "../config/schema";

/** A stack's settings, checked as a whole, and its keys, which stay secret. */
export interface Stack {
  readonly config: StackConfig;
  /** The key that a domain is to keep, where the config has one. */
  readonly siteKey: (domain: string) => pulumi.Output<string> | undefined;
}

/**
 * Reads every `softmap:` setting of the stack. All problems are reported at once, before the first resource exists.
 * Keys are read as secrets and never enter the parsed config: only their domains do.
 */
export function readStack(): Stack {
  const config = new pulumi.Config("softmap");
  const domains = Object.keys(config.getObject<Record<string, unknown>>("siteKeys") ?? {});
  const settings = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith("softmap:") && key !== "softmap:siteKeys")
    .map(([key, value]) => [key.slice("softmap:".length), fromText(value)]);

  return {
    config: asRunError(() => parseStackConfig(Object.fromEntries(settings) as Record<string, unknown>, { siteKeyDomains: domains })),
    siteKey: (domain) => (domains.includes(domain) ? secretKeys(config).apply((keys) => keys[domain] ?? "") : undefined),
  };
}

function secretKeys(config: pulumi.Config): pulumi.Output<Record<string, string>> {
  return config.requireSecretObject<Record<string, string>>("siteKeys");
}

/** Pulumi hands every setting over as text: objects, lists, numbers and booleans as JSON. */
function fromText(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}
