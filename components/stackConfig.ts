import * as pulumi from "@pulumi/pulumi";
import { inputFromPulumi } from "../config/input";
import { parseStackConfig } from "../config/parse";
import type { StackConfig } from "../config/schema";
import { asRunError } from "./component";
import type { SiteArgs } from "./softmapProject";

/** A stack's settings, checked as a whole, and its keys, which stay secret. */
export interface Stack {
  readonly config: StackConfig;
  /** A site of the config with the key that it is to keep, where there is one. */
  readonly withKey: (site: SiteArgs) => SiteArgs;
}

// The SDK has it but not its type. A key of the config is a secret when anything in it is.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };

/**
 * Reads every `softmap:` setting of the stack. All problems are reported at once, before the first resource exists.
 * Keys are read as secrets and never enter the parsed config: only their domains do.
 */
export function readStack(): Stack {
  const siteKeysEncrypted = isConfigSecret("softmap:siteKeys");
  const {
    raw,
    siteKeyDomains = [],
    plainSiteKeys,
  } = inputFromPulumi(pulumi.runtime.allConfig(), { siteKeysEncrypted });
  const config = asRunError(() => parseStackConfig(raw, { siteKeyDomains, plainSiteKeys }));
  const keys = new pulumi.Config("softmap").getSecretObject<Record<string, string>>("siteKeys");
  const keyOf = (domain: string) => keys?.apply((all) => all?.[domain] ?? "") ?? "";
  return {
    config,
    withKey: (site) => (siteKeyDomains.includes(site.domain) ? { ...site, key: keyOf(site.domain) } : site),
  };
}
