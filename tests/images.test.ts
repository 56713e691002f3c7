import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ensureLabImage } from "../lab/lab";
import { buildsFor, EXTRAS } from "./images";

test("only what the chosen files need is built, the host image first", () => {
  assert.deepEqual(buildsFor([]), []);
  assert.deepEqual(buildsFor(["tests/lab/onion.e2e.test.ts"]), [ensureLabImage]);
  for (const [file, build] of Object.entries(EXTRAS))
    assert.deepEqual(buildsFor(["lab/lab.e2e.test.ts", file]), [ensureLabImage, build]);
});

test("every file with an image of its own is there under that name", () => {
  for (const file of Object.keys(EXTRAS)) assert.ok(existsSync(file), file);
});
