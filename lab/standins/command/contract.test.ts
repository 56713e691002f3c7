/**
 * What softmap relies on in remote.Command of @pulumi/command 1.2.1, one by one, asked of the plugin's own process. By
 * default that is the stand-in; SOFTMAP_COMMAND_PLUGIN=/path/to/pulumi-resource-command asks the real one.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Contract, remote, until, without } from "./testing/contract";
import type { Properties } from "../shared/testing/plugin";
import { isUnknown, plain, secret, unknown } from "../shared/values";

const signature = "4dabf18193072939515e22adb298388d";

describe("remote.Command", () => {
  const it = new Contract();
  test("one dial an operation; a create, update or delete that is not given dials nobody", async () => {
    const state: { now: Properties } = { now: {} };
    const inputs = { create: "echo made", update: "echo changed", delete: "echo gone" };
    assert.equal(await it.dialsOf(async () => (state.now = (await it.run(inputs)).state)), 1);
    assert.equal(await it.dialsOf(async () => (state.now = await it.plugin.update(remote, state.now, state.now))), 1);
    assert.equal(await it.dialsOf(() => it.plugin.delete(remote, state.now)), 1);
    assert.equal(
      await it.dialsOf(async () => (state.now = (await it.run({ update: "true", delete: "true" })).state)),
      0,
    );
    assert.deepEqual([state.now["stdout"], state.now["stderr"]], ["", ""]);
    assert.equal(await it.dialsOf(() => it.plugin.delete(remote, without(state.now, "delete"))), 0);
  });

  test("an update runs `update`, else `create`, else nothing, and keeps the old outputs then", async () => {
    const { state } = await it.run({ create: "echo made" });
    const inputs = without(state, "stdout", "stderr");
    assert.equal((await it.plugin.update(remote, state, { ...inputs, update: "echo changed" }))["stdout"], "changed");
    assert.equal((await it.plugin.update(remote, state, { ...inputs, stdin: "other" }))["stdout"], "made");
    const none = without(inputs, "create");
    assert.equal(
      await it.dialsOf(async () => assert.equal((await it.plugin.update(remote, state, none))["stdout"], "made")),
      0,
    );
  });

  test("outputs lose one newline at the end; the name and eight hex digits are the id", async () => {
    const { id, state } = await it.run({ create: "printf 'a\\n\\n'; printf ' b \\n' >&2" });
    assert.match(id, /^it[0-9a-f]{8}$/);
    assert.deepEqual([state["stdout"], state["stderr"]], ["a\n", " b "]);
  });

  test("stdin is sent whole, and ended at once when there is none", async () => {
    const big = "0123456789abcdef\n".repeat(40_000);
    assert.equal((await it.run({ create: "wc -c", stdin: secret(big) })).state["stdout"], `${big.length}`);
    assert.equal((await it.run({ create: "cat; echo end" })).state["stdout"], "end");
    assert.equal((await it.run({ create: "exec 0<&-; echo unread", stdin: big })).state["stdout"], "unread");
  });

  test("a failure says how it ended, the whole command, and all output in the order it came", async () => {
    const command = 'echo "out"; sleep 0.1; echo err >&2; sleep 0.1; echo more; exit 3';
    await assert.rejects(it.run({ create: command }), {
      message: `Process exited with status 3: running ${JSON.stringify(command)}:\nout\nerr\nmore\n`,
    });
    await assert.rejects(
      it.run({ create: "kill -TERM $$" }),
      /^Error: Process exited with status 143 from signal TERM: /,
    );
  });

  test("a connection that breaks ends the operation", async () => {
    const running = it.run({ create: "echo up; exec sleep 60" });
    running.catch(() => undefined);
    await until(() => it.plugin.log.some(({ message }) => message === "up"));
    it.server.cut();
    await assert.rejects(running, /wait: remote command exited without exit status or exit signal: running "echo up/);
  });

  test("it ends when every holder of its output has ended", async () => {
    const since = Date.now();
    assert.equal((await it.run({ create: "(sleep 0.7; echo late) & echo early" })).state["stdout"], "early\nlate");
    assert.ok(Date.now() - since > 600);
  });

  test("lines are logged live as status of the resource, as `logging` says", async () => {
    const named = remote.replace(/it$/, "talker");
    const inputs = { connection: it.connection(), create: "echo out; echo err >&2; exec sleep 60" };
    const running = it.plugin.create(named, (await it.plugin.check(named, inputs)).inputs);
    const lines = () => it.plugin.log.filter((line) => line.urn === named).map(({ message }) => message);
    await until(() => lines().length === 2);
    assert.deepEqual(lines().sort(), ["err", "out"]);
    assert.ok(
      it.plugin.log.filter((line) => line.urn === named).every((line) => line.passing && line.severity === "info"),
    );
    it.server.cut();
    await assert.rejects(running);
    for (const [logging, expected] of Object.entries({ stdout: ["o"], stderr: ["e"], none: [] })) {
      it.plugin.log.length = 0;
      const { state } = await it.run({ create: "echo o; echo e >&2", logging });
      assert.deepEqual(
        it.plugin.log.map(({ message }) => message),
        expected,
        logging,
      );
      assert.deepEqual([state["stdout"], state["stderr"]], ["o", "e"]);
    }
  });

  test("environment: set over SSH, and an error when the server refuses it", async () => {
    const environment = { LC_WORD: "hello" };
    assert.equal((await it.run({ create: "echo $LC_WORD", environment })).state["stdout"], "hello");
    await assert.rejects(
      it.run({ create: `touch ${it.folder}/ran`, environment: { OTHER: "x" } }),
      /could not set environment variable "OTHER": ssh: setenv failed/,
    );
    assert.ok(!existsSync(join(it.folder, "ran")), "the command must not run without its environment");
  });

  test("the outputs of the run before are in the environment, a refusal is a warning, and both can be off", async () => {
    const inputs = { connection: it.connection(), create: "echo first; echo second >&2" };
    const { state } = await it.create(remote, inputs);
    assert.equal(state["addPreviousOutputInEnv"], true);
    it.plugin.log.length = 0;
    const asks = { ...state, update: "echo got $PULUMI_COMMAND_STDOUT" };
    assert.equal((await it.plugin.update(remote, state, asks))["stdout"], "got first");
    const warnings = () => it.plugin.log.filter(({ severity }) => severity === "warning");
    assert.match(warnings()[0]?.message ?? "", /^Unable to set 'PULUMI_COMMAND_STDERR'\. .*AcceptEnv/s);
    it.plugin.log.length = 0;
    const off = { ...asks, addPreviousOutputInEnv: false };
    assert.equal((await it.plugin.update(remote, state, off))["stdout"], "got");
    assert.deepEqual(warnings(), []);
  });

  test("secrets: `connection` always, inputs as they came, outputs not by themselves", async () => {
    const { state } = await it.run({ create: secret("cat"), stdin: secret("word") });
    assert.deepEqual(state["stdin"], secret("word"));
    assert.deepEqual(state["create"], secret("cat"));
    assert.equal(state["stdout"], "word");
    assert.equal((state["connection"] as Properties)[signature], "1b47061264138c4ac30d75fd1eb44270");
  });

  test("defaults are filled in: user, port, dials, seconds", async () => {
    const { inputs } = await it.plugin.check(remote, { connection: { host: "h" }, create: "true" });
    const expected = { host: "h", user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
    assert.deepEqual(plain(inputs["connection"]), expected);
  });

  test("unknowns pass check and are a change", async () => {
    const { inputs, failures } = await it.plugin.check(remote, { connection: { host: unknown }, create: unknown });
    assert.deepEqual(failures, []);
    assert.ok(isUnknown(inputs["create"]));
    const old = { connection: secret({ host: "h" }), create: "true", stdout: "", stderr: "" };
    assert.equal((await it.plugin.diff(remote, old, { ...old, create: unknown })).changes, true);
  });

  test("any other input is an update, `triggers` a replacement, and the same nothing", async () => {
    const { inputs } = await it.plugin.check(remote, { connection: it.connection(), create: "true", triggers: ["a"] });
    const old = { ...inputs, stdout: "", stderr: "" };
    assert.deepEqual(await it.plugin.diff(remote, old, inputs, inputs), { changes: false, replaces: [] });
    const other = { ...inputs, connection: secret({ ...(plain(inputs["connection"]) as Properties), user: "root" }) };
    assert.deepEqual(await it.plugin.diff(remote, old, other, inputs), { changes: true, replaces: [] });
    const triggered = { ...inputs, triggers: ["b"] };
    assert.deepEqual(await it.plugin.diff(remote, old, triggered, inputs), { changes: true, replaces: ["triggers"] });
  });
});
