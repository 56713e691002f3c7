import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./errors";
import { dropLock, loadLock, lockInForce, probeLock, type LockModel } from "./egress";
import { hostUp, makeKey, reserveAddress } from "./hosts";
import { ensureLabImage } from "./image";
import { ensureLimits } from "./limits";
import { machineMirror, mirrorAddresses } from "./mirror";
import { withLock } from "./mutex";
import { ensureNetwork, findNetwork, keepAddress } from "./network";
import { ensureOrigin } from "./origin";
import { DEFAULT_DOMAINS, originNames } from "./originPages";
import {
  addresses,
  cacheFolder,
  DEFAULT_RELAYS,
  makeLabFolder,
  readState,
  writeState,
  writeWhole,
  type Lab,
  type LabState,
} from "./places";
import { containersOf, podman } from "./podman";
import { silent, step, type Say } from "./progress";
import { hasProgram, runAsRoot } from "./run";
import { ensureTorNetwork } from "./torNetwork";

export interface UpOptions {
  /** Domains of the test origin; those of before, or three of its own, when absent. */
  readonly domains?: readonly string[];
  /**
   * Domains that a host of the lab serves instead, each with the host's name; those of before when absent. The lab's DNS knows them with all
   * their subdomains, and its CA has a certificate for each (see `certificateOf`); what answers there is the business of whoever asks.
   */
  readonly hosted?: Readonly<Record<string, string>>;
  /**
   * Relays of the Tor network beside its three authorities, 6 to 100; those of before, or 6, when absent. A descriptor has an introduction point at a
   * relay once at most: one with its most, 20, needs some 40 relays to choose from. Another number than before makes the network anew.
   */
  readonly relays?: number;
}

/** What a deployment to the lab needs to know; the content of `network.json`. */
export interface LabNetwork {
  /** Folder of this program: a deployment's hosts are made by its command, wherever the deployment's program is. */
  readonly root: string;
  /** torrc lines that every tor of the lab needs. */
  readonly torrc: readonly string[];
  /** Private key file for ssh to the lab's hosts. */
  readonly privateKeyFile: string;
  /** The test origin: address, every name it answers to, and its CA's certificate. */
  readonly origin: { readonly address: string; readonly names: readonly string[]; readonly caFile: string };
  /** SOCKS port of the lab's Tor client, `ip:port`, reachable from this machine. */
  readonly socks: string;
  /** Domains of the test origin, each with the subdomain `cdn`. */
  readonly domains: readonly string[];
}

/** Each takes some 30 to 90 MiB. Their ports follow one another from 5100 on. */
const MOST_RELAYS = 100;

/** Starts the lab, or mends what of it does not run; changes nothing of a lab that is up. Hosts are made by `hostUp`; those that exist are started again. */
export async function labUp(lab: Lab, say: Say = silent, options: UpOptions = {}): Promise<LabNetwork> {
  const { relays: asked = DEFAULT_RELAYS } = options;
  if (!Number.isInteger(asked) || asked < DEFAULT_RELAYS || asked > MOST_RELAYS)
    throw new LabError(
      `A lab's Tor network cannot have ${asked} relays.`,
      `take a whole number from ${DEFAULT_RELAYS} to ${MOST_RELAYS}`,
    );
  const image = await ensureLabImage(say);
  await ensureLimits(say);
  makeLabFolder(lab);
  // beside the lab's folder: `down` removes that one
  return withLock(join(cacheFolder(), "labs", `${lab.name}.lock`), async () => {
    const before = readState(lab);
    const mirror = await currentMirror(before);
    const { bridge, subnet } = await ensureNetwork(lab, before?.subnet);
    const domains = options.domains ?? before?.domains ?? DEFAULT_DOMAINS;
    const relays = options.relays ?? before?.relays ?? DEFAULT_RELAYS;
    const state: LabState = { subnet, domains, hosted: options.hosted ?? before?.hosted ?? {}, mirror, relays };
    await closeLab({ table: lab.table, bridge, subnet, mirror: Object.values(mirror).flat() }, lab, image, say);
    writeState(lab, state);
    const key = join(lab.dir, "id_ed25519");
    if (!existsSync(`${key}.pub`)) await makeKey(key, `lab ${lab.name}`);
    const hosted = await addressesOf(lab, state.hosted ?? {});
    const [origin, tor] = await Promise.all([
      step(say, `test origin and DNS (${state.domains.join(", ")})`, () => ensureOrigin(lab, state, image, hosted)),
      step(say, `private Tor network (3 authorities, ${relays} relays, a client)`, () =>
        ensureTorNetwork(lab, state, image),
      ),
    ]);
    await keepAddress(bridge);
    const network = describe(lab, state, tor.torrc);
    writeWhole(join(lab.dir, "network.json"), JSON.stringify(network, null, 2) + "\n");
    await wakeHosts(lab, tor.fresh, say);
    say(
      `lab ${lab.name} is up${origin.changed || tor.fresh ? "" : " (it was before)"}: ${lab.network}, ${subnet}.0/24`,
    );
    return network;
  });
}

/** Domain to address: a host that is not there yet will have it. */
async function addressesOf(lab: Lab, hosted: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  for (const [domain, host] of Object.entries(hosted)) addresses[domain] = await reserveAddress(lab, host);
  return addresses;
}

/** The mirror's addresses. Those of before stay as long as one of each name's still holds: mirrors rotate them, and a change restarts the lab's DNS. */
async function currentMirror(before: LabState | undefined): Promise<Record<string, readonly string[]>> {
  const now = await mirrorAddresses(await machineMirror());
  const old = before?.mirror ?? {};
  return Object.fromEntries(
    Object.entries(now).map(([name, found]) => [
      name,
      old[name]?.some((one) => found.includes(one)) ? old[name] : found,
    ]),
  );
}

/** No lock, no lab: loaded, read back, and proved from inside before anything boots. */
async function closeLab(model: LockModel, lab: Lab, image: string, say: Say): Promise<void> {
  if (!(await lockInForce(model))) await loadLock(model);
  await probeLock(lab, model, image);
  say(`egress lock in force on ${model.bridge}: a connection out of the lab was refused`);
}

function describe(lab: Lab, state: LabState, torrc: readonly string[]): LabNetwork {
  const { origin, tor } = addresses(state);
  return {
    root: join(__dirname, ".."),
    torrc,
    privateKeyFile: join(lab.dir, "id_ed25519"),
    origin: { address: origin, names: originNames(state.domains), caFile: join(lab.dir, "ca", "ca.crt") },
    socks: `${tor}:9050`,
    domains: state.domains,
  };
}

/** Starts hosts that exist but do not run (after a reboot of this machine). A new Tor network is a new world to running tors: they start anew. */
async function wakeHosts(lab: Lab, freshTor: boolean, say: Say): Promise<void> {
  const hosts = (await containersOf(lab)).filter((one) => one.role === "host");
  const name = (container: string) => container.slice(`softmap-${lab.name}-`.length);
  const asleep = hosts.filter((one) => !one.running).map((one) => name(one.name));
  if (asleep.length > 0)
    await step(say, `starting ${asleep.join(", ")} again`, () => Promise.all(asleep.map((host) => hostUp(lab, host))));
  const awake = freshTor ? hosts.filter((one) => one.running) : [];
  if (awake.length > 0)
    await step(say, "restarting the hosts' tors for the new Tor network", () =>
      Promise.all(
        awake.map((one) =>
          podman(
            [
              "exec",
              one.name,
              "systemctl",
              "try-restart",
              "softmap-tor@*",
              "softmap-balancer-tor",
              "softmap-onionbalance",
            ],
            { mayFail: true },
          ),
        ),
      ),
    );
}

/** What {@link labDown} removed. */
export interface Removed {
  readonly containers: readonly string[];
  readonly network: boolean;
  readonly lock: boolean;
  readonly folder: boolean;
}

/**
 * Removes everything that the lab made and nothing else. The image stays: it is every lab's.
 * @param keep keep the lab's folder: keys, CA, addresses and Pulumi's state
 */
export async function labDown(lab: Lab, { keep = false }: { readonly keep?: boolean } = {}): Promise<Removed> {
  mkdirSync(join(cacheFolder(), "labs"), { recursive: true, mode: 0o700 });
  return withLock(join(cacheFolder(), "labs", `${lab.name}.lock`), async () => {
    const here = await hasProgram("podman");
    const containers = here ? (await containersOf(lab)).map((one) => one.name) : [];
    if (containers.length > 0) await podman(["rm", "-f", "-t", "0", ...containers]);
    const network = here && (await findNetwork(lab)) !== undefined;
    if (network) await podman(["network", "rm", lab.network]);
    // last of all: nothing may run without it
    const lock = (await hasProgram("nft")) && (await dropLock(lab));
    if (existsSync(lab.seeds) || existsSync("/run/softmap"))
      await runAsRoot(["sh", "-c", 'rm -rf "$1"; rmdir /run/softmap 2>/dev/null || :', "sh", lab.seeds]);
    const folder = !keep && existsSync(lab.dir);
    rmSync(keep ? join(lab.dir, "network.json") : lab.dir, { recursive: true, force: true });
    return { containers, network, lock, folder };
  });
}
