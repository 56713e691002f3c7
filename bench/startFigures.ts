import { figuresOf, markdown } from "./figures";
import { KINDS, type Kind, type Use } from "./startProcesses";

/** Which preview: of a stack that is not there yet, or of one in which nothing changes. */
export const PREVIEWS = ["first", "same"] as const;
export type Preview = (typeof PREVIEWS)[number];

/** One `pulumi preview`. */
export interface Row {
  /** From 1 on. */
  readonly round: number;
  readonly sites: number;
  readonly hosts: number;
  readonly preview: Preview;
  /** Of the whole command. */
  readonly seconds: number;
  /** By kind of process: seconds of processor, and when the first one began. */
  readonly use: Readonly<Record<Kind, Use>>;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** A preview of the biggest stack in which nothing changes takes less than so many seconds. */
export const GOAL = { sites: 100, hosts: 30, seconds: 5 } as const;

const three = (values: readonly number[]): string => {
  const figures = figuresOf(values);
  return figures === undefined
    ? "-"
    : `${figures.median.toFixed(1)} (${figures.min.toFixed(1)} - ${figures.max.toFixed(1)})`;
};
const median = (values: readonly number[]): string => {
  const figures = figuresOf(values.filter((value) => !Number.isNaN(value)));
  return figures === undefined ? "-" : figures.median.toFixed(1);
};

/** Groups in the order in which they first came. */
function groups(rows: readonly Row[]): Row[][] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${row.preview} ${row.sites} ${row.hosts}`;
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return [...found.values()];
}

/** A line for each size and preview. */
export function table(rows: readonly Row[]): string {
  const head = [
    "preview",
    "sites",
    "hosts",
    "rounds",
    "seconds",
    ...KINDS.map((kind) => `${kind}, CPU s`),
    "program begins, s",
  ];
  const lines = groups(rows).map((its) => {
    const [{ preview, sites, hosts }] = its as [Row];
    const cpu = KINDS.map((kind) => median(its.map(({ use }) => use[kind].cpu)));
    const seconds = three(its.map((row) => row.seconds));
    return [preview, sites, hosts, its.length, seconds, ...cpu, median(its.map(({ use }) => use.program.began))];
  });
  return markdown(head, lines);
}

/** Whether the goal was met; undefined when it was not measured. */
export function verdict(rows: readonly Row[]): string | undefined {
  const its = rows.filter(
    ({ sites, hosts, preview }) => sites === GOAL.sites && hosts === GOAL.hosts && preview === "same",
  );
  const figures = figuresOf(its.map(({ seconds }) => seconds));
  if (figures === undefined) return undefined;
  const what = `nothing changes, ${GOAL.sites} sites, ${GOAL.hosts} hosts: ${figures.median.toFixed(1)} s`;
  return `${figures.median < GOAL.seconds ? "met" : "MISSED"}: ${what} (goal: less than ${GOAL.seconds} s)`;
}

/** Everything that was measured. */
export function csv(rows: readonly Row[]): string {
  const uses = KINDS.flatMap((kind) => [`${kind.replace(" ", "_")}_cpu`, `${kind.replace(" ", "_")}_began`]);
  const head = ["preview", "sites", "hosts", "round", "seconds", "load", ...uses];
  const lines = rows.map(({ preview, sites, hosts, round, seconds, load, use }) => [
    ...[preview, sites, hosts, round, seconds.toFixed(3), load.toFixed(2)],
    ...KINDS.flatMap((kind) => [
      use[kind].cpu.toFixed(2),
      Number.isNaN(use[kind].began) ? "" : use[kind].began.toFixed(2),
    ]),
  ]);
  return [head, ...lines].map((line) => `${line.join(",")}\n`).join("");
}
