import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { LabError } from "./errors";
import { guest } from "./image";
import { loadReport, type LoadRecord, type LoadReport } from "./loadReport";
import { BIG_PAGE } from "./originPages";
import { programText } from "./ownTor";
import { containerName, type Lab } from "./places";
import { containerState, podmanLine } from "./podman";

/** One of a load's clients: a tor of its own. */
export interface LoadClient {
  readonly name: string;
  /** Seconds between two NEWNYM, at least 10 (tor does it no faster): after each it fetches descriptors anew. 0: it keeps them as long as tor lets it. */
  readonly newIdentityEvery: number;
}

/** What to fetch, and how much. */
export interface LoadOptions {
  /** Onion addresses with `.onion`. Their origin has the lab's pages: `/` and the big page are fetched. */
  readonly sites: readonly string[];
  /** Default: `steady`, which keeps its descriptors, and `fresh`, which fetches them anew every 12 seconds. */
  readonly clients?: readonly LoadClient[];
  /** Requests of each client at the same time; 2 when absent. Two clients with two each: some 8 requests a second on two cores. */
  readonly concurrency?: number;
  /** Seconds between the end of a loop's request and its next one; 0 when absent: without pause. */
  readonly pause?: number;
  /** Seconds after which a request has failed, its second try included; 60 when absent. */
  readonly timeout?: number;
  /** Seconds until every client has fetched every site once, at most; 180 when absent. */
  readonly warmUp?: number;
  /** Seconds after which the load ends by itself; 1200 when absent. */
  readonly maxSeconds?: number;
  /** Requests after which it ends by itself; 50 000 when absent. */
  readonly maxRequests?: number;
}

/** Clients at work. One that nobody waits for keeps no process alive, and ends with the process that started it. */
export interface Load {
  /** Process id of the command that runs it: podman, or the sudo before it. */
  readonly pid: number | undefined;
  /** Every finished request so far, in the order in which they finished. */
  readonly requests: readonly LoadRecord[];
  /** Now, for {@link since} and {@link until}: how many requests have finished. */
  mark(): number;
  /** The report on all requests that have finished since the mark, those included that had started before it. */
  since(mark: number): LoadReport;
  /** Waits until `count` requests have finished since the mark. @throws LabError when the load has ended or `seconds` (300 when absent) are over */
  until(count: number, mark: number, seconds?: number): Promise<void>;
  /** Waits until every request that is under way now has finished: then `since` has all that started during a change. @throws LabError when the load has ended */
  settle(): Promise<void>;
  /** Ends it when the requests under way have finished; the report on all requests. @throws LabError when it had ended by itself: it did not see what came after */
  stop(): Promise<LoadReport>;
  /** Ends it at once, whatever it does. For tidying up; does not fail. */
  kill(): Promise<void>;
}

export const DEFAULT_CLIENTS: readonly LoadClient[] = [
  { name: "steady", newIdentityEvery: 0 },
  { name: "fresh", newIdentityEvery: 12 },
];

/**
 * Starts clients in the lab's Tor container that fetch all sites in turn, each request on a circuit of its own. Of a
 * site's requests every fifth is the big page, the others are `/`. One that gets no byte of an answer is tried a second time at once, as by a
 * browser's reload, and has failed when that fails too: introduction points of the lab's Tor network live 10 to 30 s (tor, hs_service.c,
 * get_intro_point_max_lifetime), so that now and then a visitor meets one that just went, with no change under way. After a failed request the
 * same loop's next one starts a second after it at the earliest.
 * @returns when every client has fetched every site once; those requests are not in the records
 * @throws LabError when the lab has no Tor network, an option cannot be, or the clients do not get ready
 */
export async function startLoad(lab: Lab, options: LoadOptions): Promise<Load> {
  const settings = loadSettings(options, "/var/lib/lab-tor/common.conf");
  const name = containerName(lab, "tor");
  if ((await containerState(name)) !== "running")
    throw new LabError(
      `The Tor network of lab "${lab.name}" does not run.`,
      `run \`npm run lab -- --name ${lab.name} up\``,
    );
  // The program is an argument, because its stdin is how it hears from us and that we are gone.
  const program = programText(guest("load.py"), "visits");
  return followLoad(podmanLine(["exec", "-i", name, "python3", "-c", program, JSON.stringify(settings)]), settings);
}

/** What load.py is given. */
export interface LoadSettings {
  readonly sites: readonly string[];
  readonly clients: readonly LoadClient[];
  readonly concurrency: number;
  readonly pause: number;
  readonly small: string;
  readonly big: { readonly path: string; readonly bytes: number };
  readonly timeout: number;
  readonly warmUp: number;
  readonly maxSeconds: number;
  readonly maxRequests: number;
  readonly torrc: string;
}

/** Options with their defaults. @throws LabError that names every option that cannot be */
export function loadSettings(options: LoadOptions, torrc: string): LoadSettings {
  const settings = {
    clients: DEFAULT_CLIENTS,
    concurrency: 2,
    pause: 0,
    timeout: 60,
    warmUp: 180,
    maxSeconds: 1200,
    maxRequests: 50_000,
    ...options,
    small: "/",
    big: BIG_PAGE,
    torrc,
  };
  const { sites, clients, concurrency, pause, timeout, warmUp, maxSeconds, maxRequests } = settings;
  const wrong = [
    ...(sites.length === 0 ? ["sites: there is none"] : []),
    ...sites
      .filter((site) => !/^[a-z2-7]{56}\.onion$/.test(site))
      .map((site) => `sites: "${site}" is no onion address (56 characters and .onion)`),
    ...(clients.length === 0 ? ["clients: there is none"] : []),
    ...clients
      .filter(({ name }, n) => !/^[a-z]{1,16}$/.test(name) || clients.findIndex((one) => one.name === name) !== n)
      .map(({ name }) => `clients: "${name}" is no name (1 to 16 lower case letters) or is there twice`),
    ...clients
      .filter(({ newIdentityEvery: every }) => !(every === 0 || every >= 10))
      .map(({ name }) => `clients: newIdentityEvery of "${name}" must be 0 or at least 10 seconds`),
    ...Object.entries({ concurrency, maxRequests })
      .filter(([, value]) => !(Number.isInteger(value) && value > 0))
      .map(([key]) => `${key}: it must be a whole number from 1 on`),
    ...(Number.isFinite(pause) && pause >= 0 ? [] : ["pause: it must be seconds, 0 or more"]),
    ...Object.entries({ timeout, warmUp, maxSeconds })
      .filter(([, value]) => !(Number.isFinite(value) && value > 0))
      .map(([key]) => `${key}: it must be seconds, more than 0`),
  ];
  if (wrong.length > 0)
    throw new LabError(`A load cannot be started so:\n    ${wrong.join("\n    ")}`, "correct these options");
  return settings;
}

/** A line of load.py. */
type Line = { readonly ready: true } | { readonly settled: number } | { readonly ended: string } | LoadRecord;

/** Runs load.py by that command line and follows what it prints. @throws LabError when it does not get ready */
export async function followLoad(argv: readonly string[], limits: LoadSettings): Promise<Load> {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, { stdio: "pipe" });
  child.unref();
  for (const pipe of [child.stdin, child.stdout, child.stderr]) (pipe as unknown as Socket).unref();
  const load = new Follower(child, limits);
  try {
    await load.whenReady();
  } catch (error) {
    await load.kill();
    throw error;
  }
  return load;
}

class Follower implements Load {
  readonly requests: LoadRecord[] = [];
  private ready = false;
  private settled = 0;
  private asked = 0;
  /** Why it ended, as it said; then it does nothing more. */
  private why: string | undefined;
  private closed = false;
  private errors = "";
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly limits: LoadSettings,
  ) {
    createInterface({ input: child.stdout }).on("line", (line) => this.take(JSON.parse(line) as Line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.errors = (this.errors + text).slice(-4000)));
    child.stdin.on("error", () => undefined); // it has ended: "close" says so
    child.on("error", (error) => {
      this.errors += error.message;
    });
    child.on("close", (code) => {
      this.closed = true;
      const last = this.errors.trim().split("\n").slice(-8).join("\n    ");
      this.why ??= `exit code ${code ?? "none"}: ${last || "it said nothing"}`;
      this.wake();
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  mark(): number {
    return this.requests.length;
  }

  since(mark: number): LoadReport {
    return loadReport(this.requests.slice(mark));
  }

  whenReady(): Promise<void> {
    // load.py has the same limit and says more about it: ours is for one that says nothing at all
    return this.wait("the clients are ready", () => this.ready, this.limits.warmUp + 30);
  }

  until(count: number, mark: number, seconds = 300): Promise<void> {
    const what = `${count} requests have finished`;
    return this.wait(what, () => this.requests.length - mark >= count, seconds);
  }

  settle(): Promise<void> {
    const mine = ++this.asked;
    this.child.stdin.write(`settle ${mine}\n`);
    return this.wait("the requests under way have finished", () => this.settled >= mine, this.limits.timeout + 30);
  }

  async stop(): Promise<LoadReport> {
    if (this.why === undefined) this.child.stdin.write("stop\n");
    try {
      await this.wait("it has stopped", () => this.closed && this.why === "stopped", this.limits.timeout + 30);
    } finally {
      await this.kill();
    }
    return loadReport(this.requests);
  }

  async kill(): Promise<void> {
    this.child.stdin.end();
    await this.wait("it is gone", () => this.closed, 10).catch(() => this.child.kill("SIGKILL"));
  }

  private take(line: Line): void {
    if ("ready" in line) this.ready = true;
    else if ("settled" in line) this.settled = Math.max(this.settled, line.settled);
    else if ("ended" in line) this.why = line.ended;
    else this.requests.push(line);
    this.wake();
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }

  /** Waits for a condition that a line or the end brings about. */
  private wait(what: string, condition: () => boolean, seconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (why: string) => {
        const figures = `${this.requests.length} requests had finished`;
        return new LabError(`The load: not until ${what}. ${why} (${figures}).`, "see its own words above");
      };
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        end();
      };
      const look = () => {
        if (condition()) settle(resolve);
        else if (this.closed) settle(() => reject(failed(`It ended: ${this.why ?? ""}`)));
      };
      const timer = setTimeout(() => settle(() => reject(failed(`${seconds} s are over`))), seconds * 1000);
      this.waiting.add(look);
      look();
    });
  }
}
