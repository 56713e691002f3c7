// The machines of a config as far as it tells them, before anything is known to be right.
import { countedHost } from "../../plan/names";
import { type Path, valueAt } from "../place";

export type Raw = Readonly<Record<string, unknown>>;

/** The two lists of machines. */
export const kinds = ["balancers", "workers"] as const;
export type Kind = (typeof kinds)[number];
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
