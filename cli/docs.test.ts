import assert from "node:assert/strict";
import { test } from "node:test";
import { staleFiles } from "./docs";

test("docs/config.md and docs/config.schema.json say what the schema says", () => {
  assert.deepEqual(staleFiles(), [], "stale files: run `npm run docs`");
});
