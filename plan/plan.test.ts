import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseStackConfig } from "../config/parse";
import { introductionBudget } from "./budget";
import { describePlan } from "./describe";
import { byName } from "./order";
import { type Plan, planBackends, planStack } from "./plan";

const sites = [{ domain: "www.example.org" }];
const lab = (keys: Record<string, unknown>): Plan =>
  planStack(parseStackConfig({ hosts: { provider: "lab" }, projects: [{ name: "news", sites }], ...keys }));

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const workerNames = fc.uniqueArray(name, { minLength: 1, maxLength: 5 });
const generation = "3fa9";
const project = fc.record({
  name,
  softmapTorWorkers: fc.integer({ min: 1, max: 10 }),
  generation: fc.constant(generation),
});

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
      for (const { daemon, index, listed } of backends) {
        assert.equal(daemon, `${project.name}-${index}-${generation}`);
        assert.ok(listed);
      }
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

test("who is listed changes which backends are published, and nothing else", () => {
  fc.assert(
    fc.property(project, workerNames, fc.func(fc.boolean()), (project, workers, isListed) => {
      const listed = workers.filter((worker) => isListed(worker));
      const backends = planBackends(project, workers, listed);
      for (const backend of backends) assert.equal(backend.listed, listed.includes(backend.worker));
      assert.deepEqual(
        backends.map((backend) => ({ ...backend, listed: true })),
        planBackends(project, workers),
      );
    }),
  );
});

test("another generation is other daemons and the same backends", () => {
  const [old, young] = ["3fa9", "0c1d"].map((generation) =>
    planBackends({ name: "news", softmapTorWorkers: 2, generation }, ["worker1"]),
  );
  assert.deepEqual(
    old?.map(({ name }) => name),
    young?.map(({ name }) => name),
  );
  assert.deepEqual(
    young?.map(({ daemon }) => daemon),
    ["news-1-0c1d", "news-2-0c1d"],
  );
});

test("a site or tor's unit makes a new generation, what can be reloaded and other projects' sites do not", () => {
  const config = (news: Record<string, unknown>, shop: string) =>
    parseStackConfig({
      hosts: { provider: "lab" },
      projects: [
        { name: "news", sites, softmapTorWorkers: 1, ...news },
        { name: "shop", sites: [{ domain: shop }] },
      ],
    });
  const generations = (unit: string, news: Record<string, unknown> = {}, shop = "shop.example.org") =>
    planStack(config(news, shop), unit).projects.map(({ generation }) => generation);
  const [news, shop] = generations("unit");
  const reloaded = { torIntrosPerDaemon: 5, softmapTorWorkers: 2, nginxTimeout: "1m", backendHeader: true };
  const subdomains = { sites: [{ domain: "www.example.org", subdomains: ["cdn"] }] };
  for (const change of [reloaded, subdomains]) assert.deepEqual(generations("unit", change), [news, shop]);
  const another = generations("unit", { sites: [...sites, { domain: "b.example.org" }] });
  assert.notEqual(another[0], news);
  assert.equal(another[1], shop);
  assert.equal(generations("unit", {}, "c.example.org")[0], news);
  const unit = generations("another unit");
  assert.ok(unit[0] !== news && unit[1] !== shop);
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

test("only listed workers count: the pool may be larger than what is published, and each project's budget says so", () => {
  const plan = lab({ workers: 20, listed: ["worker3", "worker7"], projects: [{ name: "news", sites }] });
  assert.equal(plan.backends.length, 40);
  assert.deepEqual(plan.projects[0]?.budget, introductionBudget(2, 2));
  const listed = plan.backends.filter((backend) => backend.listed);
  assert.equal(listed.length, plan.projects[0]?.budget.backends);
  assert.deepEqual([...new Set(listed.map(({ worker }) => worker))], ["worker3", "worker7"]);
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
    // One canary, then two at a time: three machines are two waves.
    for (const host of pool) {
      const before = host === pool[0] ? [] : [`release ${pool[0]}`];
      assert.deepEqual(steps.get(`release ${host}`)?.waitsFor, before);
      assert.deepEqual(
        steps.get(`retire ${host}`)?.waitsFor,
        balancers.map((balancer) => `publish ${balancer}`),
      );
    }
    assert.equal(steps.size, plan.steps.length);
  });
}

test("blue/green: a balancer that stands by waits for the one that publishes, and what leaves waits for both", () => {
  const plan = lab({ balancers: 2, workers: 4, publishing: ["balancer2"], listed: ["worker3", "worker4"] });
  const steps = new Map(plan.steps.map((step) => [step.name, step]));
  assert.equal(steps.get("publish balancer1"), undefined);
  assert.deepEqual(steps.get("publish balancer2")?.waitsFor, [
    ...[1, 2, 3, 4].map((n) => `release worker${n}`),
    "release balancer balancer1",
    "release balancer balancer2",
  ]);
  assert.deepEqual(steps.get("stand by balancer1")?.waitsFor, ["publish balancer2"]);
  for (const n of [1, 2, 3, 4])
    assert.deepEqual(steps.get(`retire worker${n}`)?.waitsFor, ["publish balancer2", "stand by balancer1"]);
  assert.deepEqual(
    plan.hosts.map(({ name, publishes, listed }) => [name, publishes, listed]),
    [
      ["balancer1", false, false],
      ["balancer2", true, false],
      ["worker1", false, false],
      ["worker2", false, false],
      ["worker3", false, true],
      ["worker4", false, true],
    ],
  );
});

test("steps are listed after everything that they wait for", () => {
  const counts = fc.record({
    balancers: fc.integer({ min: 1, max: 3 }),
    workers: fc.integer({ min: 1, max: 5 }),
    publishing: fc.constantFrom(undefined, ["balancer1"]),
    rollout: fc.record({ canary: fc.integer({ min: 0, max: 3 }), waveSize: fc.integer({ min: 1, max: 3 }) }),
  });
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

test("the description is a table of hosts, projects and steps", () => {
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
      "Publisher: Onionbalance's own descriptors, because one descriptor has room for the backends of each project.",
      "",
      "  STEP                      ON",
      "  release, wave 1 (canary)  worker1",
      "  release, wave 2           worker2",
      "  release of balancers      balancer1",
      "  publish                   balancer1",
      "  retire                    worker1 worker2",
      "",
      "Each step waits for those above it; only the release of balancers runs beside the waves. A release that fails stops the waves after it. Retire removes only what left the plan.",
    ].join("\n"),
  );
});

test("the description says who stands by, who is not listed, and how long waves are watched; never a generation", () => {
  const keys = {
    balancers: 2,
    workers: 3,
    workersOnBalancers: true,
    rollout: { canary: 0, waveSize: 3, pause: "90s" },
  };
  const plan = lab({ ...keys, publishing: ["balancer1"], listed: ["balancer1", "worker2"] });
  const described = describePlan(plan);
  assert.equal(
    described,
    [
      "5 hosts, 2 balancers and 5 workers, 1 project, 1 site, 10 backends (4 listed).",
      "",
      "  HOST       RUNS                                          BACKENDS",
      "  balancer1  balancer and worker                           news-1 news-2",
      "  balancer2  balancer (stands by) and worker (not listed)  news-1 news-2",
      "  worker1    worker (not listed)                           news-1 news-2",
      "  worker2    worker                                        news-1 news-2",
      "  worker3    worker (not listed)                           news-1 news-2",
      "",
      "  PROJECT  SITES            BACKENDS                          IN EACH DESCRIPTOR",
      "  news     www.example.org  2 listed workers x 2 daemons = 4  8 of 20 introduction points",
      "",
      "Publisher: Onionbalance's own descriptors, because one descriptor has room for the backends of each project.",
      "",
      "  STEP                  ON",
      "  release, wave 1       balancer1 balancer2 worker1",
      "  release, wave 2       worker2 worker3",
      "  release of balancers  balancer1 balancer2",
      "  publish               balancer1",
      "  stand by              balancer2",
      "  retire                balancer1 balancer2 worker1 worker2 worker3",
      "",
      "Each step waits for those above it; only the release of balancers runs beside the waves. A release that fails stops the waves after it. Each wave is watched for 90s before the next. Retire removes only what left the plan.",
    ].join("\n"),
  );
  for (const { generation } of plan.projects) assert.ok(!described.includes(generation));
});

test("above ten backends the plan chooses distinct descriptors, for all projects, and says for which", () => {
  const projects = [
    { name: "news", sites },
    { name: "shop", softmapTorWorkers: 1, sites: [{ domain: "shop.example.org" }] },
  ];
  const plan = lab({ workers: 25, projects });
  assert.equal(plan.publisher.mode, "distinct");
  assert.deepEqual(
    plan.projects.map(({ name, budget }) => [name, budget.mode, budget.points, budget.share.least]),
    [
      ["news", "distinct", 20, 2],
      ["shop", "distinct", 20, 4],
    ],
  );
  const described = describePlan(plan);
  assert.match(
    described,
    /\n\nPublisher: distinct descriptors, because project news has 50 backends and one descriptor has room for 10\.\n\n/,
  );
  assert.match(described, / = 50 +20 of 20 introduction points, each backend in 2 or 3 of 6\n/);
  assert.match(described, / = 25 +20 of 20 introduction points, each backend in 4 or 5 of 6\n/);
  assert.match(described, /\n\n20 of the 50 backends of project news are in 3 of the 6 /);
  assert.match(described, /\n\n20 of the 25 backends of project shop are in 5 of the 6 /);
});

test("only listed backends choose the publisher, a small project stays as Onionbalance has it, the config's own word counts", () => {
  assert.equal(lab({ workers: 20, listed: ["worker1"] }).publisher.mode, "onionbalance");
  const shop = { name: "shop", softmapTorWorkers: 1, sites: [{ domain: "shop.example.org" }] };
  const mixed = lab({ workers: 6, projects: [shop, { name: "news", sites }] });
  assert.equal(mixed.publisher.why, "project news has 12 backends and one descriptor has room for 10");
  assert.deepEqual(
    mixed.projects.map(({ budget }) => budget.mode),
    ["distinct", "onionbalance"],
  );
  const said = lab({ publisher: "distinct", watchdog: { every: "5s" } });
  assert.match(
    describePlan(said),
    /Publisher: distinct descriptors, because the config says so; no project has more than 10/,
  );
  assert.deepEqual(said.advice, []);
});

test("a watchdog with settings that does not run is an advice, so that a stack can shrink without another edit", () => {
  assert.deepEqual(lab({ workers: 6, watchdog: { every: "5s" } }).advice, []);
  assert.match(lab({ watchdog: { every: "5s" } }).advice.join(), /^watchdog has settings, but none runs/);
});
