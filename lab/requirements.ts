import { existsSync } from "node:fs";
import { LabError } from "./errors";
import type { Say } from "./progress";
import { hasProgram, runAsRoot } from "./run";

/** One thing that the lab runs on this machine, and why; `found` says whether it is there. */
export interface Requirement {
  readonly package: string;
  readonly why: string;
  readonly found: () => Promise<boolean>;
}

const program = (name: string) => () => hasProgram(name);
// netavark is no program of PATH: podman looks for it in its own folders
const netavark = () =>
  Promise.resolve(
    ["/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman"].some((dir) =>
      existsSync(`${dir}/netavark`),
    ),
  );

export const REQUIREMENTS: readonly Requirement[] = [
  { package: "podman", why: "runs the lab's hosts", found: program("podman") },
  { package: "runc", why: "starts them (crun fails where memlock cannot be raised)", found: program("runc") },
  { package: "netavark", why: "makes the lab's network", found: netavark },
  { package: "iptables", why: "netavark calls it", found: program("iptables") },
  { package: "nftables", why: "the egress lock: nothing of the lab leaves this machine", found: program("nft") },
  { package: "iproute2", why: "finds a free subnet", found: program("ip") },
  { package: "mmdebstrap", why: "builds the Debian image of the hosts", found: program("mmdebstrap") },
  {
    package: "debian-archive-keyring",
    why: "checks Debian's packages",
    found: () => Promise.resolve(existsSync("/usr/share/keyrings/debian-archive-keyring.gpg")),
  },
  { package: "openssh-client", why: "keys of the lab and of its hosts", found: program("ssh-keygen") },
  { package: "openssl", why: "the lab's own CA", found: program("openssl") },
  { package: "python3", why: "the tests run the hosts' programs", found: program("python3") },
];

/** Those of `all` that this machine lacks. */
export async function missing(all: readonly Requirement[] = REQUIREMENTS): Promise<Requirement[]> {
  const found = await Promise.all(all.map((one) => one.found()));
  return all.filter((_, index) => !found[index]);
}

/** Installs what is missing through the system's package manager, saying first what and why. Nothing is asked of it when nothing is missing. */
export async function ensureRequirements(say: Say, all: readonly Requirement[] = REQUIREMENTS): Promise<void> {
  if (process.platform !== "linux")
    throw new LabError(
      "The lab runs on Linux only.",
      "use a Linux machine, or provider ssh with Debian machines of your own",
    );
  if (process.getuid?.() !== 0 && !(await hasProgram("sudo")))
    throw new LabError(
      "The lab needs root (containers, a network, nft) and there is no sudo.",
      "install sudo, or run the lab as root",
    );
  const lacking = await missing(all);
  if (lacking.length === 0) return;
  const names = lacking.map((one) => one.package);
  if (!(await hasProgram("apt-get")))
    throw new LabError(
      `The lab needs ${names.join(", ")}, and there is no apt-get to install them with.`,
      `install them with this system's package manager: ${names.join(" ")}`,
    );
  for (const one of lacking) say(`this machine has no ${one.package}: installing it (${one.why})`);
  const next = `install them by hand: apt-get install ${names.join(" ")}. Without podman there is no lab; provider ssh needs none`;
  await runAsRoot(["apt-get", "update", "-q"], { next, timeout: 300_000 });
  await runAsRoot(
    ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y", "--no-install-recommends", ...names],
    { next, timeout: 600_000 },
  );
  const still = (await missing(lacking)).map((one) => one.package);
  if (still.length > 0) throw new LabError(`${still.join(", ")}: installed, but still not found.`, next);
  say(`installed ${names.join(", ")}`);
}
