import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Duration, formatDuration, isDuration, parseDuration } from "./duration";
import { editDistance, nearest } from "./words";

test("durations are seconds", () => {
  const table: [Duration, number][] = [
    ["0s", 0],
    ["90s", 90],
    ["15m", 900],
    ["2h", 7200],
  ];
  for (const [text, seconds] of table) assert.equal(parseDuration(text), seconds);
  for (const text of ["", "15", "15 m", "1.5h", "-1s", "1d", "1e3s", "15m\n"])
    assert.equal(isDuration(text), false, JSON.stringify(text));
  assert.throws(() => parseDuration("1.5h"), RangeError);
});

test("a duration written and read again is the same", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9_999_999 }),
      (seconds) => parseDuration(formatDuration(seconds)) === seconds,
    ),
  );
});

test("edit distance counts a swap of neighbours as one, is symmetric and 0 for the same word only", () => {
  assert.equal(editDistance("projcets", "projects"), 1);
  assert.equal(editDistance("", "abc"), 3);
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
  );
});

test("a misspelt word finds its neighbour, Onionspray's spelling its own, and a stranger nobody", () => {
  const known = ["hosts", "balancers", "workers", "projects", "softmapTorWorkers"];
  assert.equal(nearest("wrokers", known), "workers");
  assert.equal(nearest("project", known), "projects");
  assert.equal(nearest("softmap_tor_workers", known), "softmapTorWorkers");
  assert.equal(nearest("colour", known), undefined);
  assert.equal(nearest("x", known), undefined);
});
