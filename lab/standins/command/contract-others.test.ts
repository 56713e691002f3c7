/** remote.CopyToRemote, local.Command and cancelling: see contract.test.ts. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Contract, copy, local, remote, until } from "./testing/contract";
import type { Properties } from "../shared/testing/plugin";
import { secret, unknown } from "../shared/values";

const signature = "4dabf18193072939515e22adb298388d";
const hash = (content: string) => Buffer.from(content).toString("hex").padEnd(64, "0").slice(0, 64);
const text = (content: string) => ({
  [signature]: "c44067f5952c0a294b673a41bacd8c17",
  text: content,
  hash: hash(content),
});
const fileAsset = (path: string, kind = "c44067f5952c0a294b673a41bacd8c17") => ({
  [signature]: kind,
  path,
  hash: hash(path),
});
const archiveKind = "0def7320c3a5731c473e5ecbe6d01bc7";

describe("remote.CopyToRemote", () => {
  const it = new Contract();
  const copied = (source: Properties, remotePath: string) =>
    it.create(copy, { connection: it.connection(), source, remotePath });
  const read = (path: string) => readFileSync(join(it.folder, path), "utf8");

  test("a text becomes a file, its folders are made, and the connection is closed", async () => {
    const { id } = await copied(text("hello"), join(it.folder, "deep/er/file"));
    assert.match(id, /^[0-9a-f]{8}$/);
    assert.equal(read("deep/er/file"), "hello");
    await assert.rejects(
      copied(text("x"), it.folder),
      /is a directory; when using a text asset, remotePath must be a file path/,
    );
  });

  test("a file goes into a folder by name; a folder by name, or its content when it ends in a slash", async () => {
    mkdirSync(join(it.folder, "source/sub"), { recursive: true });
    mkdirSync(join(it.folder, "there"));
    writeFileSync(join(it.folder, "source/sub/a"), "a");
    await copied(fileAsset(join(it.folder, "source/sub/a")), join(it.folder, "there"));
    assert.equal(read("there/a"), "a");
    await copied(fileAsset(join(it.folder, "source"), archiveKind), join(it.folder, "there"));
    assert.equal(read("there/source/sub/a"), "a");
    await copied(fileAsset(join(it.folder, "source") + "/", archiveKind), join(it.folder, "there"));
    assert.equal(read("there/sub/a"), "a");
  });

  test("an update copies other content or to another path, not to another host", async () => {
    const path = join(it.folder, "updated");
    const { state } = await copied(text("one"), path);
    assert.equal(await it.dialsOf(() => it.plugin.update(copy, state, { ...state, source: text("two") })), 1);
    assert.equal(read("updated"), "two");
    const elsewhere = { ...state, connection: secret(it.connection({ host: "localhost" })) };
    assert.equal(await it.dialsOf(() => it.plugin.update(copy, state, elsewhere)), 0);
    assert.equal(await it.dialsOf(() => it.plugin.delete(copy, state)), 0);
    assert.ok(existsSync(path), "a delete removes nothing");
  });

  test("a source that a preview does not know yet fails check", async () => {
    const { failures } = await it.plugin.check(copy, {
      connection: it.connection(),
      source: unknown,
      remotePath: "/x",
    });
    assert.deepEqual(failures, [{ property: "asset", reason: "either asset or archive must be set" }]);
  });
});

describe("local.Command", () => {
  const it = new Contract();
  const here = (inputs: Properties) => it.create(local, inputs);

  test("runs with /bin/sh in the program's folder, `dir` or `interpreter`", async () => {
    assert.equal((await here({ create: "pwd" })).state["stdout"], it.folder);
    assert.equal((await here({ create: "pwd", dir: "/" })).state["stdout"], "/");
    assert.equal((await here({ create: "word", interpreter: ["/bin/echo", "the"] })).state["stdout"], "the word");
  });

  test("environment is added to the engine's, with the outputs of the run before", async () => {
    const { state } = await here({ create: "echo $WORD", environment: { WORD: "x" }, stdin: secret("") });
    assert.equal(state["stdout"], "x");
    const update = { ...state, update: 'echo $PULUMI_COMMAND_STDOUT; test -n "$PATH"' };
    assert.equal((await it.plugin.update(local, state, update))["stdout"], "x");
  });

  test("a failure says how it ended, the command and its output", async () => {
    await assert.rejects(here({ create: "cat; exit 2", stdin: "in" }), {
      message: 'exit status 2: running "cat; exit 2":\nin',
    });
  });

  test("`triggers` is a replacement", async () => {
    const old = { create: "true", triggers: ["a"], addPreviousOutputInEnv: true };
    const state = { ...old, stdout: "", stderr: "" };
    assert.deepEqual(await it.plugin.diff(local, state, { ...old, triggers: ["b"] }, old), {
      changes: true,
      replaces: ["triggers"],
    });
  });
});

describe("cancelling", () => {
  const it = new Contract();
  test("stops dialling and kills local commands", async () => {
    const mine = it.plugin;
    const dialling = mine.create(remote, {
      connection: secret({ host: "127.0.0.1", port: 1, user: "u", perDialTimeout: 15, dialErrorLimit: -1 }),
      create: "true",
    });
    const running = mine.create(local, { create: "echo up; exec sleep 60" });
    const ends = Promise.all([
      assert.rejects(dialling, /context canceled/),
      assert.rejects(running, /signal: killed: running/),
    ]);
    await until(() => mine.log.length > 1 && mine.log.some(({ message }) => message === "up"));
    await mine.cancel();
    await ends;
  });
});
