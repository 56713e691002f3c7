import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("the Python of the hosts: its own unit tests", () => {
  const { status, stderr } = spawnSync("python3", ["-B", "-m", "unittest"], { cwd: __dirname, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /Ran [1-9]\d* tests/);
});
