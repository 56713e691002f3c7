// What goes to machines by hand: a site opened, units started and stopped, journals.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { actProgram, openProgram, tailProgram } from "../../host/program";
import { main as start, restart, shutdown, stop } from "./act";
import { doorOf, good, machines, read, said, silent, stepOf, stepsOf } from "./deskKit";
import { main as logs } from "./logs";
import { main as open } from "./open";
import { onion, stack } from "./samples";
import type { DeployedStack } from "./survey";

describe("a site opened", () => {
  const answering = (told: object | string) =>
    machines(() => ({ ...good, stdout: typeof told === "string" ? told : `${JSON.stringify(told)}\n` }));

  test("by the first balancer", async () => {
    const { told, run } = answering({ status: 200, descriptor: 0.4, seconds: 1.24, error: null });
    const { code, out } = await said((streams) => open(["court.test"], streams, { read, run }));
    assert.deepEqual(
      [code, out],
      [0, `court.test ${onion("z")} answered 200 in 1.2 s (its descriptor after 0.4 s), by balancer1\n`],
    );
    assert.deepEqual(
      told.map(({ host, stdin }) => [host, stdin]),
      [["balancer1", openProgram({ host: "balancer1", address: onion("z") })]],
    );
  });

  for (const [status, text] of [
    [421, "the proxy does not know this site"],
    [502, "its origin does not"],
  ] as const) {
    test(`${status} ends with 1`, async () => {
      const { run } = answering({ status, descriptor: 0.4, seconds: 1, error: null });
      const { code, out } = await said((streams) => open(["court.test"], streams, { read, run }));
      assert.equal(code, 1);
      assert.match(out, new RegExp(text));
    });
  }

  test("no page, no balancer, rubbish", async () => {
    const none = answering({ status: null, descriptor: null, seconds: 60, error: "no descriptor: NOT_FOUND" });
    const nothing = await said((streams) => open(["court.test"], streams, { read, run: none.run }));
    assert.equal(nothing.code, 1);
    assert.match(nothing.out, /no page: no descriptor: NOT_FOUND in 60\.0 s, by balancer1/);
    const lost = await said((streams) => open(["court.test"], streams, { read, run: machines(() => silent).run }));
    assert.equal(lost.code, 1);
    assert.match(lost.err, /No balancer could ask for it\.\nbalancer1: nobody answers/);
    const rubbish = await said((streams) => open(["court.test"], streams, { read, run: answering("x").run }));
    assert.match(rubbish.err, /balancer1: its answer cannot be read/);
  });
});

describe("units by hand", () => {
  const program = (host: string, more: object = {}): string =>
    actProgram({ host, stack: stack.stack, projects: [], action: "start", ...more });

  test("start of a project asks its workers; of a machine that machine", async () => {
    const door = doorOf();
    const { told, run } = machines(
      (host, stdin) => door(host, stdin) ?? { ...good, stdout: `${host}: 3 units started` },
    );
    const { code, out } = await said((streams) => start(["news"], streams, { read, run }));
    assert.equal(code, 0);
    assert.equal(out, "worker1: 3 units started\nworker2: 3 units started\n");
    assert.deepEqual(
      told.slice(0, 2).map(({ stdin }) => stdin),
      ["worker1", "worker2"].map((host) => program(host, { projects: ["news"] })),
    );
    assert.deepEqual(stepsOf(told.slice(2)), ["balancer1 look"]);
    told.length = 0;
    await said((streams) => start(["balancer1"], streams, { read, run }));
    assert.deepEqual(
      told.map(({ stdin }) => stdin),
      [program("balancer1")],
    );
  });

  test("stop takes names or --all, and nothing for nothing", async () => {
    const { told, run } = machines(() => good);
    for (const words of [[], ["--all", "news"], ["nwes"], ["--stack", ""], ["--timeout", "soon", "news"]]) {
      const { code, err } = await said((streams) => stop(words, streams, { read, run }));
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /usage: npx softmap stop/);
    }
    assert.deepEqual(told, []);
    assert.equal((await said((streams) => stop(["--all", "--now"], streams, { read, run }))).code, 0);
    assert.deepEqual(stepsOf(told), ["worker1 stop", "worker2 stop", "balancer1 stop"]);
  });

  test("stop leaves backends out first, and start lists them again", async () => {
    const door = doorOf();
    const { told, run } = machines((host, stdin) => door(host, stdin) ?? good);
    const { code, out } = await said((streams) => stop(["worker1"], streams, { read, run }));
    assert.equal(code, 0);
    assert.match(out, /^news-worker1-1 and news-worker1-2: in no descriptor any more after 4\.1 s \(balancer1\)$/m);
    assert.deepEqual(stepsOf(told), ["balancer1 look", "balancer1 out", "worker1 stop"]);
    told.length = 0;
    const back = await said((streams) => start(["worker1"], streams, { read, run }));
    assert.deepEqual([back.code, stepsOf(told)], [0, ["worker1 start", "balancer1 look", "balancer1 back"]]);
    assert.match(back.out, /: listed again after 4\.1 s/);
    assert.deepEqual(door.left(), []);
  });

  test("a stop of all that a site has is said, and done", async () => {
    const door = doorOf();
    const { told, run } = machines((host, stdin) => door(host, stdin) ?? good);
    const { code, out } = await said((streams) => stop(["news"], streams, { read, run }));
    assert.equal(code, 0);
    assert.match(out, /^www\.daily\.test has no other backends: its visitors will notice$/m);
    assert.deepEqual(stepsOf(told), ["balancer1 look", "worker1 stop", "worker2 stop"]);
  });

  test("restart goes from one machine to the next through the door, and stops at one that fails", async () => {
    const door = doorOf();
    const { told, run } = machines((host, stdin) => door(host, stdin) ?? good);
    const whole = await said((streams) => restart(["news"], streams, { read, run }));
    assert.equal(whole.code, 0, whole.err);
    assert.deepEqual(
      stepsOf(told),
      ["worker1", "worker2"].flatMap((host) => [
        "balancer1 look",
        "balancer1 out",
        `${host} restart`,
        "balancer1 back",
      ]),
    );
    told.length = 0;
    const failing = machines((host, stdin) =>
      host === "worker1"
        ? { ...good, code: 1, stderr: "softmap act on worker1 failed: x is not healthy" }
        : (door(host, stdin) ?? good),
    );
    const { code, err } = await said((streams) => restart(["news"], streams, { read, run: failing.run }));
    assert.equal(code, 1);
    assert.equal(
      err,
      `softmap act on worker1 failed: x is not healthy
They stay left out.
  Next: when they are well, npx softmap undrain news-worker1-1 news-worker1-2.
Left as they are: worker2.
`,
    );
    assert.deepEqual(stepsOf(failing.told), ["balancer1 look", "balancer1 out", "worker1 restart"]);
  });

  test("restart of a site's only machine: one backend after the other; of its only backend: said, and done", async () => {
    const one = (backends: DeployedStack["backends"]) => () => Promise.resolve({ ...stack, backends });
    const both = stack.backends.slice(0, 2);
    const door = doorOf(both);
    const { told, run } = machines((host, stdin) => door(host, stdin) ?? good);
    const two = await said((streams) => restart(["worker1"], streams, { read: one(both), run }));
    assert.equal(two.code, 0, two.err);
    const parts = told.map(({ stdin }) => stepOf(stdin)).filter(({ step }) => step === "act");
    assert.deepEqual(
      parts.map(({ payload: { only, without } }) => [only, without]),
      [
        [undefined, ["news-worker1-2"]],
        [["news-worker1-2"], undefined],
      ],
    );
    assert.equal(stepsOf(told).filter((step) => step === "balancer1 out").length, 2);
    const single = both.slice(0, 1);
    const alone = doorOf(single);
    const last = machines((host, stdin) => alone(host, stdin) ?? good);
    const { code, out } = await said((streams) => restart(["worker1"], streams, { read: one(single), run: last.run }));
    assert.equal(code, 0);
    assert.match(out, /^news-worker1-1 is all that www\.daily\.test has: its visitors will notice the restart$/m);
    assert.deepEqual(stepsOf(last.told), ["balancer1 look", "balancer1 look", "worker1 restart"]);
  });

  test("no way through the door: nothing is restarted, and everything is as before", async () => {
    const lost = machines((host) => (host === "balancer1" ? silent : good));
    const none = await said((streams) => restart(["worker1"], streams, { read, run: lost.run }));
    assert.equal(none.code, 1);
    assert.match(
      none.err,
      /nobody answers .*\nBackends cannot be left out of the descriptors first\. Nothing was changed\.\n {2}Next: .*--now/,
    );
    assert.equal(lost.told.length, 1);
    const now = machines(() => good);
    assert.equal((await said((streams) => restart(["--now", "worker1"], streams, { read, run: now.run }))).code, 0);
    assert.deepEqual(stepsOf(now.told), ["worker1 restart"]);
    const door = doorOf(stack.backends, { why: "www.daily.test: 2 of 6 directories have yet to store its descriptor" });
    const late = machines((host, stdin) => door(host, stdin) ?? good);
    const { code, err } = await said((streams) => restart(["worker1"], streams, { read, run: late.run }));
    assert.equal(code, 1);
    assert.match(err, /: still in a descriptor after 4\.1 s\.\n {2}balancer1: www\.daily\.test: 2 of 6 directories/);
    assert.match(err, /Nothing was stopped, and they are listed as before\./);
    assert.deepEqual(stepsOf(late.told), ["balancer1 look", "balancer1 out", "balancer1 back"]);
    assert.deepEqual(door.left(), []);
  });

  test("shutdown asks for a yes, and stops balancers before workers", async () => {
    const { told, run } = machines((host) => (host === "worker1" ? silent : good));
    assert.equal((await said((streams) => shutdown([], streams, { read, run }))).code, 2);
    assert.deepEqual(told, []);
    const { code, err } = await said((streams) => shutdown(["--yes"], streams, { read, run }));
    assert.deepEqual([code, err], [1, `worker1: ${silent.message}.\n`]);
    assert.deepEqual(
      told.map(({ host }) => host),
      ["balancer1", "worker1", "worker2"],
    );
  });
});

describe("logs", () => {
  test("of everything, of a project, and without the beats", async () => {
    const { told, run } = machines((host) => ({ ...good, stdout: `a line of ${host}\n\n\n` }));
    const { code, out } = await said((streams) => logs(["-n", "5"], streams, { read, run }));
    assert.equal(code, 0);
    assert.deepEqual(out.trimEnd().split("\n").sort(), [
      "balancer1: a line of balancer1",
      "worker1: a line of worker1",
      "worker2: a line of worker2",
    ]);
    told.length = 0;
    await said((streams) => logs(["-f", "worker1", "news"], streams, { read, run }));
    assert.deepEqual(
      told.map(({ stdin }) => stdin),
      [tailProgram({ host: "worker1", projects: ["news"], lines: 50, follow: true })],
    );
  });

  test("a number that is none", async () => {
    for (const n of ["-1", "x", "1000000", "1.5"]) {
      const { code } = await said((streams) =>
        logs([`--lines=${n}`], streams, { read, run: machines(() => good).run }),
      );
      assert.equal(code, 2, n);
    }
  });
});
