/**
 * `npm run bench:limits [-- --csv FILE]`: stacks of up to 100 workers and 1000 sites, until something breaks: resources, bytes of state, seconds
 * of a preview, ssh logins. The hosts pretend (startHosts.ts); the plan, the engine and the plugins do not.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { stopwatch } from "../lab/lab";
import type { LabStack, PulumiRun } from "../lab/pulumi";
import { budgetProblems } from "../plan/budget";
import { csv, resourcesIn, table, type Row } from "./limitsFigures";
import { benchOptions, type BenchOptions } from "./options";
import { pretendHosts, type PretendedHosts } from "./startHosts";
import { endAll } from "./startProcesses";
import { Stacks } from "./startStack";

const WORKERS = [10, 30, 100] as const;
const SITES = [10, 100, 1000] as const;
/** What one command may take, in seconds: who waits longer for a preview does something else meanwhile. */
const PATIENCE = 240;

const say = stopwatch();

/** The most daemons on each worker, of the usual two, that the plan has no objection to; what it objects to is said. */
function daemonsFor(workers: number): number {
  for (const daemons of [2, 1]) {
    const [problem] = budgetProblems({ name: "news", softmapTorWorkers: daemons }, workers);
    if (problem === undefined) return daemons;
    say(`${workers} workers with ${daemons} daemons each: the plan refuses them. ${problem.message} ${problem.next}`);
  }
  return 1;
}

/** `pulumi ARGS`, stopped when patience ends. */
async function patiently(stacks: Stacks, stack: LabStack, args: readonly string[]): Promise<PulumiRun> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const onStart = (pid: number): void => {
    timer = setTimeout(() => {
      late = true;
      endAll(pid);
    }, PATIENCE * 1000);
  };
  try {
    return await stacks.run(stack, args, undefined, { onStart });
  } catch (error) {
    throw late ? new Error(`pulumi ${args[0] ?? ""} does not end in ${PATIENCE} s`) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function measure(stacks: Stacks, pretended: PretendedHosts, workers: number, sites: number): Promise<Row> {
  const daemons = daemonsFor(workers);
  let row: Row = { workers, sites, daemons, broke: "" };
  try {
    const stack = await stacks.make({ sites, hosts: workers + 1, daemons }, "limits");
    const first = await patiently(stacks, stack, ["preview"]);
    const resources = resourcesIn(first.stdout);
    row = { ...row, firstSeconds: first.seconds, ...(resources === undefined ? {} : { resources }) };
    let before = pretended.logins();
    const up = await patiently(stacks, stack, ["up", "--yes", "--skip-preview"]);
    row = { ...row, upSeconds: up.seconds, upLogins: pretended.logins() - before };
    const state = await stacks.run(stack, ["stack", "export"]);
    row = { ...row, stateBytes: Buffer.byteLength(state.stdout) };
    before = pretended.logins();
    const same = await patiently(stacks, stack, ["preview", "--expect-no-changes"]);
    row = { ...row, sameSeconds: same.seconds, sameLogins: pretended.logins() - before };
  } catch (error) {
    const lines = (error as Error).message.split("\n").filter((line) => line.trim() !== "");
    row = { ...row, broke: (lines.find((line) => line.includes("error:")) ?? lines[0] ?? "").trim().slice(0, 200) };
  }
  say(`${workers} workers, ${sites} sites: ${JSON.stringify(row)}`);
  return row;
}

async function limits({ file }: BenchOptions): Promise<void> {
  const pretended = await pretendHosts(Math.max(...WORKERS) + 1);
  const rows: Row[] = [];
  let stacks: Stacks | undefined;
  try {
    stacks = await Stacks.start(pretended, say);
    for (const workers of WORKERS) rows.push(await measure(stacks, pretended, workers, SITES[0]));
    for (const sites of SITES.slice(1)) rows.push(await measure(stacks, pretended, WORKERS[0], sites));
  } finally {
    // What was measured before a failure is measured.
    if (file !== undefined) writeFileSync(file, csv(rows));
    if (rows.length > 0) console.log(`\n${table(rows)}\n`);
    console.log(`${cpus().length} cores of ${cpus()[0]?.model ?? "?"}, Node ${process.version}`);
    stacks?.end();
    await pretended.close();
  }
}

const command = { command: "bench:limits", file: "--csv" } as const;
limits(benchOptions(command, process.argv.slice(2))).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
