/**
 * Twelve, thirty, sixty backends behind one site, all that may happen to them and to what publishes them, under load. A clock that jumps cannot be
 * made here, the lab's hosts have this machine's: host/test_watchdog.py and host/test_publisher.py have it with a clock of their own.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { execOn, hangRelay, reboot, wakeRelay, type Load } from "../../lab/lab";
import { currentFile, operatorLeaveOut, publisherFiles, units } from "../../plan/names";
import { Beyond, brokenIn, tellSpread, writeList, type Backend, type Harm } from "./beyondKit";
import { measureDead, measurePublished, someOf, tellDead, tellPublished, visit } from "./beyondMeasures";
import { wrongIn, type Round } from "./beyondWatch";
import { refused, shown } from "./faultKit";
import { succeeded, upHeard } from "./killKit";

/** Seconds in which a dead backend is out of every directory's descriptor. */
const OUT = 30;
const now = (): number => Date.now() / 1000;

describe("many backends: published, dead, back", { timeout: 3 * 60 * 60_000 }, () => {
  let stack: Beyond;
  let load: Load | undefined;

  before(async () => {
    stack = await Beyond.start("longbeyond");
  });
  after(async () => {
    await load?.kill();
    await stack?.end();
  });

  for (const [workers, daemons] of [
    [2, 6],
    [3, 10],
    [3, 20],
  ] as const)
    test(`${workers * daemons} backends: clients find each, as evenly as chance has it, in descriptors as they should be`, async () => {
      console.log(`    up: ${(await stack.up({ workers, daemons })).toFixed(1)} s`);
      const measured = await measurePublished(stack, 400);
      console.log(`    ${tellPublished(measured)}`);
      assert.deepEqual(measured.wrong, []);
      assert.equal(measured.failed, 0);
      const { spread } = measured;
      assert.equal(spread.reached, spread.backends, tellSpread(spread));
      assert.ok(spread.variation < 1.5 * spread.chance, tellSpread(spread));
    });

  for (const count of [1, 5, 15])
    for (const how of ["killed", "stopped", "cut off"] as const satisfies readonly Harm[])
      test(`${count} of 60 ${how}: out in seconds, visitors go on, and they come back`, async () => {
        load ??= await visit(stack);
        const measured = await measureDead(stack, load, { dead: someOf(stack.backends, count), how, limit: 120 });
        console.log(`    ${tellDead(measured)}`);
        assert.ok(measured.out !== null && measured.out < OUT, tellDead(measured));
        assert.ok(measured.back !== null, tellDead(measured));
        const { failed, cutOff, fetches } = measured;
        assert.ok(failed - cutOff <= fetches / 100, tellDead(measured));
      });
});

describe("up and down, two publishers, and faults of what publishes", { timeout: 3 * 60 * 60_000 }, () => {
  let stack: Beyond;
  const site = () => Object.values(stackStatus.sites)[0] ?? assert.fail("no site in the status");
  let stackStatus: Awaited<ReturnType<Beyond["status"]>>;

  before(async () => {
    stack = await Beyond.start("longbeyond");
  });
  after(() => stack?.end());

  /** Does it while visitors fetch: none of them fails. */
  async function unnoticed(what: string, work: () => Promise<unknown>, requests = 100): Promise<void> {
    const { report } = await (await stack.visitors()).during(what, work, { requests, patience: 240 });
    assert.deepEqual(brokenIn(report, []), []);
  }

  /** All backends of now are found again, in rounds that begin after this moment. */
  async function whole(since = now()): Promise<Round> {
    return (await stack.watch()).listed(stack.names(), since, 180);
  }

  test("up from 4 to 60 backends and back to 4: none of 500 visitors fails, the publisher is not started anew", async () => {
    await stack.up({ workers: 2, daemons: 2 });
    const publisher = await stack.publisher();
    await unnoticed("4 -> 60 backends", () => stack.up({ workers: 3, daemons: 20 }), 500);
    await stack.watchAnew();
    await whole();
    await unnoticed("60 -> 4 backends", () => stack.up({ workers: 2, daemons: 2 }), 500);
    await whole();
    assert.equal(await stack.publisher(), publisher);
  });

  test("the plan speaks of what cannot be shared evenly, and refuses what cannot be found", async () => {
    const previewed = async (workers: number, daemons: number) => {
      stack.configure({ workers, daemons });
      return stack.rehearsal.pulumi(["preview"]);
    };
    const uneven = succeeded(await previewed(4, 16));
    assert.match(shown(uneven), /64 backends/);
    for (const [workers, daemons] of [
      [11, 11],
      [50, 20],
    ] as const)
      refused(await previewed(workers, daemons), `= ${workers * daemons} backends`, "120");
  });

  test("two balancers publish side by side: nobody notices, every descriptor is as it should be", async () => {
    const shape = { workers: 2, daemons: 12 };
    await unnoticed("24 backends, two balancers", () => stack.up({ ...shape, settings: { balancers: 2 } }));
    const watch = await stack.watchAnew();
    const since = (await whole()).at;
    await unnoticed("two balancers at work", () => wait(90_000), 300);
    const rounds = watch.rounds(since);
    console.log(`    ${tellTurns(rounds)}`);
    for (const round of rounds) assert.deepEqual(wrongIn(round), []);
    const lacking = rounds.filter((round) => stack.names().some((name) => !watch.found(round).has(name)));
    console.log(`    ${lacking.length} of ${rounds.length} rounds without some backend`);
    await unnoticed("one balancer again", () => stack.up(shape));
    await whole();
  });

  test("an Onionbalance of an unknown version: the release is refused, and the old publisher goes on", async () => {
    const [publisher, module] = [await stack.publisher(), "/usr/lib/python3/dist-packages/onionbalance/__init__.py"];
    const script = `cp -p ${module} /run/known.py && printf '__version__ = "9.9.9"\\n' >>${module}`;
    await execOn(stack.lab, "balancer1", ["sh", "-c", script], { mayFail: false });
    try {
      const config = currentFile("publisher", publisherFiles.onionbalance);
      const settings = currentFile("publisher", publisherFiles.settings);
      const program = ["python3", "-I", currentFile("publisher", publisherFiles.program), "--check"];
      const asked = [...program, "-c", config, "-p", settings, "-s", "/nowhere"];
      const ran = await execOn(stack.lab, "balancer1", asked);
      assert.notEqual(ran.code, 0);
      assert.match(ran.stderr + ran.text, /Onionbalance 9\.9\.9 .*unknown.*Known: 0\.2\.2, 0\.2\.4/);
      stack.configure({ workers: 2, daemons: 12, settings: { timers: { fetch: "11s" } } });
      refused(await upHeard(stack.rehearsal), /Onionbalance 9\.9\.9 .*unknown/);
      assert.equal(await stack.publisher(), publisher);
    } finally {
      await execOn(stack.lab, "balancer1", ["sh", "-c", `cp -p /run/known.py ${module}`], { mayFail: false });
    }
    await stack.up({ workers: 2, daemons: 12 });
    await whole();
  });

  test("a backend that the operator leaves out is out at once and stays out; a list that is rubbish changes nothing", async () => {
    const [one = assert.fail()] = stack.backends;
    const its = { name: one.name, why: "a test", since: now() };
    const list = { version: 1, written: now(), valid: null, backends: { [one.address.replace(".onion", "")]: its } };
    await unnoticed("left out by the operator", async () => {
      const since = now();
      await writeList(stack.lab, "balancer1", operatorLeaveOut, JSON.stringify(list));
      const seconds = await (await stack.watch()).out([one.name], since, 60);
      console.log(`    out after ${seconds.toFixed(1)} s`);
      assert.ok(seconds < 15, `${seconds}`);
    });
    await writeList(stack.lab, "balancer1", operatorLeaveOut, JSON.stringify({ ...list, backends: [] }));
    await whole();
    stackStatus = await stack.status();
    assert.match(stackStatus.problems.join("\n"), /operator.*ignored/);
    await writeList(stack.lab, "balancer1", operatorLeaveOut, "");
  });

  test("every backend is dead: no descriptor gets empty, and all are back when they answer", async () => {
    const since = await stack.harm(stack.backends, "stopped");
    await wait(45_000);
    stackStatus = await stack.status();
    console.log(`    ${site().listed} of ${stack.backends.length} listed`);
    assert.ok(site().listed >= stack.backends.length / 2);
    for (const { directories } of (await stack.watch()).rounds(since))
      for (const { relay, state, points = {} } of directories)
        assert.ok(state !== "ok" || Object.keys(points).length > 0, relay);
    await whole(await stack.heal(stack.backends, "stopped"));
    assert.equal((await stack.rehearsal.fetch(`http://${stack.site}/`)).status, 200);
  });

  test("the publisher, its tor, the watchdog and the machine are started anew in the middle: nobody notices", async () => {
    for (const unit of [units.onionbalance, units.balancerTor, units.watchdog, units.proberTor])
      await unnoticed(`${unit} restarted`, async () => {
        await execOn(stack.lab, "balancer1", ["systemctl", "restart", unit], { mayFail: false });
        await wait(20_000);
        await whole();
      });
    await unnoticed("the balancer's machine reboots", async () => {
      await reboot(stack.lab, "balancer1");
      await wait(30_000);
      await whole();
    });
  });

  test("a directory hangs: the others get what is new in time, and visitors go on", async () => {
    const watch = await stack.watch();
    const { directories } = await whole();
    const hung = directories.find(({ asked, relay }) => asked && relay.startsWith("r"))?.relay ?? assert.fail();
    const [dead = assert.fail()] = stack.backends;
    await hangRelay(stack.lab, hung);
    try {
      const { report } = await (
        await stack.visitors()
      ).during(`${hung} hangs, a backend is killed`, async () => {
        const since = await stack.harm([dead], "killed");
        const others = () => {
          const rounds = watch
            .rounds(since)
            .filter((round) => outOfOthers(watch.shares.bind(watch), round, dead, hung));
          return rounds[0]?.ended;
        };
        const at = await watch.until(`${dead.name} is out of all other directories`, others, 120);
        console.log(`    out of all directories but ${hung} after ${(at - since).toFixed(1)} s`);
        assert.ok(at - since < OUT, `${at - since} s`);
      });
      assert.deepEqual(brokenIn(report, [dead]), []);
    } finally {
      await wakeRelay(stack.lab, hung);
    }
    await whole(await stack.heal([dead], "killed"));
  });
});

/** Every directory but the one that hangs answers, and has no point of that backend. */
function outOfOthers(
  shares: (answer: Round["directories"][number]) => Record<string, number>,
  { directories }: Round,
  dead: Backend,
  hung: string,
): boolean {
  const others = directories.filter(({ asked, relay }) => asked && relay !== hung);
  return others.every((one) => one.state === "ok" && (shares(one)[dead.name] ?? 0) === 0);
}

/** How often each directory got another descriptor, and whether one ever had a lower revision than before. */
function tellTurns(rounds: readonly Round[]): string {
  const [versions, lower] = [new Map<string, number[]>(), new Set<string>()];
  for (const { directories } of rounds)
    for (const { relay, revision, state } of directories) {
      if (state !== "ok" || revision === undefined) continue;
      const known = versions.get(relay) ?? [];
      if (revision < (known.at(-1) ?? 0)) lower.add(relay);
      if (revision !== known.at(-1)) versions.set(relay, [...known, revision]);
    }
  const counts = [...versions].map(([relay, known]) => `${relay} ${known.length}`);
  return `${rounds.length} rounds; versions by directory: ${counts.join(", ")}; lower revisions: ${[...lower].join(", ") || "none"}`;
}
