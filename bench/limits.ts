/**
 * `npm run bench:limits [-- --csv FILE]`: stacks of up to 100 workers and 1000 sites, until something breaks: resources, bytes of state, seconds
 * of a preview, memory, ssh logins. The hosts pretend (startHosts.ts); the plan, the engine and the plugins do not.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { stopwatch } from "../lab/lab";
import { commandOf } from "../lab/pulumi";
import { budgetProblems } from "../plan/budget";
import { csv, resourcesIn, table, type Row } from "./limitsFigures";
import { benchOptions, UP, type BenchOptions } from "./options";
import { pretendHosts, type PretendedHosts } from "./startHosts";
import { spentOn } from "./spent";
import { Stacks } from "./startStack";

const WORKERS = [10, 30, 100] as const;
const SITES = [10, 100, 1000] as const;
/** Too big for an `up` on hosts that share this machine: its first preview alone. */
const BIGGEST = { workers: 100, sites: 1000 } as const;
/** What one command may take, in seconds: who waits longer for a preview does something else meanwhile, and a first deployment is once. */
const PATIENCE = { preview: 240, up: 1200 } as const;

/** A row while it is measured. */
type Filling = { -readonly [Key in keyof Row]: Row[Key] };

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

class Limits {
  readonly rows: Row[] = [];

  constructor(
    private readonly stacks: Stacks,
    private readonly pretended: PretendedHosts,
    private readonly file: string | undefined,
  ) {}

  /** One size, as far as it goes. */
  async measure(workers: number, sites: number): Promise<void> {
    const row: Filling = { workers, sites, daemons: daemonsFor(workers), broke: "" };
    this.rows.push(row);
    try {
      await this.fill(row);
    } catch (error) {
      const lines = (error as Error).message.split("\n").filter((line) => line.trim() !== "");
      row.broke = (lines.find((line) => line.includes("error:")) ?? lines[0] ?? "").trim().slice(0, 200);
    }
    say(`${workers} workers, ${sites} sites: ${JSON.stringify(row)}`);
    // What was measured before a failure is measured.
    if (this.file !== undefined) writeFileSync(this.file, csv(this.rows));
  }

  private async fill(row: Filling): Promise<void> {
    const { stacks, pretended } = this;
    const { workers, sites, daemons } = row;
    const stack = await stacks.make({ sites, hosts: workers + 1, daemons }, "limits");
    const first = await spentOn(commandOf(stack, ["preview"]), PATIENCE.preview);
    row.firstSeconds = first.seconds;
    row.resources = resourcesIn(first.output);
    if (workers === BIGGEST.workers && sites === BIGGEST.sites) return;

    let logins = pretended.logins();
    const up = await spentOn(commandOf(stack, UP), PATIENCE.up);
    Object.assign(row, { upSeconds: up.seconds, upPeak: up.peak, upLogins: pretended.logins() - logins });
    row.stateBytes = Buffer.byteLength((await stacks.run(stack, ["stack", "export"])).stdout);

    logins = pretended.logins();
    const same = await spentOn(commandOf(stack, ["preview", "--expect-no-changes"]), PATIENCE.preview);
    Object.assign(row, { sameSeconds: same.seconds, samePeak: same.peak, sameLogins: pretended.logins() - logins });
  }
}

async function limits({ file }: BenchOptions): Promise<void> {
  const pretended = await pretendHosts(Math.max(...WORKERS) + 1);
  let stacks: Stacks | undefined;
  let measured: Limits | undefined;
  try {
    stacks = await Stacks.start(pretended, say);
    measured = new Limits(stacks, pretended, file);
    for (const workers of WORKERS) await measured.measure(workers, SITES[0]);
    for (const sites of SITES.slice(1)) await measured.measure(WORKERS[0], sites);
    await measured.measure(BIGGEST.workers, BIGGEST.sites);
  } finally {
    const rows = measured?.rows ?? [];
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
