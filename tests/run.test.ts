import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { countsOf, ofLength } from "./run";

test("a filter that matches no file is a failure, beside one that matches too", () => {
  const args = ["-r", "./cli/register.js", "tests/run.ts", "plan/plan", "no/such/file"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.equal(stdout, "0 passed, 1 failed\n");
  assert.match(stderr, /^No test file has no\/such\/file in its path\.\n {2}Next: /m);
});

test("a stage without an overall summary has failed; with one it is what that says", () => {
  const stream = new EventEmitter();
  const counts = countsOf(stream);
  stream.emit("test:summary", { file: "a.test.ts", counts: { tests: 2, passed: 2 } });
  assert.deepEqual(counts, { passed: 0, failed: 1 });
  stream.emit("test:summary", { counts: { tests: 0, passed: 0 } });
  assert.deepEqual(counts, { passed: 0, failed: 1 });
  stream.emit("test:summary", { counts: { tests: 5, passed: 4 } });
  assert.deepEqual(counts, { passed: 4, failed: 1 });
});

test("a file is a long one, for `npm run test:faults`, or runs with `npm test`: none is left out, none runs in both", () => {
  const files = ["lab/a.e2e.test.ts", "lab/b.long.test.ts", "long.test.ts", "lab/along.test.ts"];
  assert.deepEqual(ofLength(files, true), ["lab/b.long.test.ts"]);
  assert.deepEqual(ofLength(files, false), ["lab/a.e2e.test.ts", "long.test.ts", "lab/along.test.ts"]);
});

test("a long test is none of `npm test`, and its next step names its own command", () => {
  const args = ["-r", "./cli/register.js", "tests/run.ts", "--long", "plan/plan"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(status, 1);
  assert.equal(stdout, "0 passed, 1 failed\n");
  assert.match(stderr, /^No test file has plan\/plan in its path\.\n {2}Next: npm run test:faults -- /m);
});
