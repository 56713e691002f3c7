import assert from "node:assert/strict";
import { test } from "node:test";
import { raisedLimit } from "./limits";

test("the limit is raised where it is lower, and left alone where it is enough or not known", () => {
  assert.equal(raisedLimit("128\n"), 4096);
  assert.equal(raisedLimit("128\n", 200), 200);
  for (const enough of ["4096\n", "65536\n", "", "max"]) assert.equal(raisedLimit(enough), undefined, enough);
});
