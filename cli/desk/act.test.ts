// What goes to machines by hand: a site opened, units started and stopped, journals.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { actProgram, openProgram, tailProgram } from "../../host/program";
import { main as start, restart, shutdown, stop } from "./act";
import { good, machines, read, said, silent } from "./deskKit";
import { main as logs } from "./logs";
import { main as open } from "./open";
import { onion, stack } from "./samples";

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
  const settled = { action: "start", settleSeconds: 180 } as const;
  const program = (host: string, more: object = {}): string =>
    actProgram({ host, stack: stack.stack, projects: [], ...settled, ...more });

  test("start of a project asks its workers; of a machine that machine", async () => {
    const { told, run } = machines((host) => ({ ...good, stdout: `${host}: 3 units started` }));
    const { code, out } = await said((streams) => start(["news"], streams, { read, run }));
    assert.equal(code, 0);
    assert.equal(out, "worker1: 3 units started\nworker2: 3 units started\n");
    assert.deepEqual(
      told.map(({ stdin }) => stdin),
      ["worker1", "worker2"].map((host) => program(host, { projects: ["news"] })),
    );
    told.length = 0;
    await said((streams) => start(["balancer1"], streams, { read, run }));
    assert.deepEqual(
      told.map(({ stdin }) => stdin),
      [program("balancer1")],
    );
  });

  test("stop takes names or --all, and nothing for nothing", async () => {
    const { told, run } = machines(() => good);
    for (const words of [[], ["--all", "news"], ["nwes"], ["--stack", ""]]) {
      const { code, err } = await said((streams) => stop(words, streams, { read, run }));
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /usage: npx softmap stop/);
    }
    assert.deepEqual(told, []);
    assert.equal((await said((streams) => stop(["--all"], streams, { read, run }))).code, 0);
    assert.equal(told.length, 3);
  });

  test("restart goes from one machine to the next, and stops at one that fails", async () => {
    const { told, run } = machines((host) =>
      host === "worker1" ? { ...good, code: 1, stderr: "softmap act on worker1 failed: x is not healthy" } : good,
    );
    const { code, err } = await said((streams) => restart(["--settle", "0", "news"], streams, { read, run }));
    assert.equal(code, 1);
    assert.equal(err, "softmap act on worker1 failed: x is not healthy\nLeft as they are: worker2.\n");
    assert.equal(told.length, 1);
    const wrong = await said((streams) => restart(["--settle", "soon", "news"], streams, { read, run }));
    assert.equal(wrong.code, 2);
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
