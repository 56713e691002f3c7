import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStackConfig } from "../config/parse";
import { budgetProblems, introductionBudget, mostBackends } from "./budget";
import { describePlan } from "./describe";
import { byName } from "./order";
import { type Plan, planBackends, planStack } from "./plan";

const sites = [{ domain: "www.example.org" }];
const lab = (keys: Record<string, unknown>): Plan =>
  planStack(parseStackConfig({ hosts: { provider: "lab" }, projects: [{ name: "news", sites }], ...keys }));

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const workerNames = fc.uniqueArray(name, { minLength: 1, maxLength: 5 });
const project = fc.record({ name, softmapTorWorkers: fc.integer({ min: 1, max: 10 }) });

test("backends are workers x daemons, with unique names and daemons numbered from 1 on each worker", () => {
  fc.assert(
    fc.property(project, workerNames, (project, workers) => {
      const backends = planBackends(project, workers);
      assert.equal(backends.length, workers.length * project.softmapTorWorkers);
      assert.equal(new Set(backends.map(({ name }) => name)).size, backends.length);
      for (const worker of workers) {
        const numbers = backends.filter((backend) => backend.worker === worker).map(({ index }) => index);
        assert.deepEqual(
          numbers,
          Array.from({ length: project.softmapTorWorkers }, (_, i) => i + 1),
        );
      }
      for (const { daemon, index } of backends) assert.equal(daemon, `${project.name}-${index}`);
    }),
  );
});

test("another worker or daemon changes no other backend", () => {
  fc.assert(
    fc.property(project, workerNames, name, (project, workers, added) => {
      fc.pre(!workers.includes(added));
      const before = planBackends(project, workers);
      const after = planBackends(project, [...workers, added]);
      assert.deepEqual(
        after.filter(({ worker }) => worker !== added),
        before,
      );
      const more = planBackends({ ...project, softmapTorWorkers: project.softmapTorWorkers + 1 }, workers);
      assert.deepEqual(
        more.filter(({ index }) => index <= project.softmapTorWorkers),
        before,
      );
    }),
  );
});

test("the order of workers and projects in the config changes nothing in the plan", () => {
  const shuffled = workerNames.chain((names) =>
    fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
  );
  fc.assert(
    fc.property(shuffled, ([given, other]) => {
      const projects = ["news", "shop"].map((name) => ({
        name,
        softmapTorWorkers: 1,
        sites: [{ domain: `${name}.example.org` }],
      }));
      const plan = lab({ balancers: ["zz-balancer"], workers: given, projects });
      assert.deepEqual(lab({ balancers: ["zz-balancer"], workers: other, projects: projects.toReversed() }), plan);
    }),
  );
});

test("one more counted worker adds a machine and its backends only", () => {
  for (let workers = 1; workers < 5; workers++) {
    const [before, after] = [lab({ workers }), lab({ workers: workers + 1 })];
    const names = (plan: Plan): string[] => plan.backends.map(({ name }) => name);
    assert.deepEqual(
      names(after).filter((name) => !name.includes(`worker${workers + 1}-`)),
      names(before),
    );
    assert.deepEqual(after.hosts.slice(0, before.hosts.length), before.hosts);
  }
});

test("the budget is two points a backend of at most twenty, and is refused exactly above ten backends", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), (workers, daemons) => {
      const budget = introductionBudget(workers, daemons);
      assert.equal(budget.backends, workers * daemons);
      assert.equal(budget.points, 2 * workers * daemons);
      const problems = budgetProblems({ name: "news", softmapTorWorkers: daemons }, workers);
      assert.equal(problems.length, budget.backends > mostBackends ? 1 : 0);
    }),
  );
});

test("the ways out that a refusal names are ways out", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 30 }), (workers, daemons) => {
      const next = budgetProblems({ name: "news", softmapTorWorkers: daemons }, workers)[0]?.next ?? "";
      const fewerDaemons = /softmapTorWorkers to (\d+)/i.exec(next)?.[1];
      const fewerWorkers = /(\d+) workers?/.exec(next)?.[1];
      for (const [w, d] of [
        [workers, fewerDaemons],
        [fewerWorkers, daemons],
      ]) {
        if (w !== undefined && d !== undefined) assert.ok(introductionBudget(Number(w), Number(d)).points <= 20, next);
      }
    }),
  );
});

for (const [topology, keys, balancers, pool] of [
  ["softmap 1", { workers: 0, workersOnBalancers: true }, ["balancer1"], ["balancer1"]],
  ["softmap 2", { workers: 1, workersOnBalancers: true }, ["balancer1"], ["balancer1", "worker1"]],
  ["softmap 3", { workers: 2, workersOnBalancers: true }, ["balancer1"], ["balancer1", "worker1", "worker2"]],
  ["softmap 4", { workers: 2 }, ["balancer1"], ["worker1", "worker2"]],
  ["softmap 4 with two balancers", { balancers: 2, workers: 2 }, ["balancer1", "balancer2"], ["worker1", "worker2"]],
] as const) {
  test(`${topology}: who does what, and what waits for what`, () => {
    const plan = lab(keys);
    assert.deepEqual(
      plan.hosts.filter(({ balancer }) => balancer).map(({ name }) => name),
      balancers,
    );
    assert.deepEqual(
      plan.hosts.filter(({ worker }) => worker).map(({ name }) => name),
      pool,
    );
    assert.equal(plan.backends.length, pool.length * 2);
    const steps = new Map(plan.steps.map((step) => [step.name, step]));
    for (const balancer of balancers) {
      assert.deepEqual(steps.get(`release balancer ${balancer}`)?.waitsFor, []);
      assert.deepEqual(steps.get(`publish ${balancer}`)?.waitsFor, [
        ...pool.map((host) => `release ${host}`),
        ...balancers.map((other) => `release balancer ${other}`),
      ]);
    }
    for (const host of pool) {
      assert.deepEqual(steps.get(`release ${host}`)?.waitsFor, []);
      assert.deepEqual(
        steps.get(`retire ${host}`)?.waitsFor,
        balancers.map((balancer) => `publish ${balancer}`),
      );
    }
    assert.equal(steps.size, plan.steps.length);
  });
}

test("steps are listed after everything that they wait for", () => {
  const counts = fc.record({ balancers: fc.integer({ min: 1, max: 3 }), workers: fc.integer({ min: 1, max: 5 }) });
  fc.assert(
    fc.property(counts, (keys) => {
      const projects = [{ name: "news", softmapTorWorkers: 1, sites }];
      const done = new Set<string>();
      for (const step of lab({ ...keys, projects }).steps) {
        for (const other of step.waitsFor) assert.ok(done.has(other), `${step.name} before ${other}`);
        done.add(step.name);
      }
    }),
  );
});

test("names sort by their numbers", () => {
  assert.deepEqual(["worker10", "worker2", "a"].toSorted(byName), ["a", "worker2", "worker10"]);
});

test("the description is a table of hosts and projects", () => {
  assert.equal(
    describePlan(lab({})),
    [
      "3 hosts, 1 balancer and 2 workers, 1 project, 1 site, 4 backends.",
      "",
      "  HOST       RUNS      BACKENDS",
      "  balancer1  balancer  -",
      "  worker1    worker    news-1 news-2",
      "  worker2    worker    news-1 news-2",
      "",
      "  PROJECT  SITES            BACKENDS                   IN EACH DESCRIPTOR",
      "  news     www.example.org  2 workers x 2 daemons = 4  8 of 20 introduction points",
      "",
      "Order: release (balancer1, worker1, worker2), then publish (balancer1), then retire (worker1, worker2). Each waits for all before it; retire removes only what left the plan.",
    ].join("\n"),
  );
});
