import assert from "node:assert/strict";
import { test } from "node:test";
import { staleFiles } from "./docs";

test("the files that are made from the schema say what it says", () => {
  assert.deepEqual(staleFiles(), [], "stale files: run `npm run docs`");
});
