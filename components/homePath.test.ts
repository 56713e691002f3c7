import assert from "node:assert/strict";
import { homedir } from "node:os";
import { test } from "node:test";
import { homePath } from "./homePath";

test("~/ in front is the home folder; nothing else of a path changes", () => {
  assert.equal(homePath("~/.ssh/id"), `${homedir()}/.ssh/id`);
  for (const path of ["/etc/~/id", "keys/~", "~other/id", ""]) assert.equal(homePath(path), path);
});
