import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { LabError } from "./errors";

/** One lab and the names of everything that it makes. Nothing outside these names is ever removed. */
export interface Lab {
  readonly name: string;
  /** State folder (0700): keys, CA, addresses, network.json, Pulumi's state. */
  readonly dir: string;
  /** podman's network. */
  readonly network: string;
  /** nft table of the egress lock (family inet). */
  readonly table: string;
  /** `key=value` on every container of this lab, and on no other. */
  readonly label: string;
  /** Folder on the machine's tmpfs with what containers are given at boot: gone after a reboot of the machine, so that no host boots before `up` has loaded the lock again. */
  readonly seeds: string;
}

/** Containers that are no hosts. */
export const SERVICES = ["origin", "tor", "probe"] as const;

/** Folder of everything the lab keeps between runs. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "softmap");
}

/** The lab of that name. @throws LabError when the name cannot be one (lower case letters and digits, 16 at most: it becomes part of names for podman and nft). */
export function labNamed(name: string): Lab {
  if (!/^[a-z][a-z0-9]{0,15}$/.test(name))
    throw new LabError(
      `"${name}" cannot be a lab's name.`,
      "use lower case letters and digits, a letter first, 16 at most",
    );
  return {
    name,
    dir: join(cacheFolder(), "labs", name),
    network: `softmap-${name}`,
    table: `softmap_${name}`,
    label: `softmap.lab=${name}`,
    seeds: `/run/softmap/${name}`,
  };
}

/** Container of a host or service. @throws LabError when the name cannot be a host's. */
export function containerName(lab: Lab, host: string): string {
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(host))
    throw new LabError(
      `"${host}" cannot be a host's name.`,
      "use lower case letters, digits and hyphens, a letter first, 40 at most",
    );
  return `softmap-${lab.name}-${host}`;
}

/** What a lab remembers between runs. */
export interface LabState {
  /** First three numbers of the lab's /24, e.g. `10.77.3`. */
  readonly subnet: string;
  /** Domains of the test origin; each has the subdomain `cdn` too. */
  readonly domains: readonly string[];
  /** Domains that hosts of the lab serve, each with its host's name. */
  readonly hosted?: Readonly<Record<string, string>>;
  /** Names of the package mirror and the addresses that the lock and the lab's DNS have for them. */
  readonly mirror: Readonly<Record<string, readonly string[]>>;
  /** Relays of the Tor network beside its authorities; {@link DEFAULT_RELAYS} when absent. */
  readonly relays?: number;
}

/** Enough for Onionbalance, whose search for directories never ends where there are fewer than six nodes, and quick to start. */
export const DEFAULT_RELAYS = 6;

/** The lab's remembered state, or undefined when there is none. */
export function readState(lab: Lab): LabState | undefined {
  const file = join(lab.dir, "lab.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LabState) : undefined;
}

/** The state of a lab that must be up. */
export function stateOf(lab: Lab): LabState {
  const state = readState(lab);
  if (!state) throw new LabError(`There is no lab "${lab.name}".`, `run \`npm run lab -- --name ${lab.name} up\``);
  return state;
}

export function writeState(lab: Lab, state: LabState): void {
  writeWhole(join(lab.dir, "lab.json"), JSON.stringify(state, null, 2) + "\n");
}

/** Writes a file so that a reader sees the old or the new text, never half of it. Leaves an unchanged file alone. */
export function writeWhole(file: string, text: string, mode = 0o600): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  const staged = `${file}.${process.pid}.new`;
  writeFileSync(staged, text, { mode });
  renameSync(staged, file);
}

/** Makes the lab's folder, for its owner only. */
export function makeLabFolder(lab: Lab): void {
  mkdirSync(lab.dir, { recursive: true, mode: 0o700 });
}

/** Fixed addresses inside the lab's /24; hosts follow from 11 on. */
export function addresses(state: { readonly subnet: string }) {
  const at = (n: number) => `${state.subnet}.${n}`;
  return { gateway: at(1), origin: at(2), tor: at(3), probe: at(4) };
}

export const FIRST_HOST = 11;
/** Addresses above it are for whoever gives a host a second one. */
export const LAST_HOST = 240;
