// A survey as the checks read it: who answers, which unit belongs to what, which balancers publish.
import type { MachineSeen, PublisherSeen, Survey, TorSeen, UnitSeen } from "../desk/survey";

/** A machine that answered. */
export interface Seen {
  readonly name: string;
  readonly seen: MachineSeen;
}

/** A balancer that is to publish, as it answered. */
export interface Publisher extends Seen {
  readonly publisher: PublisherSeen;
}

/** A survey and what can be read off it at once. */
export interface View {
  readonly survey: Survey;
  readonly seen: readonly Seen[];
  /** Machines that run backends of the plan. */
  readonly workers: ReadonlySet<string>;
  /** Those that are not on standby. */
  readonly publishers: readonly Publisher[];
  /** Addresses of the plan's backends. */
  readonly planned: ReadonlySet<string>;
}

/** Reads a survey. */
export function viewOf(survey: Survey): View {
  const seen = survey.machines.flatMap((machine) => (machine.seen ? [{ name: machine.name, seen: machine.seen }] : []));
  const publishers = seen.flatMap((machine) => {
    const { publisher } = machine.seen;
    return publisher && !publisher.standby ? [{ ...machine, publisher }] : [];
  });
  return {
    survey,
    seen,
    workers: new Set(survey.backends.map(({ worker }) => worker)),
    publishers,
    planned: new Set(survey.backends.map(({ address }) => address)),
  };
}

/** A machine's answer; undefined: it gave none. */
export const seenAs = ({ seen }: View, name: string): MachineSeen | undefined =>
  seen.find((machine) => machine.name === name)?.seen;

/** systemd says that it does what it is for. */
export const runs = ({ state }: UnitSeen): boolean => state === "active" || state === "reloading";

/** It runs, and began less than so many seconds ago: what it has not done yet is no fault. */
export const younger = (unit: UnitSeen | undefined, seconds: number): boolean =>
  unit !== undefined && runs(unit) && unit.age !== null && unit.age < seconds;

/** A machine's unit by its name. */
export const unitNamed = ({ units }: MachineSeen, name: string): UnitSeen | undefined =>
  units.find(({ unit }) => unit === name);

/** The unit of a kind. */
export const unitOfKind = ({ units }: MachineSeen, kind: UnitSeen["kind"]): UnitSeen | undefined =>
  units.find((unit) => unit.kind === kind);

/** The daemon that has a backend's address on a machine. */
export const daemonWith = ({ tors }: MachineSeen, address: string): TorSeen | undefined =>
  tors.find(({ backend }) => backend?.address === address);

/** `a, b and 3 more`: the first of many. */
export function some(words: readonly string[], most = 4): string {
  const more = words.length - most;
  if (more > 1) return `${words.slice(0, most).join(", ")} and ${more} more`;
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

/** The same thing once, in the order of the first. */
export function groupedBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
