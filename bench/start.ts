/**
 * `npm run bench:start [-- --rounds N] [--csv FILE]`: how long a `pulumi preview` takes by the number of sites and of hosts, where nothing
 * changes and where nothing is there yet, what an `up` takes that changes a line on each worker, and where the time of
 * a preview goes. The hosts pretend (startHosts.ts); engine, program and plugins do not.
 */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { stopwatch } from "../lab/lab";
import type { LabStack } from "../lab/pulumi";
import { markdown } from "./figures";
import { benchOptions, UP, type BenchOptions } from "./options";
import { csv, growth, RUNS, table, verdict, type Row, type Run } from "./startFigures";
import { pretendHosts } from "./startHosts";
import { watched } from "./startProcesses";
import { partsOf, PARTS, type Profile } from "./startProfile";
import { Stacks, type Size } from "./startStack";

const SIZES: readonly Size[] = [
  { sites: 1, hosts: 1 },
  { sites: 10, hosts: 1 },
  { sites: 100, hosts: 1 },
  { sites: 1, hosts: 10 },
  { sites: 1, hosts: 30 },
  { sites: 10, hosts: 10 },
  { sites: 100, hosts: 30 },
];

const say = stopwatch();

/** A stack of a size, and the one of that size that is deployed. */
interface Pair {
  readonly size: Size;
  readonly stacks: Readonly<Record<"first" | "same", LabStack>>;
}

const ARGS = { first: ["preview"], same: ["preview"], "one line": UP } as const satisfies Record<
  Run,
  readonly string[]
>;

async function measure(stacks: Stacks, { size, stacks: pair }: Pair, run: Run, round: number): Promise<Row> {
  const load = loadavg()[0] ?? 0;
  const stack = run === "first" ? pair.first : pair.same;
  if (run === "one line") stacks.configure(stack, { ...size, line: `round ${round}` });
  let pid: number | undefined;
  const running = stacks.run(stack, ARGS[run], undefined, { onStart: (started) => (pid = started) });
  const use = await watched(() => pid, running);
  return { round, sites: size.sites, hosts: size.hosts, run, seconds: (await running).seconds, use, load };
}

/** A preview with the program's profile: slower, and told apart from those that are timed. */
async function profiled(stacks: Stacks, { size, stacks: { same } }: Pair): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "softmap-benchstart-"));
  try {
    const node = join(folder, "node");
    writeFileSync(node, `#!/bin/sh\nexec "${process.execPath}" --cpu-prof --cpu-prof-dir="${folder}" "$@"\n`);
    chmodSync(node, 0o755);
    await stacks.run(same, ["preview"], folder);
    // The program's is by far the biggest.
    const files = readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"));
    const [biggest = ""] = files.sort((a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size);
    const parts = partsOf(JSON.parse(readFileSync(join(folder, biggest), "utf8")) as Profile);
    return [String(size.sites), String(size.hosts), ...PARTS.map((part) => parts[part].toFixed(2))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function start({ rounds, file }: BenchOptions): Promise<void> {
  const pretended = await pretendHosts(Math.max(...SIZES.map(({ hosts }) => hosts)));
  const rows: Row[] = [];
  const profiles: string[][] = [];
  let stacks: Stacks | undefined;
  try {
    stacks = await Stacks.start(pretended, say);
    const pairs: Pair[] = [];
    for (const size of SIZES) {
      const first = await stacks.make(size, "first");
      const same = await stacks.make(size, "same");
      const { seconds } = await stacks.run(same, UP);
      await stacks.run(same, ["preview", "--expect-no-changes"]);
      say(`${size.sites} sites, ${size.hosts} hosts: deployed in ${seconds.toFixed(0)} s`);
      pairs.push({ size, stacks: { first, same } });
    }
    for (let round = 1; round <= rounds; round++)
      for (const pair of pairs)
        for (const run of RUNS) {
          const row = await measure(stacks, pair, run, round);
          rows.push(row);
          say(`round ${round}, ${run}, ${row.sites} sites, ${row.hosts} hosts: ${row.seconds.toFixed(1)} s`);
        }
    for (const pair of pairs) profiles.push(await profiled(stacks, pair));
  } finally {
    // What was measured before a failure is measured.
    if (file !== undefined) writeFileSync(file, csv(rows));
    if (rows.length > 0) console.log(`\n${table(rows)}\n`);
    if (profiles.length > 0)
      console.log(`The program alone, seconds:\n\n${markdown(["sites", "hosts", ...PARTS], profiles)}\n`);
    console.log(`${cpus().length} cores of ${cpus()[0]?.model ?? "?"}, Node ${process.version}`);
    for (const line of [verdict(rows), growth(rows)]) if (line !== undefined) console.log(line);
    stacks?.end();
    await pretended.close();
  }
}

const command = { command: "bench:start", file: "--csv" } as const;
start(benchOptions(command, process.argv.slice(2))).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
