// The planned changes of a stack in the lab, each an edit of its config, and what must be true of each beside that no request fails.
import assert from "node:assert/strict";
import { containersOf, fetchThroughTor } from "../../lab/lab";
import { Readers, inOrder, neverRestarted, runningOn, unread, unsaid, type Change, type Work } from "./changeKit";
import { Rehearsal, type Settings } from "./fixture";

/** A project of the stack: its domains, and other keys of the config. */
export type Project = Settings & { readonly domains: readonly string[] };

/** The stack as it is to be. */
export interface Plan {
  readonly balancers: readonly string[];
  readonly workers: readonly string[];
  readonly publishing?: readonly string[] | undefined;
  readonly listed?: readonly string[] | undefined;
  readonly projects: Readonly<Record<string, Project>>;
}

export interface PlannedOptions {
  /** Name of the lab and of the stack. */
  readonly name: string;
  /** Requests that each change must be seen by. */
  readonly requests: number;
  /** `retireGrace`, e.g. `20s`. */
  readonly grace: string;
}

/** Two workers with two daemons each, two sites. */
const first: Plan = {
  balancers: ["balancer1"],
  workers: ["worker1", "worker2"],
  projects: {
    news: { softmapTorWorkers: 2, backendHeader: true, domains: ["www.daily.test", "court.test"] },
  },
};

const up: readonly string[] = ["up", "--yes", "--skip-preview"];

/** A stack that is changed under load. Its methods are in the order of no test: each says what it needs. */
export class PlannedChanges {
  plan = first;
  private addresses = new Map<string, string>();
  private readonly readers: Readers;

  private constructor(
    readonly rehearsal: Rehearsal,
    private readonly options: PlannedOptions,
  ) {
    this.readers = new Readers(rehearsal, options.requests);
  }

  /** Starts the lab; nothing is deployed yet. */
  static async start(options: PlannedOptions): Promise<PlannedChanges> {
    return new PlannedChanges(await Rehearsal.start(options.name), options);
  }

  async end(): Promise<void> {
    await this.readers.end();
    await this.rehearsal.end();
  }

  /** Deploys the plan to nothing; then each site answers at once. */
  async deploy(): Promise<void> {
    this.configure();
    await unread(this.rehearsal, "first deploy", this.pulumi(up));
    await this.learn();
    await this.answerAtOnce([...this.addresses.keys()]);
  }

  /**
   * Edits the config and runs `up` while all sites that stay are read. Sites that go are read, too, until their grace is over; sites that
   * come answer at once.
   */
  async edit(title: string, edit: Partial<Plan>, note = ""): Promise<Change> {
    const before = this.domains();
    this.plan = { ...this.plan, ...edit };
    const [came, stay, go] = sorted(before, this.domains());
    await this.readers.read(stay.map((domain) => this.onion(domain)));
    this.configure();
    const leaving = go.map((domain) => this.onion(domain));
    try {
      return await this.readers.during(title, this.pulumi(up), { leaving, note });
    } finally {
      await this.learn(); // also after a failed request: the changes that follow are tested all the same
      await this.answerAtOnce(came);
    }
  }

  /** Runs something else than an edit and `up` while all sites are read. */
  async during(title: string, work: Work, note = ""): Promise<Change> {
    await this.readers.read(this.domains().map((domain) => this.onion(domain)));
    return this.readers.during(title, work, { note });
  }

  /** `pulumi ARGS` as work. */
  pulumi(args: readonly string[]): Work {
    return (onLine) => this.rehearsal.pulumi(args, { onLine });
  }

  /** What runs on all workers, or on these hosts. */
  runs(hosts: readonly string[] = this.plan.workers): Promise<Map<string, string>> {
    return runningOn(this.rehearsal.lab, hosts);
  }

  /** The plan's project news with other keys. */
  news(keys: Partial<Project>): Pick<Plan, "projects"> {
    const { news, ...others } = this.plan.projects;
    return { projects: { ...others, news: { ...(news ?? assert.fail()), ...keys } } };
  }

  /** Adds the worker of that name: proved on its own, and only then listed. No process of the others is touched. */
  async addWorker(name: string): Promise<void> {
    const before = await this.runs();
    const { workers } = this.plan;
    const title = `workers ${workers.length} -> ${workers.length + 1}`;
    const change = await this.edit(title, { workers: [...workers, name] });
    inOrder(
      change,
      new RegExp(`${name}: started softmap-tor@news-1-`),
      new RegExp(`${name}: \\d+ sites? answered through Tor at the own address of ${this.daemons()} backends?`),
      new RegExp(`${name}: release [0-9a-f]{12} is live`),
      new RegExp(`balancer1: court\\.test .*published with ${this.listed()} of ${this.listed()} backends`),
    );
    const { came, gone } = neverRestarted(before, await this.runs());
    assert.deepEqual(gone, []);
    assert.ok(came.length > 0 && came.every((unit) => unit.startsWith(`${name} `)), came.join());
    this.dialled(change, { balancer1: 1, ...Object.fromEntries(workers.map((worker) => [worker, 0])) });
  }

  /** Removes the last worker: published without it, waited for, drained, stopped; then the machine goes. */
  async removeLastWorker(): Promise<void> {
    const before = await this.runs();
    const workers = this.plan.workers.slice(0, -1);
    const name = this.plan.workers.at(-1) ?? "";
    const title = `workers ${workers.length + 1} -> ${workers.length}`;
    const change = await this.edit(title, { workers }, `${name} is gone, and with it the count of its last login`);
    inOrder(
      change,
      new RegExp(`balancer1: court\\.test .*published with ${this.listed()} of ${this.listed()} backends`),
      new RegExp(`balancer1: .*news-${name}-1.* not listed any more; \\d+ s of grace until retiring`),
      new RegExp(`${name}: stopped and disabled .*softmap-tor@news-1-`),
      new RegExp(`${name}: retired everything of the worker`),
    );
    const { came, gone } = neverRestarted(before, await this.runs());
    assert.deepEqual([came, gone.filter((unit) => !unit.startsWith(`${name} `))], [[], []]);
    const hosts = (await containersOf(this.rehearsal.lab)).filter(({ role }) => role === "host");
    assert.deepEqual(
      hosts.map((host) => host.name.replace(`softmap-${this.options.name}-`, "")),
      [...this.plan.balancers, ...workers].sort(),
    );
    this.dialled(change, { balancer1: 1, ...Object.fromEntries(workers.map((worker) => [worker, 0])) });
  }

  /** One line of news' nginx: the first worker gets it alone, then the others; a reload each, one login, none on the balancer. */
  async editTimeout(timeout: string): Promise<void> {
    const before = await this.runs();
    const [canary = "", ...others] = this.plan.workers;
    const change = await this.edit("nginxTimeout", this.news({ nginxTimeout: timeout }));
    const live = (host: string) => new RegExp(`${host}: release [0-9a-f]{12} is live, was .*: 1 service reloaded`);
    for (const host of others)
      inOrder(
        change,
        new RegExp(`${canary}: reloaded softmap-nginx@news`),
        new RegExp(`${canary}: \\d+ sites? answered through Tor`),
        live(canary),
        new RegExp(`${host}: reloaded softmap-nginx@news`),
        new RegExp(`${host}: \\d+ sites? answered through Tor`),
        live(host),
      );
    unsaid(change, /: (started|restarted|stopped) |published with/);
    assert.deepEqual(neverRestarted(before, await this.runs()), { came: [], gone: [] });
    this.dialled(change, { balancer1: 0, ...Object.fromEntries(this.plan.workers.map((worker) => [worker, 1])) });
  }

  /** Adds a site to news: it answers at once. The tors that knew the others only are never restarted: new ones stand in for them. */
  async addSite(domain: string): Promise<void> {
    const domains = [...(this.plan.projects["news"]?.domains ?? []), domain];
    await this.newGeneration("a site added", this.news({ domains }));
  }

  /** A change that only a start of tor can take over: new daemons beside the old ones, then the old ones go. nginx stays. */
  async newGeneration(title: string, edit: Partial<Plan>): Promise<Change> {
    const before = await this.runs();
    const change = await this.edit(title, edit);
    for (const host of this.plan.workers)
      inOrder(
        change,
        new RegExp(`${host}: started softmap-tor@news-1-`),
        new RegExp(`${host}: \\d+ sites? answered through Tor`),
        /balancer1: .*published with/,
        /balancer1: .* not listed any more; \d+ s of grace until retiring/,
        new RegExp(`${host}: stopped and disabled softmap-tor@news-1-`),
        new RegExp(`${host}: retired`),
      );
    unsaid(change, /: restarted softmap-(tor|nginx)@/);
    const tor = (unit: string) => unit.includes(" softmap-tor@news-");
    const { came, gone } = neverRestarted(before, await this.runs());
    const tors = [...before.keys()].filter(tor).length;
    assert.deepEqual([came.filter(tor).length, gone.filter(tor).length], [tors, tors], "every tor has a successor");
    assert.ok([...came, ...gone].every(tor), [...came, ...gone].join());
    return change;
  }

  /** Logins that the change made, on every host that was there before and after. */
  dialled(change: Change, expected: Readonly<Record<string, number>>): void {
    const known = Object.entries(change.row.connectionsPerHost).filter(([host]) => expected[host] !== undefined);
    assert.deepEqual(Object.fromEntries(known), expected);
  }

  /** How many backends news has in the descriptors. */
  listed(): number {
    return (this.plan.listed ?? this.plan.workers).length * this.daemons();
  }

  private daemons(): number {
    return Number(this.plan.projects["news"]?.["softmapTorWorkers"]);
  }

  private configure(): void {
    const { projects, ...machines } = this.plan;
    this.rehearsal.configure({
      hosts: { provider: "lab", name: this.options.name },
      ...Object.fromEntries(Object.entries(machines).filter(([, names]) => names !== undefined)),
      ...{ protectKeys: false, retireGrace: this.options.grace, drainTimeout: "20s" },
      projects: Object.entries(projects).map(([name, { domains, ...keys }]) => ({
        ...{ name, ...keys },
        sites: domains.map((domain) => ({ domain })),
      })),
    });
  }

  private domains(): string[] {
    return Object.values(this.plan.projects).flatMap(({ domains }) => domains);
  }

  private onion(domain: string): string {
    return this.addresses.get(domain) ?? assert.fail(`${domain} has no address yet`);
  }

  private async learn(): Promise<void> {
    const projects = await this.rehearsal.output<Record<string, Record<string, string>>>("addresses");
    this.addresses = new Map(Object.values(projects).flatMap((sites) => Object.entries(sites)));
  }

  /** One fetch each, the first that anybody makes from here, and no second try. */
  private async answerAtOnce(domains: readonly string[]): Promise<void> {
    for (const domain of domains) {
      const got = await fetchThroughTor(this.rehearsal.lab, `http://${this.onion(domain)}/`);
      assert.equal(got.status, 200, `${domain} right after the up: ${got.error ?? ""}`);
    }
  }
}

/** What came, what stays, and what goes. */
function sorted(before: readonly string[], after: readonly string[]): [string[], string[], string[]] {
  return [
    after.filter((one) => !before.includes(one)),
    after.filter((one) => before.includes(one)),
    before.filter((one) => !after.includes(one)),
  ];
}
