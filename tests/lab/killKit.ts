import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  connectionsOf,
  connectionsSince,
  execOn,
  startLoad,
  type Lab,
  type Load,
  type LoadReport,
} from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { told } from "./changeKit";
import { clock, shown } from "./faultKit";
import type { Rehearsal } from "./fixture";
import { noticed } from "./noticed";

/** Units of a host that match a systemd pattern, in the order of their names. @example await unitsLike(lab, "worker1", "softmap-tor@news-*") */
export async function unitsLike(lab: Lab, host: string, pattern: string): Promise<string[]> {
  const ran = await execOn(lab, host, ["systemctl", "list-units", "--all", "--plain", "--no-legend", pattern]);
  const names = ran.text.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  return names.filter((name) => name !== "").sort();
}

/** Unit to its process: the same before and after means that it was neither stopped nor started. */
export async function pidsOf(lab: Lab, host: string, units: readonly string[]): Promise<Record<string, string>> {
  const ran = await execOn(lab, host, ["systemctl", "show", "-P", "MainPID", ...units]);
  const pids = ran.text.split("\n").filter((line) => line !== "");
  assert.equal(pids.length, units.length, ran.text + ran.stderr);
  return Object.fromEntries(units.map((unit, n) => [unit, pids[n] ?? ""]));
}

/** Waits until `asked` is true. @throws an AssertionError with these words when it is not within `seconds` */
export async function within(seconds: number, words: string, asked: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await asked())) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${words}`);
    await turn();
  }
}

/**
 * A step of another operator's that holds the host for as long as it runs, made of the host's own programs (host/machine.py): for the stdin of
 * the command `python3`, or of bootstrap.sh.
 */
export function holdingProgram(stack: string): string {
  return `${hostModules("report", "files", "machine")}\nheld = lock(Report("release", "solo"), "the worker release", 1, ${JSON.stringify(stack)})\nprint("held", os.getpid(), flush=True)\ntime.sleep(600)\n`;
}

/** Modules of the host's programs as one text, in the order in which they need one another. */
export function hostModules(...names: readonly string[]): string {
  const text = names.map((name) => readFileSync(join("host", `${name}.py`), "utf8")).join("\n");
  return text.replaceAll(new RegExp(`^from (${names.join("|")}) import .*\\n`, "gm"), "");
}

/** What happened, and what the visitors noticed of it. */
export interface Happened<T> {
  readonly value: T;
  readonly report: LoadReport;
  /** Of the work alone. */
  readonly seconds: number;
}

/** How a thing that happens is looked at. */
export interface Looked<T> {
  /** Requests that must have finished since it began; 100 when absent. */
  readonly requests?: number;
  /** Seconds that they are waited for after it, at most; 90 when absent. Where little answers, few finish. */
  readonly patience?: number;
  /** What a reader of the table has to know. */
  readonly note?: (value: T) => string;
}

/** Visitors who fetch every site without pause, and whose failures are counted, not forbidden. */
export class Visitors {
  private constructor(
    private readonly lab: Lab,
    private readonly load: Load,
  ) {}

  /** @param sites onion addresses with `.onion` */
  static async of(lab: Lab, sites: readonly string[]): Promise<Visitors> {
    return new Visitors(lab, await startLoad(lab, { sites, maxSeconds: 7200, maxRequests: 200_000 }));
  }

  /** Does it, waits until enough requests have finished and none that began meanwhile is under way; records its row. */
  async during<T>(
    what: string,
    work: (hear: (line: string) => void) => Promise<T>,
    looked: Looked<T> = {},
  ): Promise<Happened<T>> {
    const { requests = 100, patience = 90, note = () => "" } = looked;
    const before = await connectionsOf(this.lab);
    const [mark, start] = [this.load.mark(), performance.now()];
    let published: number | null = null;
    const value = await work((line) => {
      if (/-publish .*published with \d+ of \d+ backends/.test(line)) published = (performance.now() - start) / 1000;
    });
    const seconds = (performance.now() - start) / 1000;
    const end = Date.now() + patience * 1000;
    while (this.load.mark() - mark < requests && Date.now() < end) await turn();
    await this.load.settle();
    const report = this.load.since(mark);
    const connectionsPerHost = await connectionsSince(this.lab, before);
    const measured = `longest gap ${report.longestGap.toFixed(1)} s, median ${report.median.toFixed(1)} s, p95 ${report.p95.toFixed(1)} s`;
    told({
      ...{ change: what, requests: report.requests, failures: report.failures, secondTries: report.secondTries },
      ...{ seconds, connectionsPerHost },
      ...{ secondsUntilPublished: published, note: [note(value), measured].filter((words) => words !== "").join("; ") },
    });
    for (const one of report.failed) console.log(`    failed: ${clock(one.at * 1000)} ${JSON.stringify(one)}`);
    return { value, report, seconds };
  }

  /** So many requests from now on, of which nobody may notice anything. */
  async content(requests = 100): Promise<void> {
    const mark = this.load.mark();
    await this.load.until(requests, mark, 600);
    await this.load.settle();
    untroubled("when all is well", this.load.since(mark));
  }

  /** The report on the last so many requests. */
  latest(count: number): LoadReport {
    return this.load.since(Math.max(0, this.load.mark() - count));
  }

  async leave(): Promise<void> {
    await this.load.kill();
  }
}

/** Readers {@link noticed} nothing; else what they did is named, after these words. */
export function untroubled(words: string, report: LoadReport): void {
  const found = noticed(report);
  assert.equal(found, "", `${words}: ${found}`);
}

/** `pulumi up`, its lines shown and heard; whatever comes of it. */
export function upHeard(rehearsal: Rehearsal, hear: (line: string) => void = () => undefined): Promise<PulumiRun> {
  const onLine = (line: string): void => {
    if (line.trim() !== "") console.log(`    ${clock(Date.now())} ${line.slice(0, 200)}`);
    hear(line);
  };
  return rehearsal.pulumi(["up", "--yes", "--skip-preview"], { onLine });
}

/** The run succeeded. */
export function succeeded(run: PulumiRun): PulumiRun {
  assert.equal(run.code, 0, shown(run));
  return run;
}

/** An `up` that found nothing to do. */
export function changedNothing(run: PulumiRun): void {
  succeeded(run);
  assert.match(run.stdout, /\d+ unchanged/);
  assert.doesNotMatch(run.stdout, /\d+ (created|updated|replaced|deleted)/);
}

/** Lets what happens outside come in: lines of a process, a timer. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
