import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byName } from "./order";
import { planWaves, waveBefore } from "./waves";

const hosts = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/), { maxLength: 20 });
const rollout = fc.record({ canary: fc.integer({ min: 0, max: 6 }), waveSize: fc.integer({ min: 1, max: 6 }) });

test("the canary first, then so many at a time, by name", () => {
  const five = ["worker10", "worker2", "worker1", "worker3", "worker4"];
  assert.deepEqual(planWaves(five, { canary: 1, waveSize: 2 }), [
    ["worker1"],
    ["worker2", "worker3"],
    ["worker4", "worker10"],
  ]);
  assert.deepEqual(planWaves(five, { canary: 0, waveSize: 3 }), [
    ["worker1", "worker2", "worker3"],
    ["worker4", "worker10"],
  ]);
  assert.deepEqual(planWaves(["a", "b"], { canary: 7, waveSize: 1 }), [["a", "b"]]);
  assert.deepEqual(planWaves([], { canary: 1, waveSize: 1 }), []);
});

test("every host is in exactly one wave, no wave is empty or too large, and only the last is smaller", () => {
  fc.assert(
    fc.property(hosts, rollout, (hosts, { canary, waveSize }) => {
      const waves = planWaves(hosts, { canary, waveSize });
      assert.deepEqual(waves.flat(), hosts.toSorted(byName));
      waves.forEach((wave, i) => {
        const full = i === 0 && canary > 0 ? canary : waveSize;
        assert.ok(wave.length > 0 && wave.length <= full);
        if (i < waves.length - 1) assert.equal(wave.length, full);
      });
    }),
  );
});

test("the order in which hosts are given changes nothing", () => {
  const shuffled = hosts.chain((names) =>
    fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
  );
  fc.assert(
    fc.property(shuffled, rollout, ([given, other], rollout) => {
      assert.deepEqual(planWaves(other, rollout), planWaves(given, rollout));
    }),
  );
});

test("a host waits for the whole wave before it, so for all waves before: a failure stops every later one", () => {
  fc.assert(
    fc.property(hosts, rollout, (hosts, rollout) => {
      const waves = planWaves(hosts, rollout);
      const waitsFor = (host: string): Set<string> => {
        const before = waveBefore(waves, host);
        return new Set([...before, ...before.slice(0, 1).flatMap((other) => [...waitsFor(other)])]);
      };
      waves.forEach((wave, i) => {
        for (const host of wave) assert.deepEqual([...waitsFor(host)].sort(), waves.slice(0, i).flat().sort());
      });
    }),
  );
});

test("sizes that would never end or leave hosts out, and strangers, are refused", () => {
  for (const wrong of [-1, 0.5, NaN]) assert.throws(() => planWaves(["a"], { canary: wrong, waveSize: 1 }), RangeError);
  for (const wrong of [0, -1, 1.5, NaN]) {
    assert.throws(() => planWaves(["a"], { canary: 0, waveSize: wrong }), RangeError);
  }
  assert.throws(() => waveBefore([["a"]], "b"), RangeError);
});
