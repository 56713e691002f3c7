import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { parseStackConfig } from "../config/parse";
import { coresAdvice } from "./cores";
import { awsCost, describeCost, instanceTypes, monthlyCost } from "./cost";
import { describePlan } from "./describe";
import { planStack } from "./plan";

const stack = (hosts: object = {}, more: object = {}) =>
  parseStackConfig({
    hosts: { provider: "aws", region: "us-east-1", sshFrom: ["203.0.113.0/24"], ...hosts },
    projects: [{ name: "news", softmapTorWorkers: 2, sites: [{ domain: "www.example.org" }] }],
    ...more,
  });

test("one machine by hand: 0.0168 and 0.005 dollars an hour for 730 hours, 20 GiB at 0.08", () => {
  // 12.264 + 3.65 + 1.60
  const machine = { instanceType: "t4g.small", disk: 20, publicAddress: true };
  assert.deepEqual(monthlyCost([machine]), { dollars: 18, unknown: [] });
  assert.equal(monthlyCost([{ ...machine, publicAddress: false }]).dollars, 14);
});

test("a type without a known price is named, and the rest still counted", () => {
  const cost = monthlyCost([{ instanceType: "x2gd.medium", disk: 20, publicAddress: true }]);
  assert.deepEqual(cost, { dollars: 5, unknown: ["x2gd.medium"] });
  assert.match(
    describeCost(cost),
    /about 5 US dollars a month and the price of x2gd\.medium, which is not known here,/,
  );
});

test("each machine has its own type, that of its role, or the default of its architecture", () => {
  const { hosts } = stack({ workerType: "t4g.medium" }, { workers: ["a", { name: "b", instanceType: "c7g.large" }] });
  assert.ok(hosts.provider === "aws");
  assert.deepEqual(Object.fromEntries(instanceTypes(hosts)), {
    balancer1: "t4g.small",
    a: "t4g.medium",
    b: "c7g.large",
  });
  assert.equal(awsCost(hosts).dollars, Math.round((0.0168 + 0.0336 + 0.0725 + 3 * 0.005) * 730 + 3 * 20 * 0.08));
});

test("the table in the docs is what comes out here", () => {
  const text = readFileSync("docs/hosts-aws.md", "utf8");
  const of = (count: number, instanceType: string) =>
    Array.from({ length: count }, () => ({ instanceType, disk: 20, publicAddress: true }));
  const rows = [...text.matchAll(/\| ([0-9][^|]*?) +\| ([0-9]+) +\|/g)];
  assert.equal(rows.length, 4);
  for (const [, machines = "", dollars] of rows) {
    const all = [...machines.matchAll(/(\d+) ([a-z0-9]+\.[a-z0-9]+)/g)].flatMap(([, n, type = ""]) =>
      of(Number(n), type),
    );
    assert.deepEqual(monthlyCost(all), { dollars: Number(dollars), unknown: [] }, machines);
  }
});

test("more machines never cost less", () => {
  const machine = fc.record({
    instanceType: fc.constantFrom("t4g.small", "t3.large", "c7g.xlarge"),
    disk: fc.integer({ min: 8, max: 2048 }),
    publicAddress: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(machine), machine, (machines, another) => {
      assert.ok(monthlyCost([...machines, another]).dollars >= monthlyCost(machines).dollars);
    }),
  );
});

test("the plan says what a topology costs, and where cores do not fit", () => {
  const right = describePlan(planStack(stack()));
  assert.match(right, /\nCosts about 53 US dollars a month at us-east-1's list prices of /);
  assert.doesNotMatch(right, /core/);
  const many = describePlan(planStack(stack({ workerType: "c7g.medium" })));
  assert.match(many, /worker1 has 1 core for 2 tor daemons, 1 nginx: they will wait for one another\. Next: /);
  const few = describePlan(planStack(stack({ workerType: "c7g.2xlarge" })));
  assert.match(few, /worker2 has 8 cores for 2 tor daemons, 1 nginx: most will idle/);
  const lab = parseStackConfig({
    hosts: { provider: "lab" },
    projects: [{ name: "n", sites: [{ domain: "a.example" }] }],
  });
  assert.doesNotMatch(describePlan(planStack(lab)), /dollars|core/);
});

test("advice is given beyond twice the cores, and below half of four or more", () => {
  const load = (vcpus: number, daemons: number) =>
    coresAdvice({ host: "w", vcpus, daemons, proxies: 1, balancer: false });
  assert.equal(load(2, 3), undefined);
  assert.match(load(2, 4) ?? "", /wait for one another/);
  assert.equal(load(4, 1), undefined);
  assert.match(load(6, 1) ?? "", /idle/);
  assert.equal(load(2, 0), undefined);
});
