// Twenty-four backends behind one site: each directory's descriptor has its own, dead ones are out in seconds, and going down to four is no restart.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { execOn } from "../../lab/lab";
import { operatorLeaveOut, units } from "../../plan/names";
import { Beyond, brokenIn, spreadOf, tellSpread, writeList } from "./beyondKit";
import { wrongIn } from "./beyondWatch";
import { within } from "./killKit";

/** Seconds in which a dead backend is out of every directory's descriptor. */
const OUT = 30;

describe("beyond ten backends", { timeout: 10 * 60_000 }, () => {
  let stack: Beyond;

  before(async () => {
    stack = await Beyond.start("e2ebeyond");
    await stack.up({ workers: 2, daemons: 12 });
  });
  after(() => stack?.end());

  test("clients find each of 24 backends; no descriptor has more than clients or directories take", async () => {
    const watch = await stack.watch();
    const round = await watch.listed(stack.names(), 0, 60);
    assert.equal(round.directories.filter(({ asked }) => asked).length, 6);
    for (const one of watch.rounds()) assert.deepEqual(wrongIn(one), []);
    for (const { relay, bytes, points = {} } of round.directories)
      console.log(`    ${relay}: ${Object.keys(points).length} points, ${bytes ?? 0} bytes`);
    const subsets = new Set(round.directories.map((one) => Object.keys(watch.shares(one)).sort().join()));
    assert.ok(subsets.size > 1, "the directories differ");
  });

  test("a leave-out list that is rubbish is told, and leaves nobody out", async () => {
    await writeList(stack.lab, "balancer1", operatorLeaveOut, "{ not JSON");
    const told = async () => (await stack.status()).problems.find((one) => /operator/.test(one) && /ignored/.test(one));
    await within(15, "the publisher tells of the list", async () => (await told()) !== undefined);
    console.log(`    ${(await told()) ?? ""}`);
    assert.equal(Object.values((await stack.status()).sites)[0]?.listed, stack.backends.length);
    const journal = await execOn(stack.lab, "balancer1", ["journalctl", "-q", "-o", "cat", "-u", units.onionbalance]);
    assert.match(journal.text, /operator.*ignored/);
    await writeList(stack.lab, "balancer1", operatorLeaveOut, "");
    await within(15, "nothing is wrong any more", async () => (await stack.status()).problems.length === 0);
  });

  test("one backend is killed and one hangs: both are out in seconds, no visitor fails, and they come back", async () => {
    const [watch, visitors] = [await stack.watch(), await stack.visitors()];
    const [killed, stopped] = [stack.backends[0] ?? assert.fail(), stack.backends[20] ?? assert.fail()];
    const { value, report } = await visitors.during("a backend killed, another stopped", async () => {
      const [since, later] = [await stack.harm([killed], "killed"), await stack.harm([stopped], "stopped")];
      const outs = [watch.out([killed.name], since, 90), watch.out([stopped.name], later, 90)] as const;
      const seconds = await Promise.all(outs);
      const healed = [await stack.heal([killed], "killed"), await stack.heal([stopped], "stopped")];
      await watch.listed(stack.names(), Math.max(...healed), 60);
      return seconds;
    });
    console.log(`    killed: out after ${value[0].toFixed(1)} s; stopped: after ${value[1].toFixed(1)} s`);
    assert.deepEqual(brokenIn(report, [killed, stopped]), []);
    assert.ok(Math.max(...value) < OUT, `out after ${value.join(" and ")} s`);
  });

  test("visitors reach every backend", async () => {
    const visitors = await stack.visitors();
    const spread = () => spreadOf(visitors.latest(Infinity).backends, stack.names());
    // The two that were away have had few visitors by now: of some hundreds one is bound to come to each.
    const all = () => Promise.resolve(spread().reached === stack.backends.length);
    await within(90, "each backend has had a visitor", all);
    console.log(`    ${tellSpread(spread())}`);
    assert.equal(spread().reached, stack.backends.length);
  });

  test("up from 24 to 4 backends: nobody fails, and the publisher is not started anew", async () => {
    const [before, visitors, watch] = [await stack.publisher(), await stack.visitors(), await stack.watch()];
    const { report } = await visitors.during("24 -> 4 backends", () => stack.up({ workers: 2, daemons: 2 }));
    // One directory that says nothing of its upload has another after a minute (uploads.py).
    await watch.listed(stack.names(), Date.now() / 1000 - 1, 90);
    assert.equal(report.failures, 0, JSON.stringify(report.failed));
    assert.equal(await stack.publisher(), before);
    for (const one of watch.rounds()) assert.deepEqual(wrongIn(one), []);
  });
});
