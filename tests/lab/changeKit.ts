// Readers who fetch every site through Tor without pause while a stack is changed, and what they noticed of it.
import assert from "node:assert/strict";
import {
  connectionsOf,
  connectionsSince,
  execOn,
  loadReport,
  startLoad,
  type Lab,
  type Load,
  type LoadRecord,
} from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { clock, shown } from "./faultKit";
import type { Rehearsal } from "./fixture";
import { noticed } from "./noticed";
import { changeTable, recordChange, type ChangeRow } from "./table";

/** A line that a command printed; of `pulumi up` not its summary. */
export interface TimedLine {
  /** Unix seconds. */
  readonly at: number;
  readonly text: string;
}

/** Runs a command to its end and hands on its lines as they come. */
export type Work = (onLine: (line: string) => void) => Promise<PulumiRun>;

/** A change that is over. */
export interface Change {
  readonly row: ChangeRow;
  readonly run: PulumiRun;
  readonly lines: readonly TimedLine[];
}

/** What is special about a change. */
export interface DuringOptions {
  /** Onion addresses with `.onion` of sites that go: fetched, too, and promised until the grace time is over. */
  readonly leaving?: readonly string[];
  /** What a reader of the table has to know. */
  readonly note?: string;
}

/** A last line of the publication: the grace time of what is listed no longer is over, and retiring begins. */
const graceOver = /\d+ sites? published \(/;
const publishedLine = /published with \d+ of \d+ backends/;

/** Readers of one stack in the lab. */
export class Readers {
  private load: Load | undefined;
  private sites = "";

  /** @param requests how many requests a change must be seen by, at least */
  constructor(
    private readonly rehearsal: Rehearsal,
    private readonly requests: number,
  ) {}

  /** From now on they fetch these sites, onion addresses with `.onion`. */
  async read(sites: readonly string[]): Promise<void> {
    if (this.sites === sites.join() && this.load !== undefined) return;
    await this.end();
    this.load = await startLoad(this.rehearsal.lab, { sites, maxSeconds: 3600 });
    this.sites = sites.join();
  }

  /**
   * Runs a change; returns when it is over and enough requests have finished since its start, all of those included that started during
   * it. Records the change's row. Fails when the command failed or readers {@link noticed}.
   */
  async during(change: string, work: Work, { leaving = [], note = "" }: DuringOptions = {}): Promise<Change> {
    const load = this.load ?? assert.fail("nobody reads");
    const last = leaving.length === 0 ? undefined : await lastVisitors(this.rehearsal.lab, leaving);
    try {
      const mark = load.mark();
      const done = await timed(this.rehearsal.lab, work);
      await load.until(this.requests, mark, 900);
      await load.settle();
      const gone = last === undefined ? { counted: [], note: "" } : await untilGone(last, done.lines);
      const report = loadReport([...load.requests.slice(mark), ...gone.counted]);
      const notes = [note, gone.note].filter((words) => words !== "").join("; ");
      const row: ChangeRow = {
        ...{ change, requests: report.requests, failures: report.failures, secondTries: report.secondTries },
        ...done.figures,
        ...(notes === "" ? {} : { note: notes }),
      };
      told(row);
      assert.equal(done.run.code, 0, `${change} failed:\n${shown(done.run)}`);
      const found = noticed(report);
      assert.equal(found, "", `${change}: ${found}\n${timedText(done.lines)}`);
      return { row, run: done.run, lines: done.lines };
    } finally {
      await last?.kill();
    }
  }

  async end(): Promise<void> {
    await this.load?.kill();
    this.load = undefined;
  }
}

/** A change without readers, the first deploy: nobody has the addresses yet. */
export async function unread(rehearsal: Rehearsal, change: string, work: Work): Promise<Change> {
  const { run, lines, figures } = await timed(rehearsal.lab, work);
  const row: ChangeRow = { change, requests: 0, failures: 0, secondTries: 0, ...figures };
  told(row);
  assert.equal(run.code, 0, `${change} failed:\n${shown(run)}`);
  return { row, run, lines };
}

/** A row is in the table, and shown at once. */
export function told(row: ChangeRow): void {
  recordChange(row);
  console.log(changeTable([row]));
}

async function timed(lab: Lab, work: Work) {
  const lines: TimedLine[] = [];
  const before = await connectionsOf(lab);
  const start = Date.now() / 1000;
  let over = false;
  const run = await work((text) => {
    over ||= /^\s*(Outputs|Diagnostics):/.test(text); // pulumi says everything once more
    if (!over) lines.push({ at: Date.now() / 1000, text });
    if (text.trim() !== "") console.log(`    ${text.slice(0, 200)}`);
  });
  const seconds = Date.now() / 1000 - start;
  const connectionsPerHost = await connectionsSince(lab, before);
  const published = lines.findLast(({ text }) => publishedLine.test(text));
  const secondsUntilPublished = published === undefined ? null : published.at - start;
  return { run, lines, figures: { seconds, connectionsPerHost, secondsUntilPublished } };
}

/** One client who has had these sites' descriptors since before the change. */
function lastVisitors(lab: Lab, sites: readonly string[]): Promise<Load> {
  return startLoad(lab, { sites, clients: [{ name: "last", newIdentityEvery: 0 }], concurrency: 1, timeout: 20 });
}

/** A site that goes is promised until the grace time is over; what comes later is told, not counted. */
async function untilGone(last: Load, lines: readonly TimedLine[]): Promise<{ counted: LoadRecord[]; note: string }> {
  await last.settle();
  const end = lines.find(({ text }) => graceOver.test(text))?.at ?? assert.fail(`no end of the grace time`);
  const counted = last.requests.filter(({ at, seconds }) => at + seconds < end);
  assert.ok(counted.length > 0, "nobody fetched the site that goes");
  const late = last.requests.slice(counted.length);
  const answered = late.filter(({ error }) => error === "").length;
  return {
    counted,
    note: `of the site that goes ${counted.length} until its grace was over; later ${late.length}, of which ${answered} answered`,
  };
}

/** The lines with the seconds since the first of them. */
function timedText(lines: readonly TimedLine[]): string {
  return lines.map(({ at, text }) => `${clock(at * 1000)} ${text}`).join("\n");
}

/** Each of these patterns is in a line after the line of the one before it. */
export function inOrder({ lines }: Change, ...patterns: readonly RegExp[]): void {
  let from = 0;
  for (const pattern of patterns) {
    const found = lines.findIndex(({ text }, n) => n >= from && pattern.test(text));
    assert.ok(found >= 0, `${pattern} is not among the lines after ${from}:\n${timedText(lines)}`);
    from = found + 1;
  }
}

/** No line says so. */
export function unsaid({ lines }: Change, pattern: RegExp): void {
  const found = lines.filter(({ text }) => pattern.test(text)).map(({ text }) => text);
  assert.deepEqual(found, [], String(pattern));
}

/** softmap's units that run on a host: unit to its process and how often systemd has started it again. */
export async function running(lab: Lab, host: string): Promise<Map<string, string>> {
  const show = ["systemctl", "show", "-p", "Id,MainPID,NRestarts,ActiveState", "softmap-*.service"];
  const blocks = (await execOn(lab, host, show)).text.trim().split("\n\n");
  const units = blocks.map((block) => new Map(block.split("\n").map((line) => line.split("=", 2) as [string, string])));
  return new Map(
    units
      .filter((unit) => unit.get("ActiveState") === "active")
      .map((unit) => [unit.get("Id") ?? "", `${unit.get("MainPID") ?? ""}, ${unit.get("NRestarts") ?? ""} restarts`]),
  );
}

/** What runs on these hosts, `<host> <unit>` to its process. */
export async function runningOn(lab: Lab, hosts: readonly string[]): Promise<Map<string, string>> {
  const all = await Promise.all(hosts.map(async (host) => [host, await running(lab, host)] as const));
  return new Map(
    all.flatMap(([host, units]) => [...units].map(([unit, state]) => [`${host} ${unit}`, state] as const)),
  );
}

/** Every unit that runs before and after is the same process, never started again. Returns which have come and which have gone. */
export function neverRestarted(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { readonly came: string[]; readonly gone: string[] } {
  for (const [unit, state] of after) {
    assert.match(state, /, 0 restarts$/, unit);
    if (before.has(unit)) assert.equal(state, before.get(unit), `${unit} was started anew`);
  }
  return {
    came: [...after.keys()].filter((unit) => !before.has(unit)).sort(),
    gone: [...before.keys()].filter((unit) => !after.has(unit)).sort(),
  };
}
