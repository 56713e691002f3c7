import { figuresOf, markdown, spread } from "./figures";
import { KINDS, type Kind, type Use } from "./startProcesses";

/** A preview of a stack that is not there yet; of one in which nothing changes; an `up` that changes a line of each worker's nginx. */
export const RUNS = ["first", "same", "one line"] as const;
export type Run = (typeof RUNS)[number];

/** One of them. */
export interface Row {
  /** From 1 on. */
  readonly round: number;
  readonly sites: number;
  readonly hosts: number;
  readonly run: Run;
  /** Of the whole command. */
  readonly seconds: number;
  /** By kind of process: seconds of processor, and when the first one began. */
  readonly use: Readonly<Record<Kind, Use>>;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** A preview of the biggest stack in which nothing changes takes less than so many seconds. */
export const GOAL = { sites: 100, hosts: 30, seconds: 5 } as const;

const median = (values: readonly number[]): string => {
  const figures = figuresOf(values.filter((value) => !Number.isNaN(value)));
  return figures === undefined ? "-" : figures.median.toFixed(1);
};

/** Groups in the order in which they first came. */
function groups(rows: readonly Row[]): Row[][] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const name = `${row.run} ${row.sites} ${row.hosts}`;
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return [...found.values()];
}

/** A line for each size and run. */
export function table(rows: readonly Row[]): string {
  const head = [
    "run",
    "sites",
    "hosts",
    "rounds",
    "seconds",
    ...KINDS.map((kind) => `${kind}, CPU s`),
    "program begins, s",
  ];
  const lines = groups(rows).map((its) => {
    const [{ run, sites, hosts }] = its as [Row];
    const cpu = KINDS.map((kind) => median(its.map(({ use }) => use[kind].cpu)));
    const seconds = spread(figuresOf(its.map((row) => row.seconds)));
    return [run, sites, hosts, its.length, seconds, ...cpu, median(its.map(({ use }) => use.program.began))];
  });
  return markdown(head, lines);
}

/** The median of one size and run; undefined when it was not measured. */
const secondsOf = (rows: readonly Row[], wanted: Pick<Row, "run" | "sites" | "hosts">): number | undefined =>
  figuresOf(
    rows
      .filter(({ run, sites, hosts }) => run === wanted.run && sites === wanted.sites && hosts === wanted.hosts)
      .map(({ seconds }) => seconds),
  )?.median;

/** Whether the goal was met; undefined when it was not measured. */
export function verdict(rows: readonly Row[]): string | undefined {
  const { sites, hosts } = GOAL;
  const seconds = secondsOf(rows, { run: "same", sites, hosts });
  if (seconds === undefined) return undefined;
  const what = `nothing changes, ${sites} sites, ${hosts} hosts: ${seconds.toFixed(1)} s`;
  return `${seconds < GOAL.seconds ? "met" : "MISSED"}: ${what} (goal: less than ${GOAL.seconds} s)`;
}

/** How much longer a changed line takes with the most hosts than with one, as far as it is the deployer's part; undefined when it was not measured. */
export function growth(rows: readonly Row[]): string | undefined {
  const [one, many] = [1, GOAL.hosts].map((hosts) => secondsOf(rows, { run: "one line", sites: 1, hosts }));
  if (one === undefined || many === undefined) return undefined;
  return `one line, 1 site: ${GOAL.hosts} hosts that pretend take ${(many / one).toFixed(2)} times as long as one`;
}

/** Everything that was measured. */
export function csv(rows: readonly Row[]): string {
  const uses = KINDS.flatMap((kind) => [`${kind.replace(" ", "_")}_cpu`, `${kind.replace(" ", "_")}_began`]);
  const head = ["run", "sites", "hosts", "round", "seconds", "load", ...uses];
  const lines = rows.map(({ run, sites, hosts, round, seconds, load, use }) => [
    ...[run, sites, hosts, round, seconds.toFixed(3), load.toFixed(2)],
    ...KINDS.flatMap((kind) => [
      use[kind].cpu.toFixed(2),
      Number.isNaN(use[kind].began) ? "" : use[kind].began.toFixed(2),
    ]),
  ]);
  return [head, ...lines].map((line) => `${line.join(",")}\n`).join("");
}
