/** What the machines say of an Onionspray or EOTK installation on them (host/adopt.py), and how people are told. */
import type { DeployedStack } from "../desk/survey";
import { tableOf } from "../desk/table";

/** What one machine says. */
export interface AdoptSeen {
  readonly installations: readonly Installation[];
  /** What a `pulumi up` would refuse there, a sentence each with its next step. */
  readonly collisions: readonly string[];
  /** On a balancer of ours: Unix seconds of its last proof that it publishes alone; null: never. */
  readonly proved: number | null;
}

/** One installation. */
export interface Installation {
  readonly home: string;
  readonly tool: "Onionspray" | "EOTK";
  readonly user: string;
  readonly daemons: readonly {
    readonly kind: "tor" | "nginx" | "onionbalance";
    /** Null: the balancer's. */
    readonly project: string | null;
    readonly name: string;
    readonly config: string;
    /** Null: it does not run. */
    readonly pid: number | null;
    /** Whether their own pid file names that process. */
    readonly pidFile: "right" | "stale" | "missing";
  }[];
  /** What it publishes: `by` Onionbalance, or a tor that holds the site's key (hardmap). Null address: it cannot be told. */
  readonly frontends: readonly {
    readonly address: string | null;
    readonly by: "onionbalance" | "tor";
    readonly runs: boolean;
  }[];
  readonly backends: readonly {
    readonly address: string | null;
    readonly project: string;
    readonly name: string;
    readonly runs: boolean;
  }[];
  /** What starts it by itself. */
  readonly boot: readonly {
    readonly kind: string;
    readonly path: string;
    readonly when: "boot" | "clock";
    readonly on: boolean;
  }[];
  /** Unix seconds of what has been done; null: not yet. */
  readonly taken: { readonly publisherOff: number | null; readonly backendsOff: number | null };
}

/** A machine and what it said. */
export interface SeenOn {
  readonly name: string;
  readonly seen: AdoptSeen;
}

/** Reads the last line that a machine printed. @throws {SyntaxError} when it is none of ours */
export function seenOf(stdout: string): AdoptSeen {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as AdoptSeen;
}

/** Addresses that are published by theirs, or were until we stopped it; null among them when one cannot be told. */
export function publishedByThem(all: readonly SeenOn[]): (string | null)[] {
  const found = all.flatMap(({ seen }) =>
    seen.installations.flatMap(({ frontends, taken }) =>
      frontends.filter(({ runs }) => runs || taken.publisherOff !== null).map(({ address }) => address),
    ),
  );
  return [...new Set(found)];
}

/** Everything for people, machine by machine. */
export function textOf(all: readonly SeenOn[], { sites }: DeployedStack): string {
  return all.map((one) => machineText(one, sites)).join("\n\n");
}

function machineText({ name, seen }: SeenOn, sites: DeployedStack["sites"]): string {
  const collisions = seen.collisions.map((text) => `  In the way: ${text}.`);
  if (seen.installations.length === 0) return [`${name}: no Onionspray and no EOTK`, ...collisions].join("\n");
  return [...seen.installations.map((one) => installationText(name, one, sites)), ...collisions].join("\n");
}

function installationText(name: string, one: Installation, sites: DeployedStack["sites"]): string {
  const daemons = one.daemons.map(({ kind, project, name: daemon, pid, pidFile }) => [
    kind,
    project === null ? "balancer" : `${project} ${daemon}`,
    pid === null ? "does not run" : `process ${pid}`,
    pidFile === "right" ? "" : pid === null && pidFile === "missing" ? "" : `its pid file is ${pidFile}`,
  ]);
  const fronts = one.frontends.map(({ address, by, runs }) => [
    "publishes",
    address ?? "an address that cannot be told from its key's name",
    `by ${by === "tor" ? "tor itself (hardmap)" : "Onionbalance"}${runs ? "" : ", which does not run"}`,
    sites.find((site) => site.address === address)?.domain ?? "not in this stack",
  ]);
  const backends = one.backends.map(({ address, project, name: daemon, runs }) => [
    "answers",
    address ?? "an address that is not there yet",
    `${project} ${daemon}${runs ? "" : ", which does not run"}`,
    "",
  ]);
  const boot = one.boot.map(({ path, when, on }) => [
    "started",
    when === "boot" ? "at boot" : "by the clock",
    path,
    on ? "" : "put off",
  ]);
  const rows = [...daemons, ...fronts, ...backends, ...boot];
  return [
    `${name}: ${one.tool} in ${one.home}, of the user ${one.user}: ${stateOf(one)}`,
    tableOf(["what", "which", "how", ""], rows).replace(/^/gm, "  "),
  ].join("\n");
}

/** How far it has been taken over. */
export function stateOf({ daemons, taken }: Installation): string {
  if (taken.backendsOff !== null) return "taken over, it is off";
  if (taken.publisherOff !== null) return "its publisher is off, its backends go on";
  const running = daemons.filter(({ pid }) => pid !== null).length;
  return running === 0 ? "nothing of it runs" : `${running} of ${daemons.length} processes run`;
}
