export const ARMS = ["softmap", "stock"] as const;
export const CHANGES = ["add", "remove"] as const;

/** Who published. */
export type Arm = (typeof ARMS)[number];
/** The third worker's backends come, or go. */
export type ChangeKind = (typeof CHANGES)[number];

/** One change, measured. */
export interface Measured {
  /** From 1 on. */
  readonly round: number;
  readonly arm: Arm;
  readonly change: ChangeKind;
  /** From the start of the publication until the directories held the new plan. */
  readonly seconds: number;
  /** Of the whole `pulumi up`; null where nobody ran one. */
  readonly upSeconds: number | null;
  /** Tors of the workers and the balancer that were started anew meanwhile. */
  readonly torStarts: number;
  /** How often Onionbalance was started anew. */
  readonly onionbalanceStarts: number;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** What a number of values come to; undefined of none. */
export interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of an even number of values the median is the mean of the middle two. */
export function figuresOf(values: readonly number[]): Figures | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined;
  return { median: (low + high) / 2, min, max };
}

/** One line of the result. */
export interface Summary {
  readonly change: ChangeKind;
  readonly arm: Arm;
  readonly rounds: number;
  readonly seconds: Figures;
  /** Of the whole `pulumi up`; absent where nobody ran one. */
  readonly upSeconds?: Figures;
  /** Sums over all rounds. */
  readonly torStarts: number;
  readonly onionbalanceStarts: number;
}

/** A line for each change and arm that was measured at all. */
export function summarize(measured: readonly Measured[]): Summary[] {
  return CHANGES.flatMap((change) => ARMS.map((arm) => ({ change, arm }))).flatMap(({ change, arm }) => {
    const mine = measured.filter((one) => one.change === change && one.arm === arm);
    const seconds = figuresOf(mine.map((one) => one.seconds));
    if (seconds === undefined) return [];
    const upSeconds = figuresOf(mine.map((one) => one.upSeconds).filter((up) => up !== null));
    return {
      ...{ change, arm, rounds: mine.length, seconds },
      ...(upSeconds === undefined ? {} : { upSeconds }),
      torStarts: mine.reduce((sum, one) => sum + one.torStarts, 0),
      onionbalanceStarts: mine.reduce((sum, one) => sum + one.onionbalanceStarts, 0),
    };
  });
}

/** The summary as a table in Markdown, the same for a terminal and for README.md. */
export function summaryTable(summaries: readonly Summary[]): string {
  const three = (figures: Figures | undefined): string =>
    figures === undefined
      ? "-"
      : `${figures.median.toFixed(1)} (${figures.min.toFixed(1)} - ${figures.max.toFixed(1)})`;
  const head = ["change", "by", "rounds", "seconds until published", "whole `up`", "tors started anew"];
  const rows = [
    [...head, "Onionbalance started anew"],
    ...summaries.map(({ change, arm, rounds, seconds, upSeconds, torStarts, onionbalanceStarts }) =>
      [change, arm, rounds, three(seconds), three(upSeconds), torStarts, onionbalanceStarts].map(String),
    ),
  ];
  const widths = (rows[0] ?? []).map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = rows;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
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
