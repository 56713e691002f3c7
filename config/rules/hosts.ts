// Rules on machines that no single key can tell. They read the raw config, so that they speak up beside other problems.
import { countedHost } from "../../plan/names";
import { type Path, earlier, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";

export type Raw = Readonly<Record<string, unknown>>;

const kinds = ["balancers", "workers"] as const;
type Kind = (typeof kinds)[number];
const single = { balancers: "balancer", workers: "worker" } as const;
/** What the schema fills in; here because rules see the raw config. */
const defaultCount = { balancers: 1, workers: 2 } as const;

/** A machine as far as the raw config tells it. */
export interface Machine {
  readonly path: Path;
  readonly name: string | undefined;
}

/** The machines of one kind; undefined when what is given is neither a number nor a list. */
export function machinesOf(raw: Raw, kind: Kind): Machine[] | undefined {
  const given = raw[kind] === undefined ? defaultCount[kind] : raw[kind];
  if (typeof given === "number") {
    if (!Number.isInteger(given) || given < 0 || given > 1000) return undefined;
    return Array.from({ length: given }, (_, i) => ({ path: [kind], name: countedHost(single[kind], i + 1) }));
  }
  if (!Array.isArray(given)) return undefined;
  return given.map((entry, i) => {
    const path = typeof entry === "string" ? [kind, i] : [kind, i, "name"];
    const name = valueAt(raw, path);
    return { path, name: typeof name === "string" ? name : undefined };
  });
}

/** Machines that run backends, as far as the raw config tells; undefined when it does not. */
export function rawPool(raw: Raw): Machine[] | undefined {
  const workers = machinesOf(raw, "workers");
  if (workers === undefined) return undefined;
  if (raw["workersOnBalancers"] !== true)
    return raw["workersOnBalancers"] === undefined || raw["workersOnBalancers"] === false ? workers : undefined;
  const balancers = machinesOf(raw, "balancers");
  return balancers && [...balancers, ...workers];
}

/** Problems of hosts, balancers and workers. */
export function hostsRules(raw: Raw): Problem[] {
  const provider = valueAt(raw, ["hosts", "provider"]);
  return [
    ...(provider === "ssh" ? loginRules(raw) : []),
    ...kinds.flatMap((kind) =>
      provider === "ssh" ? sshList(raw, kind) : provider === "lab" ? labList(raw, kind) : [],
    ),
    ...sameName(raw),
    ...sameAddress(raw),
    ...enough(raw),
  ];
}

function loginRules(raw: Raw): Problem[] {
  const file = valueAt(raw, ["hosts", "privateKeyFile"]) !== undefined;
  const agent = valueAt(raw, ["hosts", "agent"]) === true;
  if (file !== agent) return [];
  const message = file
    ? "privateKeyFile and agent are both given; a login uses one of them."
    : "There is no way to log in: neither privateKeyFile nor agent is given.";
  const next = file
    ? "Remove one of them."
    : "Give privateKeyFile: ~/.ssh/id_ed25519, or agent: true to use the running ssh agent.";
  return [problemAt(raw, ["hosts", "privateKeyFile"], { message, next }, true)];
}

const machineForm =
  'a list of { name, address, hostKey }, e.g. [{ name: w1, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAA..." }]';

function sshList(raw: Raw, kind: Kind): Problem[] {
  const given = raw[kind];
  if (given === undefined || typeof given === "number") {
    const message =
      given === undefined
        ? "It is missing: machines of provider ssh are listed, not made."
        : "A number is for the lab: machines of provider ssh are listed, not made.";
    return [problemAt(raw, [kind], { message, next: `Give ${machineForm}.` })];
  }
  if (!Array.isArray(given)) return [];
  return given.flatMap((entry, i) => {
    if (typeof entry !== "string") return [];
    const message = "A name alone is for the lab: with provider ssh a machine has an address and a pinned host key.";
    return [problemAt(raw, [kind, i], { message, next: "Write it as { name, address, hostKey }." })];
  });
}

function labList(raw: Raw, kind: Kind): Problem[] {
  const given = raw[kind];
  if (!Array.isArray(given)) return [];
  return given.flatMap((entry, i) => {
    if (!isRecord(entry)) return [];
    const name = entry["name"];
    const message = "The lab makes its machines: they have no address or host key of their own to give.";
    const next =
      typeof name === "string"
        ? `Write the name alone, ${name}, or use provider ssh.`
        : "Write a number or a list of names, or use provider ssh.";
    return [problemAt(raw, [kind, i], { message, next })];
  });
}

function sameName(raw: Raw): Problem[] {
  const first = new Map<string, Machine>();
  return kinds.flatMap((kind) =>
    (machinesOf(raw, kind) ?? []).flatMap((host) => {
      const { name, path } = host;
      if (name === undefined || name === "") return [];
      const other = earlier(first, name, host);
      if (!other) return [];
      const apart = other.path[0] !== path[0];
      return [
        problemAt(raw, path, {
          message: `The machine ${name} is listed twice${apart ? ", as balancer and as worker" : ""}.`,
          next: twice(apart),
        }),
      ];
    }),
  );
}

const twice = (apart: boolean): string =>
  apart
    ? "List it under balancers only and set workersOnBalancers: true."
    : "Remove one of them, or give them different names.";

function sameAddress(raw: Raw): Problem[] {
  const first = new Map<string, { name: string; kind: Kind }>();
  return kinds.flatMap((kind) => {
    const given = raw[kind];
    return (Array.isArray(given) ? given : []).flatMap((entry: unknown, i) => {
      const address = valueAt(entry, ["address"]);
      if (typeof address !== "string" || address === "") return [];
      const port = valueAt(entry, ["port"]) ?? 22;
      if (typeof port !== "number") return [];
      const given = valueAt(entry, ["name"]);
      const name = typeof given === "string" ? given : `${kind}[${i}]`;
      const place = `${address.toLowerCase()} port ${port}`;
      const other = earlier(first, place, { name, kind });
      if (!other) return [];
      // The same machine twice under one name is told by its name.
      if (other.name === name) return [];
      const next = other.kind === kind ? "Remove one of them, or correct its address." : twice(true);
      return [
        problemAt(raw, [kind, i, "address"], {
          message: `${name} and ${other.name} are the same machine: ${place}.`,
          next,
        }),
      ];
    });
  });
}

function enough(raw: Raw): Problem[] {
  const problems: Problem[] = [];
  if (machinesOf(raw, "balancers")?.length === 0) {
    const next = "Give at least one balancer; it can run backends too with workersOnBalancers: true.";
    problems.push(problemAt(raw, ["balancers"], { message: "Without a balancer no site is published.", next }));
  }
  if (rawPool(raw)?.length === 0) {
    const next = "Give at least one worker, or set workersOnBalancers: true.";
    problems.push(problemAt(raw, ["workers"], { message: "Without a worker no backend runs.", next }));
  }
  return problems;
}
