/**
 * `npm run bench:publication [-- --rounds N] [--json FILE]`: how long it takes until the descriptors in the network hold two backends more or
 * two less, by `pulumi up` and by Debian's Onionbalance with an edited file and SIGHUP, in turn, in one lab. See README.md.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { execOn, stopwatch } from "../lab/lab";
import { units } from "../plan/names";
import { Rehearsal } from "../tests/lab/fixture";
import {
  startedAnew,
  summarize,
  summaryTable,
  unitRuns,
  type Arm,
  type ChangeKind,
  type Measured,
  type UnitRuns,
} from "./figures";
import { benchOptions, type BenchOptions } from "./options";
import { reloadStock, servingConfig, startStock, stockJournal, stopStock, STOCK_SETTLES, STOCK_UNIT } from "./stock";
import { Watch } from "./watch";

const LAB = "benchpub";
const BALANCER = "balancer1";
const WORKERS = ["worker1", "worker2", "worker3"];
const LISTED: Readonly<Record<ChangeKind, readonly string[]>> = { add: WORKERS, remove: WORKERS.slice(0, 2) };
/** Seconds within which a change must be published: several times what either needs. */
const LIMIT = 300;
/** Seconds between two votes on the lab's consensus: Onionbalance also publishes when a new one comes. */
const CONSENSUS = 20;
/** A load average below this does not disturb two cores much; seconds that it is waited for. */
const QUIET = { load: 3, seconds: 120 };

const say = stopwatch();
const now = (): number => Date.now() / 1000;

interface Backend {
  readonly worker: string;
  readonly address: string;
}

class Benchmark {
  readonly measured: Measured[] = [];
  /** Onionbalance's config with and without the third worker, as softmap renders it. */
  private readonly configs = new Map<ChangeKind, string>();

  private constructor(
    private readonly rehearsal: Rehearsal,
    private readonly backends: readonly Backend[],
    private readonly watch: Watch,
  ) {}

  /** Deploys three workers with two daemons each, the third one's not listed, and begins to look. */
  static async start(rehearsal: Rehearsal): Promise<Benchmark> {
    configure(rehearsal, "remove");
    await rehearsal.up();
    const backends = await rehearsal.output<Backend[]>("backends");
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    const frontend = addresses["news"]?.["court.test"] ?? "";
    const watched = { frontend, backends: backends.map(({ address }) => address) };
    return new Benchmark(rehearsal, backends, await Watch.start(rehearsal.lab, BALANCER, watched));
  }

  async round(round: number): Promise<void> {
    for (const change of ["add", "remove"] as const) {
      await this.measure({ round, arm: "softmap", change }, units.onionbalance, () => this.up(change));
      this.configs.set(change, await servingConfig(this.rehearsal.lab, BALANCER));
    }
    const { lab } = this.rehearsal;
    let touched = now();
    await startStock(lab, BALANCER, this.configs.get("remove") ?? "");
    try {
      for (const change of ["add", "remove"] as const) {
        await wait(Math.max(0, touched + STOCK_SETTLES - now()) * 1000);
        await this.measure({ round, arm: "stock", change }, STOCK_UNIT, () => {
          touched = now();
          return this.reload(change);
        });
      }
    } catch (error) {
      console.error(await stockJournal(lab, BALANCER));
      throw error;
    }
    await stopStock(lab, BALANCER);
  }

  /** The packages that were measured, `name version`. */
  async versions(): Promise<string[]> {
    const query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", "onionbalance", "tor"];
    return (await execOn(this.rehearsal.lab, BALANCER, query)).text.split("\n");
  }

  async end(): Promise<void> {
    await this.watch.end();
  }

  /** One change at a random moment between two consensuses, from the other state as a whole, and who was started anew by it. */
  private async measure(
    what: { readonly round: number; readonly arm: Arm; readonly change: ChangeKind },
    unit: string,
    work: () => Promise<Pick<Measured, "seconds" | "upSeconds">>,
  ): Promise<void> {
    await wait(Math.random() * CONSENSUS * 1000);
    // On a test network Onionbalance takes every backend for dead whose descriptor it has had for 20 s, and at times publishes without some:
    // such a gap is no removal.
    await this.published(what.change === "add" ? "remove" : "add", now());
    const load = loadavg()[0] ?? 0;
    const before = await this.runs(unit);
    const took = await work();
    const after = await this.runs(unit);
    const starts = {
      torStarts: startedAnew(before.tors, after.tors),
      onionbalanceStarts: startedAnew(before.own, after.own),
    };
    this.measured.push({ ...what, ...took, ...starts, load });
    say(`round ${what.round}, ${what.arm} ${what.change}: ${took.seconds.toFixed(1)} s, load ${load.toFixed(1)}`);
  }

  /** By an edit of `listed` and `pulumi up`; from the start of its publish step. */
  private async up(change: ChangeKind): Promise<Pick<Measured, "seconds" | "upSeconds">> {
    configure(this.rehearsal, change);
    let began: number | undefined;
    const run = await this.rehearsal.pulumi(["up", "--yes", "--skip-preview"], {
      onLine: (line) => {
        if (new RegExp(`balancer-${BALANCER}-publish\\s+(creating|updating|replacing)`).test(line)) began ??= now();
      },
    });
    if (run.code !== 0) throw new Error(`pulumi up failed:\n${run.stderr}${run.stdout}`);
    if (began === undefined) throw new Error(`pulumi up has no publish step:\n${run.stdout}`);
    return { seconds: (await this.published(change, began)) - began, upSeconds: run.seconds };
  }

  /** By an edit of the file and SIGHUP; from the moment of the edit. */
  private async reload(change: ChangeKind): Promise<Pick<Measured, "seconds" | "upSeconds">> {
    const began = now();
    await reloadStock(this.rehearsal.lab, BALANCER, this.configs.get(change) ?? "");
    return { seconds: (await this.published(change, began)) - began, upSeconds: null };
  }

  private published(change: ChangeKind, since: number): Promise<number> {
    const planned = this.backends.filter(({ worker }) => LISTED[change].includes(worker));
    return this.watch.published(
      planned.map(({ address }) => address),
      since,
      LIMIT,
    );
  }

  /** All tors, and the Onionbalance that publishes. */
  private async runs(onionbalance: string): Promise<{ tors: UnitRuns; own: UnitRuns }> {
    const show = ["systemctl", "show", "-p", "Id,InvocationID,NRestarts,ActiveState"];
    const asked = async (host: string, unit: string) => {
      const runs = unitRuns((await execOn(this.rehearsal.lab, host, [...show, unit])).text);
      return [...runs].map(([id, run]) => [`${host} ${id}`, run] as const);
    };
    const tors = [
      ...(await Promise.all(WORKERS.map((host) => asked(host, units.tor("*"))))).flat(),
      ...(await asked(BALANCER, units.balancerTor)),
    ];
    const own = await asked(BALANCER, onionbalance);
    if (tors.length !== this.backends.length + 1 || own.length !== 1)
      throw new Error(`${tors.length} tors and ${own.length} Onionbalances run, not ${this.backends.length + 1} and 1`);
    return { tors: new Map(tors), own: new Map(own) };
  }
}

function configure(rehearsal: Rehearsal, change: ChangeKind): void {
  rehearsal.configure({
    hosts: { provider: "lab", name: LAB },
    balancers: 1,
    workers: WORKERS.length,
    listed: LISTED[change],
    protectKeys: false,
    retireGrace: "5s",
    projects: [{ name: "news", softmapTorWorkers: 2, sites: [{ domain: "court.test" }] }],
  });
}

/** The machine may be busy with other things: it is waited for, not for ever, and each change says the load that it met. */
async function quiet(): Promise<void> {
  const end = now() + QUIET.seconds;
  const load = (): number => loadavg()[0] ?? 0;
  while (load() >= QUIET.load && now() < end) await wait(5000);
  say(
    `load average ${load().toFixed(1)}${load() < QUIET.load ? "" : `: not below ${QUIET.load} in ${QUIET.seconds} s, going on`}`,
  );
}

async function publication({ rounds, file }: BenchOptions): Promise<void> {
  const rehearsal = await Rehearsal.start(LAB);
  let benchmark: Benchmark | undefined;
  try {
    benchmark = await Benchmark.start(rehearsal);
    await quiet();
    for (let round = 1; round <= rounds; round++) await benchmark.round(round);
  } finally {
    // What was measured before a failure is measured.
    const measured = benchmark?.measured ?? [];
    const summary = summarize(measured);
    const versions = (await benchmark?.versions()) ?? [];
    const result = { finished: new Date().toISOString(), versions, summary, measured };
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
    if (summary.length > 0) console.log(summaryTable(summary));
    await benchmark?.end();
    await rehearsal.end();
  }
}

const command = { command: "bench:publication", file: "--json" } as const;
publication(benchOptions(command, process.argv.slice(2))).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
