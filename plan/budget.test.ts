import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  askedDirectories,
  budgetProblems,
  describeBudget,
  introductionBudget,
  mostBackends,
  mostDistinct,
  mostPoints,
  shareAdvice,
} from "./budget";
import { mostDaemons } from "./names";

const workers = fc.integer({ min: 1, max: 130 });
const daemons = fc.integer({ min: 1, max: 40 });
const publisher = fc.constantFrom("onionbalance" as const, "distinct" as const, undefined);

test("Onionbalance's is two points a backend of at most twenty, and is refused exactly above ten backends", () => {
  fc.assert(
    fc.property(workers, daemons, fc.boolean(), (workers, daemons, chosen) => {
      const budget = introductionBudget(workers, daemons, "onionbalance");
      assert.equal(budget.mode, "onionbalance");
      assert.equal(budget.points, 2 * workers * daemons);
      const project = { name: "news", softmapTorWorkers: daemons };
      const problems = budgetProblems(project, workers, { chosen, publisher: "onionbalance" });
      assert.equal(problems.length, budget.backends > mostBackends ? 1 : 0);
      assert.equal(problems.length, budget.points > mostPoints ? 1 : 0);
    }),
  );
});

test("up to ten backends every publisher has Onionbalance's arithmetic", () => {
  for (let backends = 1; backends <= mostBackends; backends++) {
    const [stock, ...others] = (["onionbalance", "distinct", undefined] as const).map((mode) =>
      introductionBudget(backends, 1, mode),
    );
    for (const other of others) assert.deepEqual(other, stock);
  }
});

test("distinct descriptors: never more than twenty points, all places taken, every backend found, fair by one", () => {
  fc.assert(
    fc.property(fc.integer({ min: mostBackends + 1, max: mostDistinct }), (backends) => {
      const { mode, points, limit, share } = introductionBudget(backends, 1);
      assert.equal(mode, "distinct");
      assert.ok(points <= limit && points === Math.min(limit, backends));
      const { least, most, many } = share;
      assert.ok(least >= 1 && most <= askedDirectories && most - least <= 1);
      assert.ok(many >= 1 && many <= backends && (most > least || many === backends));
      assert.equal(many * most + (backends - many) * least, askedDirectories * points);
      if (backends <= mostDistinct / 2) assert.ok(least >= 2);
      assert.deepEqual(budgetProblems({ name: "news", softmapTorWorkers: 1 }, backends), []);
    }),
  );
});

test("refused exactly above 120, whether the config says so or the plan", () => {
  fc.assert(
    fc.property(workers, daemons, fc.constantFrom("distinct" as const, undefined), (workers, daemons, publisher) => {
      const problems = budgetProblems({ name: "news", softmapTorWorkers: daemons }, workers, { publisher });
      assert.equal(problems.length, workers * daemons > mostDistinct ? 1 : 0);
    }),
  );
});

test("the ways out that a refusal names are ways out", () => {
  fc.assert(
    fc.property(workers, daemons, fc.boolean(), publisher, (workers, daemons, chosen, publisher) => {
      const given = { name: "news", softmapTorWorkers: daemons };
      const next = budgetProblems(given, workers, { chosen, publisher })[0]?.next ?? "";
      const fewerDaemons = /softmapTorWorkers to (\d+)/i.exec(next)?.[1];
      const fewerWorkers = /(\d+) workers?/.exec(next)?.[1];
      const right = (workers: number, softmapTorWorkers: number, mode = publisher): void => {
        assert.ok(softmapTorWorkers >= 1 && softmapTorWorkers <= mostDaemons, next);
        assert.deepEqual(budgetProblems({ name: "news", softmapTorWorkers }, workers, { publisher: mode }), [], next);
      };
      if (fewerDaemons !== undefined) right(workers, Number(fewerDaemons));
      if (fewerWorkers !== undefined) right(Number(fewerWorkers), daemons);
      if (/remove `publisher`/i.test(next)) right(workers, daemons, "distinct");
    }),
  );
});

test("what people are told of each number", () => {
  const told = (backends: number): string => describeBudget(introductionBudget(backends, 1));
  assert.equal(told(4), "8 of 20 introduction points");
  assert.equal(told(12), "12 of 20 introduction points, each backend in 6 of 6");
  assert.equal(told(30), "20 of 20 introduction points, each backend in 4 of 6");
  assert.equal(told(50), "20 of 20 introduction points, each backend in 2 or 3 of 6");
  assert.equal(told(60), "20 of 20 introduction points, each backend in 2 of 6");
  assert.equal(told(120), "20 of 20 introduction points, each backend in 1 of 6");
});

test("advice exactly where backends cannot be shared evenly, or are at one directory alone", () => {
  const told = (backends: number): string | undefined => shareAdvice("news", introductionBudget(backends, 1));
  for (let backends = 1; backends <= mostDistinct; backends++) {
    const even = backends <= mostPoints || mostDistinct % backends === 0;
    const text = told(backends) ?? "";
    assert.equal(text.includes("shared evenly"), !even, `${backends}`);
    assert.equal(text.includes("at one directory alone"), backends > mostDistinct / 2, `${backends}`);
  }
  assert.equal(
    told(50),
    "20 of the 50 backends of project news are in 3 of the 6 descriptors that clients ask for at a time, the others in 2: they get 3 visitors for 2 of the others. Next: nothing if they bear it; 40 or 60 backends are shared evenly.",
  );
  assert.equal(
    told(120),
    "With more than 60 backends some of project news are at one directory alone: visitors lose them while that one is away. Next: nothing if the others bear the visitors; or list 60 backends at most.",
  );
  assert.equal(shareAdvice("news", introductionBudget(50, 1, "onionbalance")), undefined);
});
