import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { renewalTimes } from "./renewal";

const names = (most: number) => fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/), { maxLength: most });

test("every machine has a time, and no two the same as long as there are times", () => {
  fc.assert(
    fc.property(names(48), (machines) => {
      const times = renewalTimes(machines);
      assert.deepEqual([...times.keys()].sort(), machines.toSorted());
      for (const time of times.values()) assert.match(time, /^([01]\d|2[0-3]):[03]0$/);
      assert.equal(new Set(times.values()).size, machines.length);
    }),
  );
});

test("the order in which they are given changes nothing, and more than 48 are spread evenly", () => {
  const many = Array.from({ length: 100 }, (_, i) => `worker${i}`);
  const times = renewalTimes(many);
  assert.deepEqual(renewalTimes(many.toReversed()), times);
  const shared = [...new Set(times.values())].map((time) => [...times.values()].filter((each) => each === time).length);
  assert.ok(Math.max(...shared) <= 3);
});

test("a machine that goes moves the others only where their times met", () => {
  const three = renewalTimes(["worker1", "worker2", "worker3"]);
  const two = renewalTimes(["worker1", "worker3"]);
  for (const [name, time] of two) assert.equal(three.get(name), time);
});
