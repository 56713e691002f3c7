/**
 * `npm run bench:load [-- --rounds N] [--csv FILE]`: requests a second through Tor by workers and tor daemons, and which process takes how much of
 * which core for them. In a lab of its own; see README.md.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { BIG_PAGE, execOn, stopwatch } from "../lab/lab";
import { Rehearsal } from "../tests/lab/fixture";
import { Clients, type Visit } from "./loadClients";
import {
  costTable,
  daemonsTable,
  KINDS,
  loadCsv,
  requestsIn,
  speedTable,
  threadLines,
  type Kind,
  type Point,
} from "./loadFigures";
import { rootsOf, sample, usedBetween, type Part } from "./loadProcesses";
import { benchOptions } from "./options";

const LAB = "benchload";
const WORKERS = ["worker1", "worker2", "worker3"];
/** A project for each number of tor daemons, so that no daemon starts or stops between two measurements. */
const PROJECTS = [
  { daemons: 1, name: "one", domain: "www.daily.test" },
  { daemons: 2, name: "two", domain: "court.test" },
  { daemons: 4, name: "four", domain: "tips.test" },
] as const;
/** Tors of the visitors: so many that none of them has a core full while others wait. */
const CLIENTS = 4;
/** What is fetched, and by how many visitors of each tor: so many that the cores are full, not the visitors' waiting. */
const VISITS: Readonly<Record<Kind, Omit<Visit, "site">>> = {
  visit: { path: "/", bytes: 0, fresh: true, visitors: 24 },
  page: { path: "/", bytes: 0, fresh: false, visitors: 60 },
  big: { ...BIG_PAGE, fresh: false, visitors: 6 },
};
/** Seconds: visitors find the site and their circuits; what is measured; of nobody. */
const SECONDS = { warm: 5, measure: 8, idle: 10 };

const say = stopwatch();

class Benchmark {
  readonly points: Point[] = [];

  private constructor(
    private readonly rehearsal: Rehearsal,
    private readonly sites: Readonly<Record<string, string>>,
    private readonly clients: Clients,
    private readonly measured: (points: readonly Point[]) => void,
  ) {}

  /** @param measured called after each interval with all so far */
  static async start(rehearsal: Rehearsal, measured: (points: readonly Point[]) => void): Promise<Benchmark> {
    list(rehearsal, WORKERS.length);
    await rehearsal.up();
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    const sites = PROJECTS.map(({ name, domain }) => [name, addresses[name]?.[domain] ?? ""] as const);
    const clients = await Clients.start(rehearsal.lab, CLIENTS);
    return new Benchmark(rehearsal, Object.fromEntries(sites), clients, measured);
  }

  /** Every shape once; the numbers of daemons in another order each round. */
  async round(round: number): Promise<void> {
    for (let workers = 1; workers <= WORKERS.length; workers++) {
      list(this.rehearsal, workers);
      await this.rehearsal.up();
      if (workers === 1) await this.measure({ round, workers, daemons: 0, kind: "idle" });
      for (const n of PROJECTS.keys()) {
        const project = PROJECTS[(n + round) % PROJECTS.length];
        if (project === undefined) continue;
        const { name, daemons } = project;
        const site = this.sites[name] ?? "";
        for (const kind of KINDS) {
          await this.clients.begin({ site, ...VISITS[kind] });
          await this.measure({ round, workers, daemons, kind });
          await this.clients.stop();
        }
      }
    }
  }

  async end(): Promise<void> {
    await this.clients.end();
  }

  private async measure(what: Pick<Point, "round" | "workers" | "daemons" | "kind">): Promise<void> {
    const roots = await rootsOf(this.rehearsal.lab);
    await wait(SECONDS.warm * 1000);
    const load = loadavg()[0] ?? 0;
    const before = sample();
    await wait((what.kind === "idle" ? SECONDS.idle : SECONDS.measure) * 1000);
    const after = sample();
    const used = usedBetween(before, after, roots);
    // of nobody there are none since the last stop
    const requests = what.kind === "idle" ? [] : this.clients.requests;
    const point = { ...what, ...requestsIn(requests, before.at, after.at), used, load };
    this.points.push(point);
    this.measured(this.points);
    const share = (seconds: number): string => `${((100 * seconds) / used.seconds).toFixed(0)} %`;
    const lab = Object.values(used.parts).reduce((sum, part) => sum + part, 0);
    const loop = (part: Part): string => share(used.busiest[part].loop * used.seconds);
    say(
      `round ${what.round}, ${what.workers} x ${what.daemons}, ${what.kind}: ${(point.requests / used.seconds).toFixed(1)}/s, ${point.failed} failed, ` +
        `lab ${share(lab)} of a core, else ${share(used.others)}, busiest worker tor ${loop("worker tor")}, client tor ${loop("client tors")}`,
    );
  }
}

/** All workers run all the time; so many are published. */
function list(rehearsal: Rehearsal, workers: number): void {
  rehearsal.configure({
    ...{ hosts: { provider: "lab", name: LAB }, balancers: 1, workers: WORKERS.length },
    ...{ listed: WORKERS.slice(0, workers), protectKeys: false, retireGrace: "0s" },
    projects: PROJECTS.map(({ name, daemons, domain }) => ({ name, softmapTorWorkers: daemons, sites: [{ domain }] })),
  });
}

/** The machine and the packages that were measured. */
async function describe({ lab }: Rehearsal): Promise<string> {
  const query = ["dpkg-query", "-W", "-f", "${Package} ${Version}  ", "tor", "nginx"];
  return `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores; ${(await execOn(lab, "worker1", query)).text.trim()}`;
}

async function main(args: readonly string[]): Promise<void> {
  const { rounds, file } = benchOptions({ command: "bench:load", file: "--csv" }, args);
  const rehearsal = await Rehearsal.start(LAB);
  let benchmark: Benchmark | undefined;
  try {
    benchmark = await Benchmark.start(rehearsal, (points) => {
      // what was measured before a failure is measured
      if (file !== undefined) writeFileSync(file, loadCsv(points));
    });
    for (let round = 1; round <= rounds; round++) await benchmark.round(round);
    console.log(await describe(rehearsal));
  } finally {
    const points = benchmark?.points ?? [];
    if (points.length > 0)
      console.log(
        `\n${[speedTable(points), costTable(points), threadLines(points).join("\n"), daemonsTable(points)].join("\n\n")}`,
      );
    await benchmark?.end();
    await rehearsal.end();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
