// Planned changes of what publishes, and of all machines at once; and the way back of a bad edit. Each under load with no failed request.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { execOn } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { balancerPaths, units } from "../../plan/names";
import { inOrder, neverRestarted, unsaid, type Work } from "./changeKit";
import { PlannedChanges } from "./plannedChanges";
import type { Rehearsal } from "./fixture";

describe("planned changes of balancers and of all machines, under load", { timeout: 3 * 60 * 60_000 }, () => {
  let stack: PlannedChanges;

  before(async () => {
    stack = await PlannedChanges.start({ name: "longswap", requests: 500, grace: "20s" });
  });
  after(() => stack?.end());

  /** What a balancer is doing: whether Onionbalance runs, how many site keys it has, whether they have a time to go. */
  async function balancer(host: string): Promise<{ runs: string; keys: number; purge: string }> {
    const on = async (...argv: string[]) => (await execOn(stack.rehearsal.lab, host, argv)).text.trim();
    return {
      runs: await on("systemctl", "is-active", units.onionbalance),
      keys: (await on("find", balancerPaths.keysDir, "-name", "*.key")).split("\n").filter((line) => line !== "")
        .length,
      purge: await on("systemctl", "is-active", "softmap-purge.timer"),
    };
  }
  const publishes = { runs: "active", keys: 2, purge: "inactive" };
  const keptForAWhile = { runs: "inactive", keys: 2, purge: "active" };

  test("first deploy", () => stack.deploy());

  test("a second balancer on standby: deployed and proved, and silent", async () => {
    const change = await stack.edit("a second balancer on standby", {
      balancers: ["balancer1", "balancer2"],
      publishing: ["balancer1"],
    });
    inOrder(
      change,
      /balancer2: release [0-9a-f]{12} is live/,
      /balancer2: stands by: 4 backends found, 2 sites' keys read/,
    );
    unsaid(change, /worker\d: (started|stopped|reloaded|restarted)|balancer2: started softmap-onionbalance/);
    assert.deepEqual(await balancer("balancer1"), publishes);
    assert.equal((await balancer("balancer2")).runs, "inactive");
  });

  /** An edit that has one balancer publish in place of the other: the new one has proved itself before the old one stops. */
  async function moves(title: string, to: string, from: string): Promise<void> {
    const change = await stack.edit(title, { publishing: [to] });
    inOrder(
      change,
      new RegExp(`${to}: started softmap-onionbalance`),
      new RegExp(`${to}: court\\.test .*published with 4 of 4 backends`),
      new RegExp(`${from}: stopped softmap-onionbalance`),
      new RegExp(`${to}: confirmed`),
    );
    assert.deepEqual(await balancer(to), publishes);
    assert.deepEqual(await balancer(from), keptForAWhile);
  }

  test("publishing moves over: the new one has proved itself before the old one stops", () =>
    moves("publishing moves to balancer2", "balancer2", "balancer1"));

  test("one edit moves back", () => moves("publishing moves back", "balancer1", "balancer2"));

  test("the balancer on standby is removed", async () => {
    const before = await stack.runs(["balancer1"]);
    await stack.edit("the second balancer removed", { balancers: ["balancer1"], publishing: undefined });
    assert.deepEqual(neverRestarted(before, await stack.runs(["balancer1"])), { came: [], gone: [] });
    assert.notEqual((await execOn(stack.rehearsal.lab, "balancer2", ["true"])).code, 0, "the machine is gone");
  });

  test("swap, first: new workers and a new balancer beside the old ones, warm and silent", async () => {
    const before = await stack.runs();
    const change = await stack.edit("swap: the new machines added", {
      workers: ["worker1", "worker2", "worker3", "worker4"],
      listed: ["worker1", "worker2"],
      balancers: ["balancer1", "balancer2"],
      publishing: ["balancer1"],
    });
    for (const host of ["worker3", "worker4"])
      inOrder(change, new RegExp(`${host}: 2 sites answered through Tor`), /balancer2: stands by: 4 backends found/);
    const { gone } = neverRestarted(before, await stack.runs());
    assert.deepEqual(gone, []);
  });

  test("swap, second: one edit moves to them", async () => {
    const before = await stack.runs();
    const change = await stack.edit("swap: the move", { listed: ["worker3", "worker4"], publishing: ["balancer2"] });
    inOrder(
      change,
      /balancer2: court\.test .*published with 4 of 4 backends/,
      /balancer1: stopped softmap-onionbalance/,
      /balancer2: confirmed/,
    );
    assert.deepEqual(neverRestarted(before, await stack.runs()), { came: [], gone: [] }, "the old ones are warm");
    assert.deepEqual(await balancer("balancer2"), publishes);
    assert.deepEqual(await balancer("balancer1"), keptForAWhile);
  });

  test("swap, third: the old machines are removed", async () => {
    const before = await stack.runs(["worker3", "worker4", "balancer2"]);
    await stack.edit("swap: the old machines removed", {
      workers: ["worker3", "worker4"],
      balancers: ["balancer2"],
      ...{ listed: undefined, publishing: undefined },
    });
    const now = await stack.runs(["worker3", "worker4", "balancer2"]);
    assert.deepEqual(neverRestarted(before, now), { came: [], gone: [] });
  });

  test("two balancers publish side by side", async () => {
    const change = await stack.edit("balancers 1 -> 2, both publish", { balancers: ["balancer2", "balancer3"] });
    inOrder(change, /balancer3: court\.test .*published with 4 of 4 backends/);
    assert.deepEqual(await balancer("balancer2"), publishes);
    assert.deepEqual(await balancer("balancer3"), publishes);
  });

  test("rollback takes the workers back by a command, and `up --refresh` forward again", async () => {
    await stack.edit("nginxTimeout, to be rolled back", stack.news({ nginxTimeout: "22s" }));
    const back = await stack.during("rollback by command", rollback(stack.rehearsal));
    inOrder(back, /rolled back in \d+\.\d s: worker3, worker4/);
    for (const host of stack.plan.workers) assert.match(await timeoutOn(host), /\b15s/);
    await stack.during("up --refresh after a rollback", stack.pulumi(["up", "--refresh", "--yes", "--skip-preview"]));
    for (const host of stack.plan.workers) assert.match(await timeoutOn(host), /\b22s/);
  });

  const timeoutOn = async (host: string) =>
    (
      await execOn(stack.rehearsal.lab, host, [
        "grep",
        "proxy_read_timeout",
        "/etc/softmap/worker/current/nginx/news/www.daily.test.conf",
      ])
    ).text;
});

/** `npx softmap rollback` of this stack, as an operator runs it. */
function rollback({ stack }: Rehearsal): Work {
  return (onLine) =>
    new Promise<PulumiRun>((resolve, reject) => {
      const started = performance.now();
      const lines: string[] = [];
      const args = ["-r", "./cli/register.js", "cli/main.ts", "rollback", "--stack", stack.name];
      const child = spawn(process.execPath, args, { env: { ...process.env, ...stack.environment } });
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          onLine(line);
        });
      child.on("error", reject);
      child.on("close", (code) => {
        const seconds = (performance.now() - started) / 1000;
        resolve({ code: code ?? 1, stdout: lines.join("\n"), stderr: "", seconds });
      });
    });
}
