// The take-over's order, and what it refuses, with machines that answer as told. The steps themselves: host/test_adopt.py, tests/lab/adopt.long.test.ts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Ran } from "../../host/ssh";
import { good, said } from "../desk/deskKit";
import { healthy, onion, stack } from "../desk/samples";
import type { Survey } from "../desk/survey";
import { main } from ".";
import type { Tools } from "./hosts";
import type { AdoptSeen, Installation } from "./seen";
import { notReady } from "./take";

const site = stack.sites[0]?.address ?? "";
const idle: AdoptSeen = { installations: [], collisions: [], proved: null };

const installation = (more: Partial<Installation> = {}): Installation => ({
  home: "/home/spray/onionspray",
  tool: "Onionspray",
  user: "spray",
  daemons: [
    {
      ...{ kind: "tor", project: "news", name: "hs-1", config: "/home/spray/onionspray/projects/news/hs-1/tor.conf" },
      ...{ pid: 7, pidFile: "right" },
    },
  ],
  frontends: [],
  backends: [{ address: onion("k"), project: "news", name: "hs-1", runs: true }],
  boot: [{ kind: "unit", path: "/etc/systemd/system/onionspray.service", when: "boot", on: true }],
  taken: { publisherOff: null, backendsOff: null },
  ...more,
});
const on = (...installations: Installation[]): AdoptSeen => ({ installations, collisions: [], proved: null });
const publisher = installation({ frontends: [{ address: site, by: "onionbalance", runs: true }] });
const off = { publisherOff: 1000, backendsOff: 2000 };

type Answer = (host: string, action: string) => Ran | Error | undefined;

/** Machines that look so, and do each step well unless told otherwise. `did` is what they were asked to do, looks left out. */
function world(looks: Readonly<Record<string, AdoptSeen>>, answer: Answer = () => undefined, survey = healthy()) {
  const did: string[] = [];
  const waited: number[] = [];
  const act = async (host: string, stdin: string, onLine?: (line: string) => void): Promise<Ran> => {
    const action = /\\"action\\":\\"(\w+)\\"/.exec(stdin)?.[1] ?? "confirm";
    if (action !== "look") did.push(`${action} ${host}`);
    const look = { ...good, stdout: `${JSON.stringify(looks[host] ?? idle)}\n` };
    const ran = answer(host, action) ?? (action === "look" ? look : good);
    if (ran instanceof Error) throw ran;
    if (action !== "look") onLine?.(`${host}: ${action} done`);
    return Promise.resolve(ran);
  };
  const tools: Tools = {
    read: () => Promise.resolve(stack),
    run: (connection, _command, stdin, { onLine }) =>
      act([...stack.machines].find(([, each]) => each === connection)?.[0] ?? "nobody", stdin, onLine),
    ssh: (target, _command, stdin, { onLine }) => act(target, stdin, onLine),
    survey: () => Promise.resolve(survey),
    wait: async (seconds) => void waited.push(seconds),
    now: () => 1000,
  };
  const adopt = (...words: string[]) => said((streams) => main(words, streams, tools));
  return { did, waited, adopt };
}

describe("the call", () => {
  test("wrong ones: exit 2, the usage, and nobody is asked; --help: exit 0", async () => {
    const { did, adopt } = world({});
    for (const words of [
      ["everything"],
      ["take", "back"],
      ["take", "--grace", "10"],
      ["take", "--json"],
      ["--dir", "onionspray"],
      ["--also", "-oProxyCommand=x"],
      ["--also", ""],
    ]) {
      const { code, err } = await adopt(...words);
      assert.equal(code, 2, words.join(" "));
      assert.match(err, /\n\nusage: npx softmap adopt /);
    }
    const { code, out } = await adopt("--help");
    assert.equal(code, 0);
    assert.match(out, /^usage: npx softmap adopt /);
    assert.deepEqual(did, []);
  });
});

describe("look", () => {
  test("what there is on each machine, and nothing is done", async () => {
    const collisions = ["the user softmap-tor is there. Next: rename it"];
    const { did, adopt } = world({ balancer1: on(publisher), worker1: { ...on(installation()), collisions } });
    const { code, out, err } = await adopt();
    assert.deepEqual([code, err, did], [0, "", []]);
    assert.match(out, /^balancer1: Onionspray in \/home\/spray\/onionspray, of the user spray: 1 of 1 processes run$/m);
    assert.match(out, /^ {2}publishes +y{56}\.onion +by Onionbalance +www\.daily\.test$/m);
    assert.match(out, /^ {2}started +at boot +\/etc\/systemd\/system\/onionspray\.service$/m);
    assert.match(out, /^ {2}In the way: the user softmap-tor is there\. Next: rename it\.$/m);
    assert.match(out, /^worker2: no Onionspray and no EOTK$/m);
    assert.match(out, /\nNothing was changed\.\n$/);
  });

  test("as JSON, and a machine that is none of the stack's", async () => {
    const { adopt } = world({ "root@old": on(publisher) });
    const { code, out } = await adopt("look", "--json", "--also", "root@old");
    assert.equal(code, 0);
    const seen = JSON.parse(out) as Record<string, AdoptSeen>;
    assert.deepEqual(Object.keys(seen), ["balancer1", "worker1", "worker2", "root@old"]);
    assert.deepEqual(seen["root@old"]?.installations, [publisher]);
  });

  test("a machine that does not answer, one that fails, one that talks nonsense: exit 1 and why", async () => {
    const silent = Object.assign(new Error("nobody answers"), { reached: false });
    const bad: Readonly<Record<string, Ran | Error>> = {
      balancer1: silent,
      worker1: { ...good, code: 1, stderr: "softmap adopt on worker1 failed: no.\n" },
      worker2: { ...good, stdout: "hello\n" },
    };
    const { code, out, err } = await world({}, (host) => bad[host]).adopt("look");
    assert.deepEqual([code, out], [1, ""]);
    assert.equal(
      err,
      "balancer1: nobody answers.\nsoftmap adopt on worker1 failed: no.\nworker2: its answer cannot be read.\n",
    );
  });
});

describe("take", () => {
  const looks = { balancer1: on(publisher), worker1: on(installation()), worker2: on(installation()) };

  test("their publisher off, ours proved, the grace time, their backends off one machine first", async () => {
    const { did, waited, adopt } = world(looks);
    const { code, out, err } = await adopt("take");
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual(did, [
      ...["quiet balancer1", "quiet worker1", "quiet worker2", "prove balancer1"],
      ...["confirm balancer1", "off balancer1", "off worker1", "off worker2", "confirm balancer1"],
    ]);
    assert.deepEqual(waited, [600]);
    assert.match(out, /Taken over: ours serves alone/);
  });

  test("interrupted in the grace time: only what was left of it is waited for", async () => {
    const taken = { publisherOff: 700, backendsOff: null };
    const quiet = installation({ taken, frontends: [{ address: site, by: "onionbalance", runs: false }] });
    const { did, waited, adopt } = world({ balancer1: { ...on(quiet), proved: 750 } });
    assert.equal((await adopt("take", "--grace", "10m")).code, 0);
    assert.deepEqual(waited, [350]);
    assert.deepEqual(did, ["confirm balancer1", "off balancer1", "confirm balancer1"]);
  });

  test("interrupted before the proof: it is made up for, and the grace time begins with it", async () => {
    const taken = { publisherOff: 700, backendsOff: null };
    const quiet = installation({ taken, frontends: [{ address: site, by: "onionbalance", runs: false }] });
    for (const proved of [null, 600]) {
      const { did, adopt } = world({ balancer1: { ...on(quiet), proved } });
      assert.equal((await adopt("take")).code, 0);
      assert.deepEqual(did, ["prove balancer1", "confirm balancer1", "off balancer1", "confirm balancer1"]);
    }
  });

  test("ours does not prove itself: theirs is started again, and no backend is touched", async () => {
    const fails: Answer = (_, action) =>
      action === "prove" ? { ...good, code: 1, stderr: "not published\n" } : undefined;
    const { did, adopt } = world(looks, fails);
    const { code, err } = await adopt("take");
    assert.equal(code, 1);
    assert.deepEqual(did.slice(3), ["prove balancer1", "back balancer1", "back worker1", "back worker2"]);
    assert.match(err, /^not published\nOurs did not prove itself: theirs publishes again, beside ours\.\n {2}Next: /);
  });

  test("ours is gone after the grace time: no backend is touched", async () => {
    const fails: Answer = (_, action) =>
      action === "confirm" ? { ...good, code: 1, stderr: "not published\n" } : undefined;
    const { did, adopt } = world(looks, fails);
    const { code, err } = await adopt("take");
    assert.equal(code, 1);
    assert.deepEqual(did.slice(3), ["prove balancer1", "confirm balancer1"]);
    assert.match(err, /their backends go on\.\n {2}Next: /);
  });

  test("their publisher does not end on one machine: all are started again", async () => {
    const fails: Answer = (host, action) =>
      action === "quiet" && host === "worker1" ? { ...good, code: 1, stderr: "no\n" } : undefined;
    const { did, adopt } = world(looks, fails);
    assert.equal((await adopt("take")).code, 1);
    assert.deepEqual(did, [
      ...["quiet balancer1", "quiet worker1"],
      ...["back balancer1", "back worker1", "back worker2"],
    ]);
  });

  test("the first machine's backends do not go: the others stay", async () => {
    const fails: Answer = (_, action) => (action === "off" ? { ...good, code: 1, stderr: "no\n" } : undefined);
    const { did, adopt } = world(looks, fails);
    const { code, err } = await adopt("take");
    assert.equal(code, 1);
    assert.deepEqual(did.slice(-1), ["off balancer1"]);
    assert.match(err, /Next: see to what is named above, then: npx softmap adopt take/);
  });

  test("a site that this stack does not have, a key that cannot be told: refused, nothing is done", async () => {
    const frontends = [onion("q"), null].map((address) => ({ address, by: "onionbalance", runs: true }) as const);
    const { did, adopt } = world({ balancer1: on(installation({ frontends })) });
    const { code, err } = await adopt("take");
    assert.deepEqual([code, did], [1, []]);
    assert.match(err, /Theirs publishes q{56}\.onion, and no site of stack .* has it: it would go\.\n {2}Next: add it/);
    assert.match(err, /an address that cannot be told/);
    assert.match(err, /Nothing was changed: theirs serves as before\.\n$/);
  });

  test("a machine that does not answer: refused, nothing is done", async () => {
    const silent = Object.assign(new Error("nobody answers"), { reached: false });
    const { did, adopt } = world(looks, (host) => (host === "worker2" ? silent : undefined));
    const { code, err } = await adopt("take");
    assert.deepEqual([code, did], [1, []]);
    assert.match(err, /^worker2: nobody answers\.\nNothing was changed/);
  });

  test("nothing there, and all taken over already", async () => {
    const nothing = await world({}).adopt("take");
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /There is no Onionspray and no EOTK .*\n {2}Next: /);
    const daemons = installation().daemons.map((one) => ({ ...one, pid: null }));
    const done = world({ balancer1: on(installation({ daemons, taken: off })) });
    const { code, out } = await done.adopt("take");
    assert.deepEqual([code, done.did], [0, []]);
    assert.match(out, /All of theirs is off already/);
  });
});

describe("whether ours can stand alone", () => {
  const changed = (change: (survey: Survey) => unknown): string[] => {
    const survey = structuredClone(healthy());
    change(survey);
    return notReady(survey, [site]);
  };
  type Writable<T> = { -readonly [K in keyof T]: Writable<T[K]> };
  const seenOf = (survey: Survey, name: string) =>
    (survey.machines.find((one) => one.name === name)?.seen ?? assert.fail(name)) as Writable<
      NonNullable<Survey["machines"][number]["seen"]>
    >;
  const publisherOf = (survey: Survey) => seenOf(survey, "balancer1").publisher ?? assert.fail("no publisher");

  test("a stack that is well can", () => assert.deepEqual(notReady(healthy(), [site]), []));

  for (const [what, change, words] of [
    ["it stands by", (survey) => (publisherOf(survey).standby = true), /Ours does not publish www\.daily\.test yet/],
    ["Onionbalance is silent", (survey) => (publisherOf(survey).error = "silent"), /does not publish/],
    [
      "it has uploaded nothing",
      (survey) => publisherOf(survey).sites.forEach((one) => (one.attempted = null)),
      /does not publish/,
    ],
    [
      "a backend's descriptor never came",
      (survey) =>
        publisherOf(survey).sites.forEach((one) => one.backends.slice(0, 1).forEach((b) => (b.received = null))),
      /does not publish/,
    ],
    [
      "a unit has failed",
      (survey) =>
        seenOf(survey, "worker1")
          .units.filter(({ kind }) => kind === "tor")
          .forEach((one) => (one.state = "failed")),
      /worker1: softmap-tor@.* is failed/,
    ],
  ] as [string, (survey: Survey) => unknown, RegExp][]) {
    test(`not when ${what}`, () => assert.match(changed(change).join("\n"), words));
  }
});

describe("back", () => {
  test("backends first, then who publishes them; nothing to go back from: nothing is done", async () => {
    const frontends = [{ address: site, by: "onionbalance", runs: false }] as const;
    const { did, adopt } = world({
      balancer1: on(installation({ frontends, taken: off })),
      worker1: on(installation({ taken: off })),
      worker2: on(installation()),
    });
    const { code, out } = await adopt("back");
    assert.equal(code, 0);
    assert.deepEqual(did, ["back worker1", "back balancer1"]);
    assert.match(out, /publishes beside ours/);
    const none = world({ balancer1: on(publisher) });
    assert.match((await none.adopt("back")).out, /^Nothing was taken over/);
    assert.deepEqual(none.did, []);
  });

  test("backends that do not start: nothing publishes them", async () => {
    const frontends = [{ address: site, by: "onionbalance", runs: false }] as const;
    const looks = { balancer1: on(installation({ frontends, taken: off })), worker1: on(installation({ taken: off })) };
    const fails: Answer = (_, action) => (action === "back" ? { ...good, code: 1, stderr: "no\n" } : undefined);
    const { did, adopt } = world(looks, fails);
    assert.equal((await adopt("back")).code, 1);
    assert.deepEqual(did, ["back worker1"]);
  });
});
