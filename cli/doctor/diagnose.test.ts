import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { distinct, healthy, seenOf } from "../desk/samples";
import type { Survey } from "../desk/survey";
import { checks } from "./checks";
import { diagnose } from "./diagnose";
import { at, unlisted, withFault } from "./faultKit";
import { faults } from "./faultSamples";
import { leave } from "./faultSamplesPublisher";

test("a stack that is well has no finding, with the network asked and without", () => {
  assert.deepEqual(diagnose(healthy()), []);
  assert.deepEqual(diagnose(distinct()), []);
  const quick = healthy();
  for (const site of seenOf(quick, "balancer1").publisher?.sites ?? []) {
    Object.assign(site, { published: null });
    for (const row of site.backends) Object.assign(row, { listed: null });
  }
  assert.deepEqual(diagnose(quick), []);
});

describe("each fault is found, and nothing else", () => {
  for (const fault of faults)
    test(`${fault.check}: ${fault.words}`, () => {
      const found = diagnose(withFault(fault));
      const [first] = found;
      assert.equal(found.length, 1, JSON.stringify(found, null, 1));
      assert.ok(first);
      const { check, severity, subject, what, next, page } = first;
      assert.deepEqual(
        { check, severity, subject, page },
        { check: fault.check, severity: fault.severity, subject: fault.subject, page: `docs/doctor/${fault.check}.md` },
      );
      assert.match(what, fault.says);
      assert.match(what, /^[^\n]+\.$/, "one sentence, with its full stop");
      assert.match(next, /^[^\n]{10,}\.$/);
    });
});

test("every check has a fault in the samples", () => {
  const named = new Set(faults.map(({ check }) => check));
  assert.deepEqual(
    checks.map(({ name }) => name).filter((name) => !named.has(name)),
    [],
  );
});

describe("one fault, one alarm: what follows from it says so", () => {
  /** The roots, and the checks that follow from them. */
  function told(survey: Survey): { roots: string[]; after: string[]; because: string[] } {
    const found = diagnose(survey);
    const roots = found.filter(({ because }) => because === undefined);
    const after = found.filter(({ because }) => because !== undefined);
    assert.deepEqual(found.slice(0, roots.length), roots, "roots come first");
    for (const { severity } of after) assert.equal(severity, "amber");
    return {
      roots: roots.map(({ check, subject }) => `${check} ${subject}`),
      after: after.map(({ check, subject }) => `${check} ${subject}`),
      because: [...new Set(after.map(({ because }) => because ?? ""))].filter(
        (because) => !roots.some(({ what }) => what === because),
      ),
    };
  }
  const fault = (check: string, words: RegExp) => {
    const found = faults.find((each) => each.check === check && words.test(each.words));
    assert.ok(found);
    return found;
  };

  test("a machine is gone, and its backends with it", () => {
    const survey = withFault(fault("unreachable", /worker/));
    unlisted(survey, "news-worker2-1");
    unlisted(survey, "news-worker2-2");
    const after = ["backend news-worker2-1", "backend news-worker2-2"];
    assert.deepEqual(told(survey), { roots: ["unreachable worker2"], after, because: [] });
  });

  test("the only balancer is gone: nobody knows what is published", () => {
    const survey = healthy();
    (survey.machines as unknown as object[])[0] = { name: "balancer1", error: "nobody answers within 15 s" };
    const after = ["publishing organization/softmap/prod"];
    assert.deepEqual(told(survey), { roots: ["unreachable balancer1"], after, because: [] });
  });

  test("a daemon is down: its backend has no points and is in no frontend", () => {
    const survey = healthy();
    unlisted(survey, "news-worker1-1");
    const { units, tors } = seenOf(survey, "worker1");
    Object.assign(units[2] ?? {}, { state: "failed", sub: "failed", age: null });
    Object.assign(tors[0] ?? {}, { error: "nothing listens", bootstrapped: null, circuits: null, guards: null });
    assert.deepEqual(told(survey), { roots: ["unit worker1"], after: ["backend news-worker1-1"], because: [] });
  });

  test("a machine has no way to the Tor network", () => {
    const survey = healthy();
    for (const tor of seenOf(survey, "worker1").tors) {
      Object.assign(tor, { guards: { up: 0, all: 9 } });
      Object.assign(tor.backend ?? {}, { introductionPoints: 0 });
    }
    unlisted(survey, "news-worker1-1");
    unlisted(survey, "news-worker1-2");
    const backends = ["news-worker1-1", "news-worker1-2"];
    const after = ["introduction-points", "backend"].flatMap((check) => backends.map((name) => `${check} ${name}`));
    assert.deepEqual(told(survey), { roots: ["guards worker1"], after, because: [] });
  });

  test("the balancer's tor is down: Onionbalance, the descriptors and the backends follow", () => {
    const survey = healthy();
    const { units, tors, publisher } = seenOf(survey, "balancer1");
    Object.assign(units[0] ?? {}, { state: "failed", sub: "failed", age: null });
    Object.assign(tors[0] ?? {}, { error: "nothing listens", bootstrapped: null, circuits: null, guards: null });
    Object.assign(publisher ?? {}, { error: "its status socket does not answer" });
    for (const site of publisher?.sites ?? [])
      Object.assign(site, {
        published: { error: "the balancer's tor: nothing listens", points: 0, unknown: 0, took: 0 },
      });
    const after = ["publishing balancer1", "descriptor www.daily.test", "descriptor court.test"];
    assert.deepEqual(told(survey), { roots: ["unit balancer1"], after, because: [] });
  });

  test("an nginx is down: its sites and its release say so", () => {
    const survey = healthy();
    const { units, proxies } = seenOf(survey, "worker1");
    Object.assign(units[1] ?? {}, { state: "inactive", sub: "dead", age: null });
    Object.assign(proxies[0] ?? {}, { answers: false });
    Object.assign(proxies[0]?.sites[0] ?? {}, { status: null });
    const after = ["upstream www.daily.test", "release worker1"];
    assert.deepEqual(told(survey), { roots: ["unit worker1"], after, because: [] });
  });

  test("a machine is gone, and the watchdog leaves its backends out", () => {
    const survey = withFault({ ...fault("unreachable", /worker/), base: distinct });
    leave(survey, "news-worker2-1");
    leave(survey, "news-worker2-2");
    const after = ["left-out balancer1"];
    assert.deepEqual(told(survey), { roots: ["unreachable worker2"], after, because: [] });
  });

  test("a balancer's clock is wrong: directories refuse what it publishes", () => {
    const survey = withFault(fault("directories", /refuse and hang/));
    Object.assign(seenOf(survey, "balancer1").system, { clockAhead: -7200 });
    const after = ["directories www.daily.test"];
    assert.deepEqual(told(survey), { roots: ["clock balancer1"], after, because: [] });
  });

  test("a balancer has no way out: its watchdog cannot judge", () => {
    const survey = withFault({ change: () => undefined, base: distinct });
    const { tors, publisher } = seenOf(survey, "balancer1");
    for (const tor of tors) Object.assign(tor, { guards: { up: 0, all: 8 } });
    Object.assign(publisher?.watchdog ?? {}, { broken: "no backend has answered for 40 s" });
    const after = ["watchdog balancer1"];
    assert.deepEqual(told(survey), { roots: ["guards balancer1"], after, because: [] });
  });

  test("every backend of a site is down: there is no descriptor because of that", () => {
    const survey = healthy();
    for (const name of ["worker1", "worker2"])
      for (const unit of seenOf(survey, name).units)
        if (unit.kind === "tor") Object.assign(unit, { state: "inactive", sub: "dead", age: null });
    for (const site of seenOf(survey, "balancer1").publisher?.sites ?? [])
      Object.assign(site, { published: { error: "NOT_FOUND", points: 0, unknown: 0, took: 1 } });
    const after = ["descriptor www.daily.test", "descriptor court.test"];
    assert.deepEqual(told(survey), { roots: ["unit worker1", "unit worker2"], after, because: [] });
  });
});

test("more than ten backends are told before a client refuses them", () => {
  const survey = healthy();
  const site = seenOf(survey, "balancer1").publisher?.sites[0];
  for (let n = 0; n < 7; n++)
    (site?.backends as object[]).push({
      name: null,
      address: `${n}`.repeat(56),
      received: null,
      points: null,
      listed: 0,
    });
  const [first, ...others] = diagnose(survey);
  assert.equal(first?.check, "introduction-points");
  assert.match(first?.what ?? "", /^Onionbalance on balancer1 has 11 backends for www\.daily\.test/);
  assert.deepEqual([...new Set(others.map(({ check, severity }) => `${check} ${severity}`))], ["stranger amber"]);
});

test("two balancers publish: what a directory refuses one of them it has from the other", () => {
  const survey = withFault(at(faults.filter(({ words }) => words === "directories refuse and hang")));
  const refused = seenOf(survey, "balancer1").publisher?.sites[0]?.told?.descriptors[0]?.directories ?? [];
  Object.assign(at(refused, 5), { state: "stored" });
  assert.equal(diagnose(survey).length, 1);
  (survey.machines as unknown as object[]).push({ name: "balancer2", seen: seenOf(distinct(), "balancer1") });
  assert.deepEqual(diagnose(survey), []);
});

test("distinct descriptors have room for more than ten backends, and not for more than 120", () => {
  const survey = distinct();
  const site = seenOf(survey, "balancer1").publisher?.sites[0];
  const row = { name: null, received: null, points: null, listed: 0, directories: 0 };
  const add = (n: number): void => {
    for (let i = 0; i < n; i++) (site?.backends as object[]).push({ ...row, address: `${i}`.padStart(56, "7") });
  };
  add(60);
  const of = (): string[] =>
    diagnose(survey).flatMap(({ check, what }) => (check === "introduction-points" ? [what] : []));
  assert.deepEqual(of(), []);
  add(60);
  assert.match(
    of()[0] ?? "",
    /^Onionbalance on balancer1 has 124 backends for www\.daily\.test: six directories .* room for 120/,
  );
});

test("what has just come up is given its time", () => {
  const survey = healthy();
  const { units, tors } = seenOf(survey, "worker1");
  Object.assign(units[2] ?? {}, { age: 20 });
  Object.assign(tors[0] ?? {}, { bootstrapped: 30, circuits: false, guards: null });
  Object.assign(tors[0]?.backend ?? {}, { introductionPoints: 0 });
  assert.deepEqual(diagnose(survey), []);
  unlisted(survey, "news-worker1-1");
  assert.deepEqual(
    diagnose(survey).map(({ check, severity }) => `${check} ${severity}`),
    ["backend amber"],
  );
});

test("a planned daemon with another plan than three points is measured by it", () => {
  const survey = healthy();
  Object.assign(seenOf(survey, "worker1").tors[0]?.backend ?? {}, { plannedPoints: 8 });
  assert.match(diagnose(survey)[0]?.what ?? "", /keeps 6 introduction points, and should keep 8 /);
});

test("every origin that a worker asks fails in the same way: it is the worker's", () => {
  const survey = healthy();
  const proxy = seenOf(survey, "worker1").proxies[0];
  const site = { status: 502, seconds: 0.1, error: "www.daily.test could not be resolved (2: Server failure)" };
  Object.assign(proxy ?? {}, {
    sites: [
      { domain: "a.test", ...site },
      { domain: "b.test", ...site },
    ],
  });
  assert.deepEqual(
    diagnose(survey).map(({ check, subject }) => `${check} ${subject}`),
    ["upstream worker1"],
  );
});
