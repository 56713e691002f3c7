import { percentile } from "../lab/loadReport";
import { markdown } from "./figures";

export const ARMS = ["softmap", "stock"] as const;
export const CHANGES = ["first", "add", "remove"] as const;

/** Who published. */
export type Arm = (typeof ARMS)[number];
/** Empty hosts become a site; a worker's backends come, or go. */
export type Change = (typeof CHANGES)[number];

/** One change, measured. Seconds; null where there is no such thing. */
export interface Row {
  /** From 1 on. */
  readonly run: number;
  readonly change: Change;
  readonly by: Arm;
  /** From the operator's command, `pulumi up` or the edit of Onionbalance's file, until the directories held the plan: `first`, one directory the site. */
  readonly published: number;
  /** The same from the start of the publish step on; of stock from the edit. */
  readonly publication: number | null;
  /** The whole `pulumi up`. */
  readonly up: number | null;
  /** From `pulumi up` until the first page had come through Tor. */
  readonly page: number | null;
  /** Tors of the workers and the balancer that were started anew meanwhile. */
  readonly torStarts: number | null;
  /** How often Onionbalance was started anew. */
  readonly onionbalanceStarts: number | null;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** What a number of values come to. */
export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly min: number;
  readonly max: number;
}

/** By nearest rank, so that each figure is one that was measured; undefined of none. */
export function distributionOf(values: readonly (number | null)[]): Distribution | undefined {
  const measured = values.filter((value) => value !== null);
  if (measured.length === 0) return undefined;
  return {
    ...{ count: measured.length, p50: percentile(measured, 50), p95: percentile(measured, 95) },
    ...{ min: Math.min(...measured), max: Math.max(...measured) },
  };
}

const TIMES = [
  ["first page", "page"],
  ["published", "published"],
  ["published, from the publish step", "publication"],
  ["whole `up`", "up"],
] as const;

/** A line for each time of each change and arm that was measured at all, in seconds. */
export function publishTable(rows: readonly Row[]): string {
  const lines = CHANGES.flatMap((change) => ARMS.map((by) => ({ change, by }))).flatMap(({ change, by }) => {
    const mine = rows.filter((row) => row.change === change && row.by === by);
    return TIMES.flatMap(([name, key]) => {
      // from the edit on is all there is of stock
      const found = by === "stock" && key === "publication" ? undefined : distributionOf(mine.map((row) => row[key]));
      if (found === undefined) return [];
      const { count, ...times } = found;
      return [[change, by, name, count, ...[times.p50, times.p95, times.min, times.max].map((one) => one.toFixed(1))]];
    });
  });
  return markdown(["change", "by", "seconds until", "runs", "p50", "p95", "min", "max"], lines);
}

/** Who was started anew, over all runs. */
export function startsLines(rows: readonly Row[]): string[] {
  const sum = (values: readonly (number | null)[]): number => values.reduce<number>((all, one) => all + (one ?? 0), 0);
  return ARMS.flatMap((by) => {
    const mine = rows.filter((row) => row.by === by && row.change !== "first");
    if (mine.length === 0) return [];
    const tors = sum(mine.map((row) => row.torStarts));
    const onionbalance = sum(mine.map((row) => row.onionbalanceStarts));
    return [`${by}: ${mine.length} changes, ${tors} tors and ${onionbalance} Onionbalances started anew by them`];
  });
}

const COLUMNS = [
  ...(["run", "change", "by", "published", "publication", "up", "page"] as const),
  ...(["torStarts", "onionbalanceStarts", "load"] as const),
];

/** Every change, for a file. */
export function publishCsv(rows: readonly Row[]): string {
  const cell = (value: string | number | null): string =>
    typeof value === "number" ? String(Math.round(value * 1000) / 1000) : (value ?? "");
  return [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(","))].join("\n") + "\n";
}

export interface PublishOptions {
  /** How often each thing is measured. @default 20 */
  readonly runs: number;
  /** Where every change goes as well. */
  readonly file?: string;
}

/** @throws Error that says how the command is used */
export function publishOptions(args: readonly string[]): PublishOptions {
  const usage = new Error("usage: npm run bench:publish [-- --runs N] [--csv FILE]");
  let options: PublishOptions = { runs: 20 };
  for (let n = 0; n < args.length; n += 2) {
    const value = args[n + 1];
    if (value === undefined) throw usage;
    if (args[n] === "--runs" && /^[1-9]\d{0,2}$/.test(value)) options = { ...options, runs: Number(value) };
    else if (args[n] === "--csv") options = { ...options, file: value };
    else throw usage;
  }
  return options;
}

/** A unit's run: which one it is and how often systemd has started it again by itself. */
export type UnitRuns = ReadonlyMap<string, string>;

/** `systemctl show -p Id,InvocationID,NRestarts,ActiveState`: active units to their run. */
export function unitRuns(text: string): Map<string, string> {
  const units = text
    .trim()
    .split("\n\n")
    .map((block) => new Map(block.split("\n").map((line) => line.split("=", 2) as [string, string])));
  return new Map(
    units
      .filter((unit) => unit.get("ActiveState") === "active")
      .map((unit) => [unit.get("Id") ?? "", `${unit.get("InvocationID") ?? ""} ${unit.get("NRestarts") ?? ""}`]),
  );
}

/** How many units of `before` are not the same run any more. */
export function startedAnew(before: UnitRuns, after: UnitRuns): number {
  return [...before].filter(([unit, run]) => after.get(unit) !== run).length;
}
