import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lockCounters } from "./egress";
import { LabError } from "./errors";
import { hostInfo, hostMemory } from "./hosts";
import type { LabNetwork } from "./upDown";
import { addresses, readState, type Lab } from "./places";
import { containersOf } from "./podman";

/** The lab as it is now. */
export interface LabStatus {
  readonly name: string;
  /** The lab's /24, when it has one. */
  readonly subnet: string | undefined;
  /** Packets that the egress lock has stopped; undefined: there is no lock. */
  readonly lock: { readonly refused: number; readonly machine: number } | undefined;
  /** Seconds since the Tor network started; undefined: it does not run. */
  readonly torAge: number | undefined;
  readonly containers: readonly {
    readonly name: string;
    readonly role: string;
    readonly running: boolean;
    readonly address: string;
    /** Bytes (PSS). */
    readonly memory: number;
    /** Seconds since it started. */
    readonly age: number;
  }[];
}

/** What `up` wrote down for deployments. @throws LabError when the lab has never been up */
export function readNetwork(lab: Lab): LabNetwork {
  const file = join(lab.dir, "network.json");
  if (!existsSync(file))
    throw new LabError(`Lab "${lab.name}" is not up.`, `run \`npm run lab -- --name ${lab.name} up\``);
  return JSON.parse(readFileSync(file, "utf8")) as LabNetwork;
}

/** Looks at everything; changes nothing. */
export async function labStatus(lab: Lab): Promise<LabStatus> {
  const state = readState(lab);
  const prefix = `softmap-${lab.name}-`;
  const addressOf = (role: string, name: string) => {
    if (!state) return "?";
    if (role === "origin" || role === "tor") return addresses(state)[role];
    return role === "host" ? hostInfo(lab, name).address : "";
  };
  const now = Date.now() / 1000;
  const found = (await containersOf(lab)).map(async ({ name, role, running, startedAt }) => ({
    name: name.slice(prefix.length),
    role,
    running,
    address: addressOf(role, name.slice(prefix.length)),
    memory: running ? await hostMemory(name) : 0,
    age: running ? Math.round(now - startedAt) : 0,
  }));
  const containers = await Promise.all(found);
  const torAge = containers.find((one) => one.role === "tor" && one.running)?.age;
  return { name: lab.name, subnet: state?.subnet, lock: await lockCounters(lab), torAge, containers };
}

/** Age in the largest two units. */
export function age(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** The status as a table for people. */
export function statusTable(status: LabStatus): string {
  if (!status.subnet && status.containers.length === 0)
    return `There is no lab "${status.name}". Start it: npm run lab -- --name ${status.name} up`;
  const rows = [
    ["NAME", "WHAT", "ADDRESS", "STATE", "SINCE", "MEMORY"],
    ...status.containers.map((one) => [
      ...[one.name, one.role, one.address, one.running ? "running" : "stopped"],
      ...[one.running ? age(one.age) : "-", one.running ? `${(one.memory / 2 ** 20).toFixed(0)} MiB` : "-"],
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const lock = status.lock
    ? `in force; refused ${status.lock.refused} packets out of the lab, ${status.lock.machine} to this machine`
    : "MISSING: run `up`, and until then trust nothing that runs here";
  const tor = status.torAge === undefined ? "does not run: run `up`" : `up for ${age(status.torAge)}`;
  return [
    `lab ${status.name}, ${status.subnet ?? "?"}.0/24`,
    "",
    ...table,
    "",
    `egress lock  ${lock}`,
    `Tor network  ${tor}`,
  ].join("\n");
}
