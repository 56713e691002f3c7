import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { caFiles } from "./certificates";
import { assertLock } from "./egress";
import { LabError } from "./errors";
import { imageName } from "./image";
import { withLock } from "./mutex";
import { findNetwork } from "./network";
import { addresses, containerName, FIRST_HOST, LAST_HOST, SERVICES, stateOf, writeWhole, type Lab } from "./places";
import { containersOf, containerState, podman } from "./podman";
import { run, type Ran, type RunOptions } from "./run";
import { placeSeed, SEED } from "./seeds";

/** A host, as whoever deploys to it needs it. */
export interface HostInfo {
  readonly name: string;
  /** IPv4 address, reachable from this machine. */
  readonly address: string;
  readonly port: number;
  /** Has sudo without a password. */
  readonly user: string;
  /** `ssh-ed25519 AAAA...`: made by the lab before the first boot, the same for as long as the lab exists. */
  readonly hostKey: string;
}

/** A host that exists. */
export interface BootedHost extends HostInfo {
  /** Which incarnation of the host this is: another one after it was removed and made again, the same after a reboot. */
  readonly instance: string;
}

/** What is special about a host. */
export interface HostOptions {
  /** Its image, of `ensureDerivedImage`; the lab's host image when absent. Of a host that exists it stays. */
  readonly image?: string;
  /** Folders of this machine that it can read, each with its place there. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** Boots a host, or finds it running; ready means that ssh accepts logins. Several at once are safe. Never connects by ssh. @throws LabError without a whole egress lock */
export async function hostUp(
  lab: Lab,
  name: string,
  { image = imageName(), mounts = {} }: HostOptions = {},
): Promise<BootedHost> {
  const container = containerName(lab, name);
  if ((SERVICES as readonly string[]).includes(name))
    throw new LabError(`"${name}" is the lab's own.`, `take another name than ${SERVICES.join(", ")}`);
  stateOf(lab); // says so when there is no such lab
  return withLock(join(hostFolder(lab, name), "lock"), async () => {
    const running = await containerState(container);
    await mustBeLocked(lab);
    const host = await identity(lab, name);
    if (running !== "running") {
      await hostSeed(lab, name);
      if (running === undefined) await boot(lab, host, container, { image, mounts });
      else await podman(["start", container]);
    }
    await waitReady(container);
    return { ...host, instance: await instanceOf(container) };
  });
}

/**
 * Boots a host that is not there yet from an image and a seed of the caller's; what guest/labinit makes of it is in the seed. Returns when it
 * runs, and waits for nothing on it. @returns its address
 */
export async function bootSeeded(
  lab: Lab,
  name: string,
  image: string,
  fill: (folder: string) => void,
): Promise<string> {
  const container = containerName(lab, name);
  return withLock(join(hostFolder(lab, name), "lock"), async () => {
    await mustBeLocked(lab);
    const host = await identity(lab, name);
    await placeSeed(lab, `host-${name}`, fill);
    await boot(lab, host, container, { image, mounts: {} });
    return host.address;
  });
}

/** Nothing boots without the egress lock. */
async function mustBeLocked(lab: Lab): Promise<void> {
  const network = await findNetwork(lab);
  if (!network) throw new LabError(`Lab "${lab.name}" has no network.`, `run \`npm run lab -- --name ${lab.name} up\``);
  await assertLock({ table: lab.table, bridge: network.bridge });
}

/** The host if it exists (running or not), else undefined. */
export async function hostShow(lab: Lab, name: string): Promise<BootedHost | undefined> {
  const container = containerName(lab, name);
  if ((await containerState(container)) === undefined) return undefined;
  return { ...hostInfo(lab, name), instance: await instanceOf(container) };
}

/** Removes a host with all that is on it. Its address and ssh host key stay reserved until the lab goes, so that it can come back as itself. */
export async function hostDown(lab: Lab, name: string): Promise<boolean> {
  const container = containerName(lab, name);
  if ((await containerState(container)) === undefined) return false;
  await podman(["rm", "-f", "-t", "0", container]);
  return true;
}

async function instanceOf(container: string): Promise<string> {
  return (await podman(["container", "inspect", "--format", "{{.Id}}", container])).text.trim().slice(0, 12);
}

const hostFolder = (lab: Lab, name: string) => join(lab.dir, "hosts", name);

async function boot(
  lab: Lab,
  host: HostInfo,
  container: string,
  { image, mounts }: Required<HostOptions>,
): Promise<void> {
  const state = stateOf(lab);
  const [, second, third, last] = host.address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  // a new MAC after stop and start would leave stale ARP entries for half a minute
  const mac = `02:4c:${second}:${third}:00:${last}`;
  const labels = ["--label", lab.label, "--label", "softmap.role=host", "--label", `softmap.host=${host.name}`];
  const network = [
    "--network",
    lab.network,
    "--ip",
    host.address,
    "--mac-address",
    mac,
    "--dns",
    addresses(state).origin,
    "--dns-search",
    ".",
  ];
  const settings = [
    "--hostname",
    host.name,
    "--restart=always",
    "--systemd=always",
    "--sysctl",
    "net.ipv6.conf.all.disable_ipv6=1",
    "--pull=never",
  ];
  await podman([
    "run",
    "-d",
    "--name",
    container,
    ...labels,
    ...network,
    ...settings,
    "-v",
    `${lab.seeds}/host-${host.name}:${SEED}:ro`,
    ...Object.entries(mounts).flatMap(([from, to]) => ["-v", `${from}:${to}:ro`]),
    image,
  ]);
}

/** What guest/labinit puts in at the first boot. */
async function hostSeed(lab: Lab, name: string): Promise<void> {
  const { certificate, hash } = caFiles(lab);
  const key = join(hostFolder(lab, name), "ssh_host_ed25519_key");
  await placeSeed(lab, `host-${name}`, (folder) => {
    const put = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 });
    put("authorized_keys", readFileSync(join(lab.dir, "id_ed25519.pub"), "utf8"));
    put("ca.crt", certificate);
    put("ca.hash", hash);
    put("ssh_host_ed25519_key", readFileSync(key, "utf8"));
    put("ssh_host_ed25519_key.pub", readFileSync(`${key}.pub`, "utf8"));
  });
}

/** The address that a host of that name has or will have. */
export async function reserveAddress(lab: Lab, name: string): Promise<string> {
  return withLock(join(hostFolder(lab, name), "lock"), async () => (await identity(lab, name)).address);
}

/** Address and ssh host key of a host: made at its first use, kept in the lab's state. */
async function identity(lab: Lab, name: string): Promise<HostInfo> {
  const folder = hostFolder(lab, name);
  const key = join(folder, "ssh_host_ed25519_key");
  if (!existsSync(`${key}.pub`)) await makeKey(key, `host ${name} of lab ${lab.name}`);
  if (!existsSync(join(folder, "address"))) {
    // one at a time: two hosts that boot together must not take the same
    await withLock(join(lab.dir, "allocate.lock"), async () => {
      const taken = knownHosts(lab).map((other) =>
        Number(readFileSync(join(hostFolder(lab, other), "address"), "utf8")),
      );
      const free = nextAddress(taken);
      if (free === undefined)
        throw new LabError(`Lab "${lab.name}" has no address left.`, "take hosts down, or start another lab");
      writeWhole(join(folder, "address"), String(free));
    });
  }
  return hostInfo(lab, name);
}

/** The lowest last number of an address that no host has. */
export function nextAddress(taken: readonly number[]): number | undefined {
  for (let last = FIRST_HOST; last <= LAST_HOST; last++) if (!taken.includes(last)) return last;
  return undefined;
}

/** Makes an ed25519 key pair for ssh, no passphrase. */
export async function makeKey(file: string, comment: string): Promise<void> {
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", file]);
}

/** Names of the hosts that have an address, whether they exist now or not. */
export function knownHosts(lab: Lab): string[] {
  const folder = join(lab.dir, "hosts");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "address")))
    .sort();
}

/** What the lab's state says of a host. */
export function hostInfo(lab: Lab, name: string): HostInfo {
  const folder = hostFolder(lab, name);
  const last = readFileSync(join(folder, "address"), "utf8");
  const hostKey = readFileSync(join(folder, "ssh_host_ed25519_key.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  return { name, address: `${stateOf(lab).subnet}.${last}`, port: 22, user: "operator", hostKey };
}

// ssh.service is Type=notify: active means listening. While systemd-user-sessions is not, /run/nologin keeps everybody but root out.
const READY =
  "until systemctl is-active -q ssh.service && systemctl is-active -q systemd-user-sessions.service; do sleep .05; done";

async function waitReady(container: string): Promise<void> {
  const ran = await podman(["exec", container, "timeout", "60", "sh", "-c", READY], { mayFail: true, timeout: 90_000 });
  if (ran.code === 0) return;
  const log = await podman(["logs", "--tail", "8", container], { mayFail: true });
  throw new LabError(
    `Host ${container} did not come up in 60 s: ${ran.stderr.trim()}\n    ${(log.text + log.stderr).trim().replaceAll("\n", "\n    ")}`,
    "look at `podman logs` of that container; `host down` and `host up` make it anew",
  );
}

/** Runs a command on a host as root, not over ssh. Returns also when it fails: look at `code`. */
export function execOn(lab: Lab, host: string, argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return podman(["exec", ...(options.input === undefined ? [] : ["-i"]), containerName(lab, host), ...argv], {
    mayFail: true,
    ...options,
  });
}

/**
 * How many ssh connections have logged in on the host since it was made: each is in its sshd's journal. One that only looks whether the
 * sshd answers, as an Installation does before the steps of an `up`, logs in nowhere and is not counted; nor is one whose login was refused.
 */
export async function sshConnections(lab: Lab, host: string): Promise<number> {
  const ran = await podman([
    "exec",
    containerName(lab, host),
    "journalctl",
    "-q",
    "--no-pager",
    "-o",
    "cat",
    "-u",
    "ssh.service",
  ]);
  return ran.text.split("\n").filter((line) => line.startsWith("Accepted publickey for ")).length;
}

/** {@link sshConnections} of every host that runs, by name. */
export async function connectionsOf(lab: Lab): Promise<Record<string, number>> {
  const running = (await containersOf(lab)).filter((one) => one.role === "host" && one.running);
  const names = running.map((one) => one.name.slice(`softmap-${lab.name}-`.length));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await sshConnections(lab, name)] as const)),
  );
}

/** The logins of each host that runs since an earlier {@link connectionsOf}; all of them for one that was not there. */
export async function connectionsSince(
  lab: Lab,
  before: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const now = Object.entries(await connectionsOf(lab));
  return Object.fromEntries(now.map(([host, count]) => [host, count - (before[host] ?? 0)]));
}

/** Memory of all processes of a host in bytes, shared pages counted once (PSS). */
export async function hostMemory(container: string): Promise<number> {
  const script = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print sum * 1024 }'";
  return Number((await podman(["exec", container, "sh", "-c", script], { mayFail: true })).text) || 0;
}
