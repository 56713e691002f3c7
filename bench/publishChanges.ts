import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { execOn, type Lab } from "../lab/lab";
import { units } from "../plan/names";
import { startedAnew, unitRuns, type Change, type Row, type UnitRuns } from "./publishFigures";
import { BenchStack, type Backend } from "./publishStack";
import { reloadStock, servingConfig, startStock, stockJournal, STOCK_UNIT } from "./stock";
import { Watch } from "./watch";

/** Seconds within which a change must be published: several times what either needs. */
const LIMIT = 300;
/**
 * A change begins at a random moment so many seconds long. A consensus comes every 20 s or some more, and makes Onionbalance publish: stock's changes
 * begin anywhere between two. An `up` comes to its publish step after seconds that are never the same, so that less spreads softmap's as well.
 */
const RANDOM: Readonly<Record<Row["by"], number>> = { stock: 20, softmap: 5 };
const CHANGES = ["add", "remove"] as const;
const OTHER = { add: "remove", remove: "add" } as const;
/** Of each lane: two workers are listed all the time, the third comes and goes. */
const OWN_WORKERS = ["worker1", "worker2", "worker3"];
const STOCK_WORKERS = ["stock-worker1", "stock-worker2", "stock-worker3"];

/** The sites that Debian's own Onionbalance publishes, each on a balancer of its own: its changes last longer, two lanes keep up with softmap. */
const STOCK_LANES = [
  { balancer: "stock-balancer1", project: "daily", domain: "www.daily.test" },
  { balancer: "stock-balancer2", project: "tips", domain: "tips.test" },
] as const;

type Switched = Exclude<Change, "first">;
type Took = Pick<Row, "published" | "publication" | "up">;

const now = (): number => Date.now() / 1000;

/** One site whose third worker's backends are added and removed, again and again. */
export interface Lane {
  readonly by: Row["by"];
  /** Both changes once. */
  round(run: number): Promise<Row[]>;
  end(): Promise<void>;
}

/** What both kinds of lanes have: a balancer, the backends that come and go, and somebody who looks at the directories. */
class Site {
  private constructor(
    private readonly lab: Lab,
    readonly balancer: string,
    readonly backends: readonly Backend[],
    private readonly watch: Watch,
  ) {}

  static async of(lab: Lab, balancer: string, frontend: string, backends: readonly Backend[]): Promise<Site> {
    const watch = await Watch.start(lab, balancer, { frontend, backends: backends.map(({ address }) => address) });
    return new Site(lab, balancer, backends, watch);
  }

  /** Those that are listed after the change; the third worker's name ends with 3. */
  planned(change: Switched): Backend[] {
    return this.backends.filter(({ worker }) => change === "add" || !worker.endsWith("3"));
  }

  published(change: Switched, since: number): Promise<number> {
    return this.watch.published(
      this.planned(change).map(({ address }) => address),
      since,
      LIMIT,
    );
  }

  /** One change at a random moment, from the other state as a whole, and who was started anew by it. */
  async measure(
    what: Pick<Row, "run" | "by"> & { readonly change: Switched },
    unit: string,
    work: () => Promise<Took>,
  ) {
    const since = now();
    await wait(Math.random() * RANDOM[what.by] * 1000);
    // On a test network Onionbalance takes every backend for dead whose descriptor it has had for 20 s, and at times publishes without some: such a
    // gap is no removal. The looks of the last two seconds count.
    await this.published(OTHER[what.change], Math.max(since, now() - 2));
    const load = loadavg()[0] ?? 0;
    const before = await this.runs(unit);
    const took = await work();
    const after = await this.runs(unit);
    const torStarts = startedAnew(before.tors, after.tors);
    const onionbalanceStarts = startedAnew(before.own, after.own);
    return { ...what, ...took, page: null, torStarts, onionbalanceStarts, load };
  }

  async end(): Promise<void> {
    await this.watch.end();
  }

  /** All tors, and the Onionbalance that publishes. */
  private async runs(onionbalance: string): Promise<{ tors: UnitRuns; own: UnitRuns }> {
    const show = ["systemctl", "show", "-p", "Id,InvocationID,NRestarts,ActiveState"];
    const asked = async (host: string, unit: string) => {
      const runs = unitRuns((await execOn(this.lab, host, [...show, unit])).text);
      return [...runs].map(([id, run]) => [`${host} ${id}`, run] as const);
    };
    const workers = [...new Set(this.backends.map(({ worker }) => worker))];
    const tors = (
      await Promise.all([
        ...workers.map((host) => asked(host, units.tor("*"))),
        asked(this.balancer, units.balancerTor),
      ])
    ).flat();
    const own = await asked(this.balancer, onionbalance);
    if (tors.length <= this.backends.length || own.length !== 1)
      throw new Error(`${tors.length} tors and ${own.length} Onionbalances run for ${this.backends.length} backends`);
    return { tors: new Map(tors), own: new Map(own) };
  }
}

/** By softmap: an edit of `listed`, then `pulumi up`. */
export async function softmapLane(lab: Lab): Promise<Lane> {
  const balancer = "balancer1";
  const stack = await BenchStack.start(lab, "softmap");
  const configure = (change: Switched): void =>
    stack.configure({
      ...{ balancers: [balancer], workers: OWN_WORKERS },
      listed: change === "add" ? OWN_WORKERS : OWN_WORKERS.slice(0, 2),
      projects: [{ name: "news", softmapTorWorkers: 2, sites: [{ domain: "court.test" }] }],
    });
  configure("remove");
  await stack.up();
  const addresses = await stack.output<Record<string, Record<string, string>>>("addresses");
  const frontend = addresses["news"]?.["court.test"] ?? "";
  const site = await Site.of(lab, balancer, frontend, await stack.output<Backend[]>("backends"));

  const up = async (change: Switched): Promise<Took> => {
    configure(change);
    const step = new RegExp(`balancer-${balancer}-publish\\s+(creating|updating|replacing)`);
    const began = now();
    let stepped: number | undefined;
    const run = await stack.up((line) => {
      if (step.test(line)) stepped ??= now();
    });
    if (stepped === undefined) throw new Error(`pulumi up has no publish step:\n${run.stdout}`);
    const at = await site.published(change, stepped);
    return { published: at - began, publication: at - stepped, up: run.seconds };
  };
  return {
    by: "softmap",
    round: async (run) => {
      const rows: Row[] = [];
      for (const change of CHANGES)
        rows.push(await site.measure({ run, by: "softmap", change }, units.onionbalance, () => up(change)));
      return rows;
    },
    end: async () => {
      await site.end();
      stack.end();
    },
  };
}

/**
 * By Debian's Onionbalance as it is: an edit of its file, then SIGHUP. Machines, tors, keys and files are those of a stack of softmap, whose own
 * publishers are stopped. A reload runs in the signal's handler, whatever Onionbalance is doing: it fetches, waits 45 s and publishes
 * (hs_v3/manager.py, common/scheduler.py). It does so alike from the main loop and from the 45 s of sleep at the end of the last reload, so nobody
 * waits until that is over. So that reloads do not pile up it is started anew each round.
 */
export async function stockLanes(lab: Lab): Promise<Lane[]> {
  const stack = await BenchStack.start(lab, "stock");
  stack.configure({
    ...{ balancers: STOCK_LANES.map(({ balancer }) => balancer), workers: STOCK_WORKERS },
    projects: STOCK_LANES.map(({ project, domain }) => ({ name: project, softmapTorWorkers: 2, sites: [{ domain }] })),
  });
  await stack.up();
  const addresses = await stack.output<Record<string, Record<string, string>>>("addresses");
  const backends = await stack.output<Backend[]>("backends");
  // all of them first: a publisher that still runs would publish the other lanes' sites
  const served = await Promise.all(STOCK_LANES.map(({ balancer }) => servingConfig(lab, balancer)));
  for (const { balancer } of STOCK_LANES) await execOn(lab, balancer, ["systemctl", "stop", units.onionbalance]);
  stack.end();
  return Promise.all(
    STOCK_LANES.map(async ({ balancer, project, domain }, n) => {
      const mine = backends.filter(({ name }) => new RegExp(`(^|-)${project}-`).test(name));
      const site = await Site.of(lab, balancer, addresses[project]?.[domain] ?? "", mine);
      const config = (change: Switched) => only(served[n] ?? "", site.planned(change));
      return stockLane(lab, site, config);
    }),
  );
}

async function stockLane(lab: Lab, site: Site, config: (change: Switched) => string): Promise<Lane> {
  const { balancer } = site;
  await startStock(lab, balancer, config("remove"));
  const reload = async (change: Switched): Promise<Took> => {
    const began = now();
    await reloadStock(lab, balancer, config(change));
    const seconds = (await site.published(change, began)) - began;
    return { published: seconds, publication: seconds, up: null };
  };
  const round = async (run: number): Promise<Row[]> => {
    if (run > 1) await startStock(lab, balancer, config("remove"));
    const rows: Row[] = [];
    for (const change of CHANGES)
      rows.push(await site.measure({ run, by: "stock", change }, STOCK_UNIT, () => reload(change)));
    return rows;
  };
  return {
    by: "stock",
    round: (run) =>
      round(run).catch(async (error: unknown) => {
        console.error(await stockJournal(lab, balancer));
        throw error;
      }),
    end: () => site.end(),
  };
}

interface OnionbalanceConfig {
  readonly services: readonly { readonly key: string; readonly instances: readonly { readonly address: string }[] }[];
}

/** Onionbalance's config with these backends alone, and without sites that have none of them. */
export function only(text: string, backends: readonly Pick<Backend, "address">[]): string {
  const bare = (address: string): string => address.replace(/\.onion$/, "");
  const wanted = new Set(backends.map(({ address }) => bare(address)));
  const config = parse(text) as OnionbalanceConfig;
  const services = config.services.map((service) => ({
    ...service,
    instances: service.instances.filter(({ address }) => wanted.has(bare(address))),
  }));
  return stringify({ ...config, services: services.filter(({ instances }) => instances.length > 0) });
}
