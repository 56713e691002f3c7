import { isIPv4 } from "node:net";
import { lookup } from "node:dns/promises";
import { LabError } from "./errors";
import { hasProgram, run } from "./run";

/** Where Debian's packages come from: what this machine's own apt is set to, or the environment's SOFTMAP_DEBIAN_MIRROR. */
export interface Mirror {
  /** URL of the main archive. */
  readonly archive: string;
  /** URL of the security archive. */
  readonly security: string;
  /** apt settings of this machine that its mirror needs, e.g. `Acquire::Check-Date "false"`. */
  readonly options: readonly string[];
}

/** Reads the mirror from this machine's apt (`apt-get indextargets`). */
export async function machineMirror(): Promise<Mirror> {
  if (!(await hasProgram("apt-get"))) return parseMirror("", "");
  const targets = await run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"], {
    mayFail: true,
  });
  const config = await run(["apt-config", "dump"], { mayFail: true });
  return parseMirror(targets.text, config.text);
}

/** The pure part: URLs and settings from apt's own output. Only Debian's archives count. @throws LabError when there is none and the environment names none */
export function parseMirror(targets: string, config: string): Mirror {
  const urls = targets.split("\n").map((line) => line.trim().replace(/\/$/, ""));
  const options = config
    .split("\n")
    .filter((line) => /^Acquire::Check-(Valid-Until|Date) /.test(line))
    .map((line) => line.replace(/;$/, ""));
  const archive = process.env["SOFTMAP_DEBIAN_MIRROR"] ?? urls.find((url) => url.endsWith("/debian"));
  if (!archive)
    throw new LabError(
      "This machine's apt names no Debian mirror to build the lab's hosts from.",
      "set SOFTMAP_DEBIAN_MIRROR to one, ending in /debian (its -security beside it is used too)",
    );
  return {
    archive,
    security: urls.find((url) => url.endsWith("/debian-security")) ?? `${archive}-security`,
    options: [...new Set(options)].sort(),
  };
}

/** Host names of the mirror, sorted. */
export function mirrorHosts(mirror: Mirror): string[] {
  return [...new Set([mirror.archive, mirror.security].map((url) => new URL(url).hostname))].sort();
}

/** IPv4 addresses of the mirror's names, as this machine resolves them now. The lock lets the lab out to these and no others, and the lab's DNS answers with the same. */
export async function mirrorAddresses(mirror: Mirror): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const host of mirrorHosts(mirror)) {
    const all = isIPv4(host) ? [host] : await resolved(host);
    found[host] = [...new Set(all)].sort();
  }
  return found;
}

async function resolved(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, family: 4 })).map((one) => one.address);
  } catch {
    throw new LabError(
      `This machine's package mirror ${host} has no address.`,
      "check this machine's DNS and its apt sources (apt-get update)",
    );
  }
}
