// What is measured of many backends, for the long test and the benchmark: how they are published, and what becomes of dead ones.
import { setTimeout as wait } from "node:timers/promises";
import { execOn, loadReport, startLoad, type Load, type LoadClient, type LoadRecord } from "../../lab/lab";
import { percentile } from "../../lab/loadReport";
import { units } from "../../plan/names";
import {
  brokenIn,
  spreadOf,
  usageDuring,
  type Backend,
  type Beyond,
  type Harm,
  type Spread,
  type Usage,
} from "./beyondKit";
import { wrongIn } from "./beyondWatch";

/**
 * Each forgets its descriptors every ten seconds, and fetches little between: a client goes on with the subset of the directory that it asked. Many
 * requests by few descriptors would be spread as these are, not as those of many visitors.
 */
const CLIENTS: readonly LoadClient[] = ["a", "b", "c", "d", "e", "f"].map((name) => ({ name, newIdentityEvery: 10 }));
const PAUSE = 1.5;

/** Visitors who come and go: some three requests a second. */
export function visit(stack: Beyond): Promise<Load> {
  const sizes = { concurrency: 1, pause: PAUSE, maxSeconds: 7200, maxRequests: 200_000 };
  return startLoad(stack.lab, { sites: [stack.site], clients: CLIENTS, ...sizes });
}

/** How long visitors waited for answers that came, in seconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
}

function latencyOf(records: readonly LoadRecord[]): Latency {
  const seconds = records.filter(({ error }) => error === "").map((one) => one.seconds);
  return { p50: percentile(seconds, 50), p90: percentile(seconds, 90) };
}

/** How backends of one number are published. */
export interface Published {
  readonly backends: number;
  readonly fetches: number;
  readonly failed: number;
  readonly spread: Spread;
  readonly latency: Latency;
  /** In one descriptor, the most and the least. */
  readonly points: readonly [least: number, most: number];
  readonly bytes: number;
  /** What is wrong with descriptors, in words. */
  readonly wrong: readonly string[];
  /** From a start of the publisher until clients find every backend in new descriptors. */
  readonly firstPublish: number;
  /** Unit to what it uses under this load. */
  readonly usage: Readonly<Record<string, Usage>>;
}

const WATCHED = [units.onionbalance, units.watchdog, units.proberTor, units.balancerTor];

/** Starts the publisher anew, then looks at so many fetches. */
export async function measurePublished(stack: Beyond, fetches: number): Promise<Published> {
  const watch = await stack.watchAnew();
  await watch.listed(stack.names(), 0, 120);
  const old = new Set(
    watch
      .rounds()
      .at(-1)
      ?.directories.map(({ fingerprint, revision }) => `${fingerprint} ${revision}`),
  );
  const since = Date.now() / 1000;
  await execOn(stack.lab, "balancer1", ["systemctl", "restart", units.onionbalance], { mayFail: false });
  const anew = await watch.until(
    "all directories have new descriptors with every backend",
    () =>
      watch.rounds(since).find((round) => {
        const asked = round.directories.filter((one) => one.asked);
        const fresh = asked.every(
          ({ fingerprint, revision, state }) => state === "ok" && !old.has(`${fingerprint} ${revision}`),
        );
        return fresh && stack.names().every((name) => watch.found(round).has(name));
      }),
    120,
  );
  const { usage, records } = await visited(stack, fetches);
  const report = loadReport(records);
  tellFailed(report.failed);
  const descriptors = watch
    .rounds(since)
    .flatMap(({ directories }) => directories.filter(({ state }) => state === "ok"));
  const points = descriptors.map((one) => Object.keys(one.points ?? {}).length);
  return {
    ...{ backends: stack.backends.length, fetches: report.requests, failed: report.failures },
    ...{ spread: spreadOf(report.backends, stack.names()), latency: latencyOf(records) },
    ...{
      points: [Math.min(...points), Math.max(...points)],
      bytes: Math.max(...descriptors.map(({ bytes = 0 }) => bytes)),
    },
    ...{ wrong: [...new Set(watch.rounds(since).flatMap(wrongIn))], firstPublish: anew.ended - since, usage },
  };
}

/** The lab's network has a new time period every 480 seconds: who fails may have met the change. */
function tellFailed(failed: readonly LoadRecord[]): void {
  for (const one of failed)
    console.log(`    failed ${Math.round((one.at - 240) % 480)} s after a change of period: ${JSON.stringify(one)}`);
}

/** What the balancer uses while so many fetches are made, and these. */
async function visited(stack: Beyond, fetches: number) {
  const load = await visit(stack);
  try {
    const usage = await usageDuring(stack.lab, "balancer1", WATCHED, () => load.until(fetches, 0, 900));
    await load.settle();
    return { usage, records: [...load.requests] }; // what is under way at its end fails by it
  } finally {
    await load.kill();
  }
}

/** What became of dead backends. */
export interface Dead {
  readonly backends: number;
  readonly dead: number;
  readonly how: Harm;
  /** Until they were in no directory's descriptor; null: not within `limit`. */
  readonly out: number | null;
  readonly limit: number;
  /** From the moment that they answered again until clients found all of them; null: not asked, or not within `limit`. */
  readonly back: number | null;
  /** Of visitors from the harm on until they were out, 15 seconds at least. */
  readonly fetches: number;
  readonly failed: number;
  /** Of these, answers that had begun to come from a backend that died. */
  readonly cutOff: number;
  readonly before: Latency;
  readonly meanwhile: Latency;
}

/** What is done to whom, and for how many seconds they are waited for. */
export interface Death {
  readonly dead: readonly Backend[];
  readonly how: Harm;
  readonly limit: number;
}

/** Harms backends while visitors fetch, and takes it back. */
export async function measureDead(stack: Beyond, load: Load, { dead, how, limit }: Death): Promise<Dead> {
  const watch = await stack.watch();
  await watch.listed(stack.names(), Date.now() / 1000 - 5, 180);
  const calm = load.mark();
  await load.until(50, calm, 180);
  const before = latencyOf(load.requests.slice(calm));
  const names = dead.map(({ name }) => name);
  const mark = load.mark();
  const since = await stack.harm(dead, how);
  const seconds = await watch.out(names, since, limit).catch(() => null);
  await wait(Math.max(0, since + 15 - Date.now() / 1000) * 1000);
  await load.settle();
  const records = load.requests.slice(mark);
  const healed = await stack.heal(dead, how);
  const round = await watch.listed(stack.names(), healed, limit).catch(() => null);
  const report = loadReport(records);
  tellFailed(report.failed);
  return {
    ...{ backends: stack.backends.length, dead: dead.length, how, out: seconds, limit },
    ...{ back: round === null ? null : round.ended - healed, fetches: report.requests, failed: report.failures },
    ...{ cutOff: report.failures - brokenIn(report, dead).length, before, meanwhile: latencyOf(records) },
  };
}

/** So many backends, as evenly over the workers as may be: the first of each, then the second. */
export function someOf(backends: readonly Backend[], count: number): Backend[] {
  const number = ({ name }: Backend) => Number(name.split("-").at(-1));
  return [...backends].sort((a, b) => number(a) - number(b) || (a.worker < b.worker ? -1 : 1)).slice(0, count);
}

/** `12.3`; `more than 120` where it was not within the limit. */
export const within = (seconds: number | null, limit: number): string =>
  seconds === null ? `more than ${limit}` : seconds.toFixed(1);

/** One line for people. */
export function tellPublished({
  backends,
  fetches,
  failed,
  spread,
  points,
  bytes,
  firstPublish,
  usage,
  latency,
}: Published): string {
  const uses = Object.entries(usage).map(
    ([unit, { cpu, memory }]) =>
      `${unit.replace(/^softmap-|\.service$/g, "")} ${(cpu * 100).toFixed(1)} % ${memory.toFixed(0)} MiB`,
  );
  return (
    `${backends} backends: ${fetches - failed} of ${fetches} fetches, ${spread.reached} reached, variation ${spread.variation.toFixed(2)} (chance ${spread.chance.toFixed(2)}), ` +
    `${points[0]}-${points[1]} points, ${bytes} bytes, first published after ${firstPublish.toFixed(1)} s, p50 ${latency.p50.toFixed(1)} s, p90 ${latency.p90.toFixed(1)} s; ${uses.join(", ")}`
  );
}

export function tellDead({
  backends,
  dead,
  how,
  out,
  limit,
  back,
  fetches,
  failed,
  cutOff,
  before,
  meanwhile,
}: Dead): string {
  return (
    `${dead} of ${backends} ${how}: out after ${within(out, limit)} s, back after ${within(back, limit)} s; ${fetches - failed} of ${fetches} fetches (${cutOff} cut off with a backend), ` +
    `p50 ${before.p50.toFixed(1)} -> ${meanwhile.p50.toFixed(1)} s, p90 ${before.p90.toFixed(1)} -> ${meanwhile.p90.toFixed(1)} s`
  );
}
