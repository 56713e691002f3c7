// `pulumi up` is killed after a resource step or in the middle of a step on a host, everything that it started with it, as by a power cut of the
// operator's machine. Then `pulumi cancel`, `pulumi up`: it converges, the next one changes nothing, and visitors have noticed nothing.
//
// The changes go forth and back, so that each time begins with a settled stack: a site comes and goes (other tors: release, publish, grace,
// retire), a worker comes and goes (machine, release, publish, leave). Which moments there are is learnt from one run of each change; every kind of
// moment is taken once, then a drawn sample of the others. SOFTMAP_KILLS=all takes every one; SOFTMAP_SEED draws another sample.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { containersOf, type LoadReport } from "../../lab/lab";
import { killWhole, serving, shown } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";
import { changedNothing, succeeded, unitsLike, upHeard, Visitors } from "./killKit";
import { noticed } from "./noticed";

/** How many of the moments beyond one of each kind are taken. */
const SAMPLE = process.env["SOFTMAP_KILLS"] === "all" ? Infinity : 6;
const SEED = Number(process.env["SOFTMAP_SEED"] ?? "4");

type Change = "site comes" | "site goes" | "worker comes" | "worker goes";
const back: Record<Change, Change> = {
  "site comes": "site goes",
  "site goes": "site comes",
  "worker comes": "worker goes",
  "worker goes": "worker comes",
};

/** When a run is killed: at the n-th of the lines that match. */
interface Moment {
  readonly change: Change;
  readonly name: string;
  readonly kind: string;
  readonly at: RegExp;
  readonly n: number;
}

/** A resource's step that is done, as Pulumi prints it: ` ~  command:remote:Command balancer-balancer1-publish updated (4s)`. */
const done = /^\s*[-+~]+\s+(\S+)\s+(\S+)\s+(created|updated|deleted|replaced)\b/;

/** In the middle of each kind of step on a host: at its own first line, and at those that tell how far it is. */
const inHostSteps: readonly Omit<Moment, "kind">[] = [
  { change: "site comes", name: "in the canary's release", at: /workers-worker1-release .*worker1: started /, n: 1 },
  {
    change: "site goes",
    name: "in the second worker's release",
    at: /workers-worker2-release .*worker2: started /,
    n: 1,
  },
  { change: "site comes", name: "in the publication, at its release", at: /-publish .*balancer1: (re)?started /, n: 1 },
  { change: "site goes", name: "in the publication's proof", at: /-publish .*balancer1: .* published with /, n: 1 },
  { change: "site comes", name: "in the grace time", at: /s of grace until retiring/, n: 1 },
  { change: "site goes", name: "in the retirement", at: /-retire .*worker\d: stopped and disabled /, n: 1 },
  { change: "worker comes", name: "in a machine's creation", at: /hosts-worker3 creating/, n: 1 },
  { change: "worker comes", name: "in a new machine's release", at: /workers-worker3-release .*worker3: /, n: 1 },
  { change: "worker goes", name: "in the leave step", at: /worker3: stopped and disabled /, n: 1 },
  { change: "worker goes", name: "in a machine's removal", at: /hosts-worker3 deleting/, n: 1 },
];

describe("pulumi up is killed", { timeout: 90 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let visitors: Visitors;
  const state = { site: false, worker: false };

  before(async () => {
    rehearsal = await Rehearsal.start("longkilled");
    configure();
    succeeded(await upHeard(rehearsal));
    visitors = await Visitors.of(rehearsal.lab, Object.values((await addresses())["news"] ?? {}));
  });
  after(async () => {
    await visitors?.leave();
    await rehearsal?.end();
  });

  function configure(): void {
    const settings: Settings = {
      hosts: { provider: "lab", name: "longkilled" },
      workers: state.worker ? 3 : 2,
      protectKeys: false,
      retireGrace: "5s",
      drainTimeout: "5s",
      projects: [
        {
          name: "news",
          softmapTorWorkers: 1,
          sites: [
            { domain: "www.daily.test" },
            { domain: "tips.test" },
            ...(state.site ? [{ domain: "court.test" }] : []),
          ],
        },
      ],
    };
    rehearsal.configure(settings);
  }
  /** Writes the config of a change; the stack is as before it. */
  function begin(change: Change): void {
    if (change.startsWith("site")) state.site = change === "site comes";
    else state.worker = change === "worker comes";
    configure();
  }
  const addresses = (): Promise<Record<string, Record<string, string>>> => rehearsal.output("addresses");
  const workers = (): string[] => ["worker1", "worker2", ...(state.worker ? ["worker3"] : [])];

  /** What is planned is there and nothing else: machines, one tor each of one generation, whole releases, and pages. */
  async function settled(): Promise<void> {
    const { lab } = rehearsal;
    const machines = (await containersOf(lab)).filter(({ role }) => role === "host").map(({ name }) => name);
    assert.deepEqual(
      machines,
      ["balancer1", ...workers()].map((host) => `softmap-${lab.name}-${host}`),
    );
    const tors = await Promise.all(workers().map((host) => unitsLike(lab, host, "softmap-tor@*")));
    assert.equal(new Set(tors.flat()).size, 1, `one generation: ${tors.join("; ")}`);
    for (const units of tors) assert.equal(units.length, 1);
    const releases = await Promise.all(workers().map((host) => serving(lab, host, "worker")));
    assert.equal(new Set(releases).size, 1, `one release: ${releases.join(", ")}`);
    const published = (await rehearsal.output<Record<string, string>>("published"))["balancer1"] ?? "";
    const sites = Object.entries((await addresses())["news"] ?? {});
    assert.equal(sites.length, state.site ? 3 : 2);
    for (const [domain, onion] of sites) {
      const all = `${workers().length} of ${workers().length}`;
      assert.ok(published.includes(`${domain} ${onion} published with ${all} backends`), `${domain}: ${published}`);
    }
    const court = sites.find(([domain]) => domain === "court.test");
    if (court) assert.equal((await rehearsal.fetch(`http://${court[1]}/`)).status, 200);
  }

  /** Kills the run of a change at a moment, everything that it started with it. Returns the line; none when it was over before. */
  async function killedAt({ at, n }: Moment): Promise<string | undefined> {
    let pid = 0;
    let seen = 0;
    let killed: string | undefined;
    const onLine = (line: string): void => {
      if (killed !== undefined || !at.test(line) || ++seen < n) return;
      killWhole(pid);
      killed = line
        .trim()
        .replace(/ \(.*\)/, "")
        .slice(0, 120);
      console.log(`    killed at: ${killed}`);
    };
    await rehearsal.pulumi(["up", "--yes", "--skip-preview"], { onLine, onStart: (id) => (pid = id) });
    return killed;
  }

  /** The moment, then what an operator does: cancel, up; and a third up that finds nothing to do. */
  async function killAndMend(moment: Moment): Promise<string> {
    const words = `killed ${moment.name} (${moment.change})`;
    begin(moment.change);
    const { report, value, seconds } = await visitors.during(words, async (hear) => {
      const line = await killedAt(moment);
      if (line === undefined) return "over before";
      succeeded(await rehearsal.pulumi(["cancel", "--yes"]));
      succeeded(await upHeard(rehearsal, hear));
      return `at "${line}", converged`;
    });
    note(words, report);
    changedNothing(await rehearsal.pulumi(["up", "--yes", "--skip-preview"], { onLine: () => undefined }));
    await settled();
    return `${words}: ${value} after ${seconds.toFixed(0)} s, ${report.requests} requests, ${report.failures} failed, ${report.secondTries} tried twice`;
  }

  const moments: Moment[] = inHostSteps.map((moment) => ({ ...moment, kind: moment.name }));
  const taken: string[] = [];
  /** What visitors noticed: told at the end, so that one request does not hide the moments after it. */
  const troubles: string[] = [];
  function note(words: string, report: LoadReport): void {
    const found = noticed(report);
    if (found !== "") troubles.push(`${words}: ${found}`);
  }

  test("each change once without harm: these are the resource steps", async () => {
    for (const change of ["site comes", "worker comes", "worker goes", "site goes"] as const) {
      begin(change);
      const words = `not killed (${change})`;
      const { value, report } = await visitors.during(words, (hear) => upHeard(rehearsal, hear));
      const run = succeeded(value);
      note(words, report);
      let n = 0;
      for (const line of run.stdout.split("\n")) {
        const [, type = "", name = "", verb = ""] = done.exec(line) ?? [];
        if (verb === "") continue;
        n++;
        moments.push({ change, kind: kindOf(type, name, verb), name: `after ${n}. ${name} ${verb}`, at: done, n });
      }
      assert.ok(n > 5, shown(run));
      await settled();
    }
    console.log(`    ${moments.length} moments of ${new Set(moments.map(({ kind }) => kind)).size} kinds`);
  });

  test("killed at each kind of moment, and at a sample of the others: up converges, and nobody notices", async () => {
    const { first, sample, left } = drawn(moments, SAMPLE, SEED);
    console.log(`    ${first.length} kinds, ${sample.length} drawn with seed ${SEED}, ${left} not taken`);
    const inSteps = first.filter(({ kind }) => inHostSteps.some(({ name }) => name === kind));
    const others = [...first.filter((moment) => !inSteps.includes(moment)), ...sample];
    for (const moment of [...inTurn(inSteps), ...inTurn(others)]) {
      // A moment's change needs the state before it; the way there is a plain up.
      if (!ready(moment.change)) {
        begin(back[moment.change]);
        succeeded(await upHeard(rehearsal));
      }
      taken.push(await killAndMend(moment));
      console.log(`    ${taken.at(-1)}`);
    }
    console.log(taken.join("\n"));
    const missed = taken.filter((line) => line.includes("over before"));
    assert.deepEqual(missed, [], "every moment was met");
    assert.deepEqual(troubles, [], "visitors notice nothing");
  });

  function ready(change: Change): boolean {
    return change.startsWith("site")
      ? state.site === (change === "site goes")
      : state.worker === (change === "worker goes");
  }
});

/** Moments that leave the same behind. Some resources are nowhere but in the state: they are one kind. */
function kindOf(type: string, name: string, verb: string): string {
  const short = type.replace(/^.*:/, "");
  if (/^(OnionKey|RenderedConfig|ServicePlan|RollCall)$/.test(short)) return `state ${verb}`;
  return [short, /(release|publish|retire|confirm)$/.exec(name)?.[1] ?? "", verb].join(" ");
}

/** One moment of each kind, the last one that it has; and so many others. The draw is the same for the same seed. */
function drawn(
  all: readonly Moment[],
  count: number,
  seed: number,
): { first: Moment[]; sample: Moment[]; left: number } {
  const first = [...new Map(all.map((moment) => [moment.kind, moment])).values()];
  const rest = all.filter((moment) => !first.includes(moment));
  const sample: Moment[] = [];
  let state = seed;
  while (rest.length > 0 && sample.length < count) {
    // Numerical Recipes' linear congruential generator: small, and the same everywhere
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    sample.push(...rest.splice(state % rest.length, 1));
  }
  return { first, sample, left: rest.length };
}

/** Forth and back in turn, so that few changes are only made to get ready. */
function inTurn(all: readonly Moment[]): Moment[] {
  const pairs = (["site", "worker"] as const).flatMap((what) => {
    const come = all.filter(({ change }) => change === `${what} comes`);
    const go = all.filter(({ change }) => change === `${what} goes`);
    return Array.from({ length: Math.max(come.length, go.length) }, (_, i) => [come[i], go[i]]).flat();
  });
  return pairs.filter((moment) => moment !== undefined);
}
