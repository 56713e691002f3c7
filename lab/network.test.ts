import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { candidates, overlaps } from "./network";

test("a /24 overlaps what holds it and what it holds, nothing else", () => {
  assert.equal(overlaps("10.70.1", "10.70.1.0/24"), true);
  assert.equal(overlaps("10.70.1", "10.64.0.0/10"), true);
  assert.equal(overlaps("10.70.1", "10.70.1.9"), true);
  assert.equal(overlaps("10.70.1", "10.70.1.128/25"), true);
  assert.equal(overlaps("10.70.1", "10.70.2.0/24"), false);
  assert.equal(overlaps("10.70.1", "192.0.2.0/24"), false);
  assert.equal(overlaps("10.70.1", "default"), false);
  assert.equal(overlaps("10.70.1", "fd00::/64"), false);
});

test("every lab has 256 different places to try, all between 10.64 and 10.127", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/), (name) => {
      const all = candidates(name);
      assert.equal(new Set(all).size, 256);
      for (const subnet of all) assert.ok(overlaps(subnet, "10.64.0.0/10"), subnet);
    }),
  );
});
