import { csvOf, figuresOf, markdown, spread } from "./figures";
import type { Spent } from "./spent";

/** Who deploys. pyinfra and Ansible as their manuals have it: files one by one, and as archives, which are fewer tasks. */
export const ARMS = ["softmap", "pyinfra", "pyinfra, archives", "ansible, archives", "rsync + ssh"] as const;
export type Arm = (typeof ARMS)[number];

/** To empty hosts; one line of nginx's config; nothing at all. In this order on the same hosts. */
export const PHASES = ["first", "one line", "no change"] as const;
export type Phase = (typeof PHASES)[number];

/** What a deployment cost. */
export interface Cost extends Spent {
  /** The most ssh logins on one host. */
  readonly logins: number;
  /** Bytes of IP packets to the hosts' ssh and from it, all hosts together. */
  readonly sent: number;
  readonly received: number;
}

/** One deployment, measured. */
export interface Deployed extends Cost {
  /** From 1 on. */
  readonly round: number;
  /** "near", or "far": with delay and loss between deployer and hosts. */
  readonly link: "near" | "far";
  /** Number of hosts. */
  readonly hosts: number;
  readonly phase: Phase;
  readonly arm: Arm;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** So much more may the largest size take than the smallest. */
const GROWTH = 3;
/** Of the deployer, at the largest size. */
const MEMORY = 600e6;

/** All of a size, phase and arm. */
export function runsOf(all: readonly Deployed[], { hosts, phase, arm }: Pick<Deployed, "hosts" | "phase" | "arm">) {
  return all.filter((one) => one.hosts === hosts && one.phase === phase && one.arm === arm);
}

/** Numbers of hosts that were measured, the least first. */
export function sizesOf(all: readonly Deployed[]): number[] {
  return [...new Set(all.map(({ hosts }) => hosts))].sort((a, b) => a - b);
}

/** Median (least - most) of the seconds; one run has its own alone. */
function secondsOf(runs: readonly Deployed[]): string {
  const [one] = runs;
  return runs.length === 1 && one ? one.seconds.toFixed(1) : spread(figuresOf(runs.map(({ seconds }) => seconds)));
}

/** What has one column for all three deployments. */
const COLUMNS: readonly (readonly [title: string, value: (run: Deployed) => number, digits: number])[] = [
  ["CPU, s", (run) => run.cpu, 1],
  ["peak, MiB", (run) => run.peak / 2 ** 20, 0],
  ["logins a host", (run) => run.logins, 0],
  ["sent a host, KiB", (run) => run.sent / 1024 / run.hosts, 1],
  ["received a host, KiB", (run) => run.received / 1024 / run.hosts, 1],
];

/** A line for each size and arm that was measured: the seconds of each deployment, then medians, `first / one line / no change`. */
export function deployTable(all: readonly Deployed[]): string {
  const rows = sizesOf(all).flatMap((hosts) =>
    ARMS.flatMap((arm) => {
      const phases = PHASES.map((phase) => runsOf(all, { hosts, phase, arm }));
      // Files of several runs each count their rounds from one.
      const rounds = Math.max(...phases.map((runs) => runs.length));
      if (rounds === 0) return [];
      const medians = COLUMNS.map(([, value, digits]) =>
        phases.map((runs) => figuresOf(runs.map(value))?.median.toFixed(digits) ?? "-").join(" / "),
      );
      return [[String(hosts), arm, String(rounds), ...phases.map(secondsOf), ...medians]];
    }),
  );
  const seconds = PHASES.map((phase) => `${phase}, s`);
  return markdown(["hosts", "by", "rounds", ...seconds, ...COLUMNS.map(([title]) => title)], rows);
}

const median = (runs: readonly Deployed[]): number | undefined => figuresOf(runs.map((run) => run.seconds))?.median;

/** How much longer the largest size takes than the smallest, by the medians. Undefined where one of them was not measured, or is the other. */
export function growth(all: readonly Deployed[], arm: Arm, phase: Phase): number | undefined {
  const sizes = sizesOf(all);
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)];
  const [of, by] = [most, least].map((hosts) => median(runsOf(all, { hosts, phase, arm })));
  return least === most || of === undefined || by === undefined ? undefined : of / by;
}

/** The same as a table, an arm a line. */
export function growthTable(all: readonly Deployed[]): string {
  const sizes = sizesOf(all);
  const rows = ARMS.filter((arm) => all.some((one) => one.arm === arm)).map((arm) => [
    arm,
    ...PHASES.map((phase) => growth(all, arm, phase)?.toFixed(2) ?? "-"),
  ]);
  return markdown([`${sizes.at(-1) ?? 0} hosts / ${sizes[0] ?? 0}`, ...PHASES], rows);
}

/** What is wanted of softmap, a line each: met or MISSED, with the figures. */
export function goalLines(all: readonly Deployed[]): string[] {
  const line = (met: boolean, text: string): string => `${met ? "met" : "MISSED"}: ${text}`;
  const ours = (hosts: number, phase: Phase) => runsOf(all, { hosts, phase, arm: "softmap" });

  const faster = (["one line", "no change"] as const).flatMap((phase) =>
    sizesOf(all).flatMap((hosts) =>
      (["pyinfra", "pyinfra, archives"] as const).flatMap((arm) => {
        const [mine, its] = [median(ours(hosts, phase)), median(runsOf(all, { hosts, phase, arm }))];
        if (mine === undefined || its === undefined) return [];
        const figures = `softmap ${mine.toFixed(1)} s, ${arm} ${its.toFixed(1)} s`;
        return [line(mine < its, `${phase}, hosts: ${hosts}: ${figures} (goal: faster)`)];
      }),
    ),
  );

  const still = all.filter(({ arm, phase }) => arm === "softmap" && phase === "no change");
  // A connection that nobody logs in on has packets too.
  const opened = still.filter(({ sent, logins }) => sent > 0 || logins > 0).length;
  const silence = still.map(() => `no change: connections opened in ${opened} of ${still.length} runs (goal: none)`);

  const grown = PHASES.flatMap((phase) => {
    const times = growth(all, "softmap", phase);
    const sizes = sizesOf(all);
    const what = `${phase}: hosts: ${sizes.at(-1) ?? 0} take ${times?.toFixed(2) ?? "-"} times as long as ${sizes[0] ?? 0}`;
    return times === undefined ? [] : [line(times < GROWTH, `${what} (goal: less than ${GROWTH})`)];
  });

  const most = sizesOf(all).at(-1) ?? 0;
  const peaks = PHASES.flatMap((phase) => ours(most, phase)).map(({ peak }) => peak);
  const peak = Math.max(...peaks);
  const memory = `hosts: ${most}: at most ${(peak / 1e6).toFixed(0)} MB (goal: less than ${MEMORY / 1e6})`;
  return [
    ...faster,
    ...silence.slice(0, 1).map((text) => line(opened === 0, text)),
    ...grown,
    ...(peaks.length === 0 ? [] : [line(peak < MEMORY, memory)]),
  ];
}

const NAMES = [
  ...(["round", "link", "hosts", "phase", "arm", "seconds", "cpu", "peak"] as const),
  ...(["logins", "sent", "received", "load"] as const),
];

/** Everything measured, a line each. */
export const deployCsv = (all: readonly Deployed[]): string => csvOf(NAMES, all);

/** What {@link deployCsv} wrote, of any number of runs of the benchmark. @throws Error when it is another file */
export function fromCsv(text: string): Deployed[] {
  const [head, ...lines] = text.trimEnd().split("\n");
  if (head !== NAMES.join(",")) throw new Error(`not a file of bench:deploy: it begins with ${JSON.stringify(head)}`);
  // Numbers and quoted texts without quotes in them: each line is what JSON calls a list.
  return lines.map((line) => {
    const cells = JSON.parse(`[${line}]`) as unknown[];
    return Object.fromEntries(NAMES.map((name, n) => [name, cells[n]])) as unknown as Deployed;
  });
}

/** The order of the arms in a round: every round another one begins, so that nobody always comes after the same. */
export function turn<T>(all: readonly T[], round: number): T[] {
  const by = (round - 1) % Math.max(1, all.length);
  return [...all.slice(by), ...all.slice(0, by)];
}
