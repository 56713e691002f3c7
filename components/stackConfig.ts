import * as pulumi from "@pulumi/pulumi";
import { inputFromPulumi } from "../config/input";
import { parseStackConfig } from "../config/parse";
import type { SecretKey, StackConfig } from "../config/schema";
import { describePublisher } from "../plan/describe";
import { planStack } from "../plan/plan";
import { asRunError } from "./component";
import type { SiteSettingsArgs } from "./settings";
import type { SiteArgs } from "./softmapProject";

/** A stack's settings, checked as a whole, and its keys, which stay secret. */
export interface Stack {
  readonly config: StackConfig;
  /** A site of the config with the keys that are given for it: of its address, of its certificates. */
  readonly withKey: (site: SiteArgs) => SiteArgs;
  /** Keys of the certificates that stand on a project, by its name. */
  readonly keysOf: (project: string) => Pick<SiteSettingsArgs, "certificateKey" | "upstreamCertificateKey">;
}

// The SDK has it but not its type. A key of the config is a secret when anything in it is.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };

/**
 * Reads every `softmap:` setting of the stack. All problems are reported at once, before the first resource exists.
 * Keys are read as secrets and never enter the parsed config: only their names do.
 */
export function readStack(): Stack {
  const isSecret = (key: SecretKey): boolean => isConfigSecret(`softmap:${key}`);
  const { raw, ...names } = inputFromPulumi(pulumi.runtime.allConfig(), { isSecret });
  const { siteKeyDomains = [], certificateKeys } = names;
  const config = asRunError(() => parseStackConfig(raw, { ...names, siteKeyDomains }));
  const { advice, cost, publisher } = planStack(config);
  void pulumi.log.info(describePublisher(publisher));
  for (const sentence of advice) void pulumi.log.warn(sentence);
  if (cost !== undefined) void pulumi.log.info(cost);
  const siteKeys = secretOf("siteKeys", siteKeyDomains);
  const tlsKeys = secretOf("tlsKeys", certificateKeys.tlsKeys.names);
  const upstreamKeys = secretOf("upstreamKeys", certificateKeys.upstreamKeys.names);
  const keysOf: Stack["keysOf"] = (name) => {
    const [certificateKey, upstreamCertificateKey] = [tlsKeys(name), upstreamKeys(name)];
    return {
      ...(certificateKey === undefined ? {} : { certificateKey }),
      ...(upstreamCertificateKey === undefined ? {} : { upstreamCertificateKey }),
    };
  };
  const withKey: Stack["withKey"] = (site) => {
    const key = siteKeys(site.domain);
    return { ...site, ...(key === undefined ? {} : { key }), ...keysOf(site.domain) };
  };
  return { config, withKey, keysOf };
}

/** The key of a name, as a secret; undefined where the config has none. */
function secretOf(
  secret: SecretKey,
  names: readonly string[] = [],
): (name: string) => pulumi.Output<string> | undefined {
  const keys = new pulumi.Config("softmap").getSecretObject<Record<string, string>>(secret);
  return (name) => (names.includes(name) ? keys?.apply((all) => all?.[name] ?? "") : undefined);
}
