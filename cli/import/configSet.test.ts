import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { configSet } from "./configSet";
import { folderOf, keysOf } from "./kit";

const value = Buffer.from(keysOf("a").secretFile).toString("base64");
const path = 'softmap:siteKeys["www.example.org"]';

test("a secret goes to Pulumi on stdin, and is on no command line", async (t) => {
  const folder = folderOf(t, { pulumi: '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.args"\ncat > "$0.stdin"\n' });
  const program = join(folder, "pulumi");
  chmodSync(program, 0o755);
  assert.equal(await configSet({ path, value, stack: "prod", file: "x.yaml" }, program), undefined);
  const args = readFileSync(`${program}.args`, "utf8").trim().split("\n");
  const wanted = ["config", "set", "--secret", "--path", path, "--stack", "prod", "--config-file", "x.yaml"];
  assert.deepEqual(args, [...wanted, "--non-interactive", "--color", "never"]);
  assert.equal(readFileSync(`${program}.stdin`, "utf8"), value);
});

test("what Pulumi says of a failure is passed on, without lines that have the secret", async (t) => {
  const folder = folderOf(t, {
    pulumi: '#!/bin/sh\ncat >&2\necho >&2\necho "error: no stack named prod" >&2\nexit 255\n',
  });
  const program = join(folder, "pulumi");
  chmodSync(program, 0o755);
  const said = await configSet({ path, value, stack: "prod" }, program);
  assert.equal(said, "error: no stack named prod");
  const none = await configSet({ path, value, stack: "prod" }, join(folder, "none"));
  assert.match(none ?? "", /Pulumi's CLI is not installed/);
});

test("a program that reads nothing and ends is told by its exit code", async (t) => {
  const folder = folderOf(t, { pulumi: "#!/bin/sh\nexit 3\n" });
  const program = join(folder, "pulumi");
  chmodSync(program, 0o755);
  assert.equal(await configSet({ path, value: value.repeat(10_000), stack: "prod" }, program), "pulumi said nothing");
});
