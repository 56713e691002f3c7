// What the desk looks at, without a machine: what is asked, what is printed, and how a command ends.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { bootstrap, surveyProgram } from "../../host/program";
import type { Ran } from "../../host/ssh";
import { StackError } from "../stack";
import { good, machines, read, said, silent } from "./deskKit";
import { machineNames, survey } from "./look";
import { main as maps, obMaps } from "./maps";
import { main as ps } from "./ps";
import { main as obStatus, siteNamed, whoserves } from "./publisher";
import { leave } from "../doctor/faultSamplesPublisher";
import { distinct, healthy, look, onion, seenOf, stack } from "./samples";
import type { MachineSeen, Survey } from "./survey";
import { span, tableOf } from "./table";

type Writable<T> = T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

describe("a look at a stack", () => {
  const seen = seenOf(healthy(), "worker1");
  const answer = JSON.stringify(seen);

  test("asks every machine once, balancers first, and a site of one worker alone", async () => {
    const { told, run } = machines(() => ({ ...good, stdout: `worker1: a word\n${answer}\n` }));
    const found = await survey(stack, { run });
    assert.deepEqual(
      found.machines.map(({ name }) => name),
      ["balancer1", "worker1", "worker2"],
    );
    assert.deepEqual(found.machines[1]?.seen, seen);
    const asked: Record<string, string[]> = { balancer1: [], worker1: ["www.daily.test"], worker2: ["court.test"] };
    for (const { host, command, stdin } of told) {
      assert.match(command, /^sh -c .* softmap now=\d{10}$/);
      assert.ok(command.startsWith(bootstrap));
      assert.equal(stdin, surveyProgram({ host, ask: asked[host] ?? [], quick: false }));
    }
    assert.equal(told.length, 3);
  });

  test("quickly: asks no site and no network; and only those that are named", async () => {
    const { told, run } = machines(() => ({ ...good, stdout: answer }));
    await survey(stack, { run, quick: true, only: ["worker2"] });
    assert.deepEqual(
      told.map(({ stdin }) => stdin),
      [surveyProgram({ host: "worker2", ask: [], quick: true })],
    );
  });

  test("a machine that is silent, one that fails and one that says rubbish are named, the others are told", async () => {
    const answers: Record<string, Ran | Error> = {
      balancer1: silent,
      worker1: { code: 1, stdout: "", stderr: "first\nsoftmap survey on worker1 failed: no room.\n" },
      worker2: { ...good, stdout: "not JSON" },
    };
    const { run } = machines((host) => answers[host] ?? good);
    const found = await survey(stack, { run });
    assert.deepEqual(
      found.machines.map(({ error }) => error),
      [silent.message, "softmap survey on worker1 failed: no room", "its answer cannot be read"],
    );
  });

  test("what is no fault of a machine is thrown", async () => {
    const { run } = machines(() => new TypeError("a bug"));
    await assert.rejects(survey(stack, { run }), /a bug/);
  });

  test("a machine that is balancer and worker stands once", () => {
    const both = { ...stack, balancers: ["worker2"], machines: new Map([...stack.machines].slice(1)) };
    assert.deepEqual(machineNames(both), ["worker2", "worker1"]);
  });
});

describe("maps", () => {
  test("a line for each site and backend", async () => {
    const { code, out } = await said((streams) => maps([], streams, { read }));
    assert.equal(code, 0);
    assert.equal(out.trimEnd().split("\n").length, 8);
    assert.equal(out.split("\n")[0], `${onion("y")} www.daily.test news softmap via ${onion("a")} news-worker1-1`);
    const json = await said((streams) => maps(["--json", "news"], streams, { read }));
    assert.equal((JSON.parse(json.out) as unknown[]).length, 8);
  });

  test("ob-maps: a line for each site", async () => {
    const { out } = await said((streams) => obMaps([], streams, { read }));
    assert.equal(out, `${onion("y")} www.daily.test\n${onion("z")} court.test\n`);
  });

  test("a project that is not there", async () => {
    const { code, err } = await said((streams) => obMaps(["nwes"], streams, { read }));
    assert.equal(code, 2);
    assert.match(err, /There is no project nwes\.\n {2}Next: did you mean news\?/);
  });

  test("a stack that cannot be read ends with 1 and its own words", async () => {
    const fail = () => Promise.reject(new StackError("Stack x has no outputs machines and backends.", "deploy it."));
    const { code, err } = await said((streams) => maps([], streams, { read: fail }));
    assert.equal(code, 1);
    assert.equal(err, "Stack x has no outputs machines and backends.\n  Next: deploy it.\n");
  });
});

/** A look that finds what a change makes of a healthy stack. */
function looks(change: (found: Writable<Survey>) => void = () => undefined) {
  const found = healthy();
  change(found as Writable<Survey>);
  return {
    read,
    look: (_: unknown, { only }: { readonly only?: readonly string[] } = {}) =>
      Promise.resolve({ ...found, machines: found.machines.filter(({ name }) => only?.includes(name) ?? true) }),
  };
}

const publisherOf = (found: Writable<Survey>) =>
  seenOf(found, "balancer1").publisher as Writable<NonNullable<MachineSeen["publisher"]>>;

describe("what is published", () => {
  test("ob-status: each site with its backends, from the balancers alone", async () => {
    const { code, out } = await said((streams) => obStatus([], streams, looks()));
    assert.equal(code, 0);
    assert.match(
      out,
      /^balancer1, onionbalance\nsite +address +tried +backend +received +its points +directories\nwww\.daily\.test .* 10 min +news-worker1-1 +60 s +3 +6 of 6\n/,
    );
    assert.doesNotMatch(out, /worker2\n/);
  });

  /** The same look at a stack with distinct descriptors. */
  const apart = (change: (found: Writable<Survey>) => unknown) => {
    const found = distinct();
    change(found as Writable<Survey>);
    return { read, look: () => Promise.resolve(found) };
  };

  test("ob-status: distinct descriptors, who is left out, what the watchdog finds, what the publisher has to say", async () => {
    const tools = apart((found) => {
      const { told, watchdog } = publisherOf(found);
      told?.problems.push("the list of the operator cannot be read: ignored as a whole");
      Object.assign(watchdog ?? {}, { broken: "no backend has answered for 40 s" });
      Object.assign(watchdog?.backends[3] ?? {}, { state: "unknown", age: 50 });
      leave(found, "news-worker2-2");
    });
    const { out } = await said((streams) => obStatus([], streams, tools));
    assert.match(
      out,
      /^balancer1, distinct\n {2}the list of the operator cannot be read: ignored as a whole\n {2}The watchdog is not judging: no backend has answered for 40 s\nsite /,
    );
    assert.match(out, /news-worker1-1 +60 s +3 +3 of 6 +answers in 0\.8 s\n/);
    assert.match(out, /news-worker2-2 +60 s +3 +out: watchdog +unknown for 50 s\n/);
  });

  test("ob-status: a publisher that does not start says why; one of before tells no directories", async () => {
    const refusing = apart((found) =>
      Object.assign(publisherOf(found), { error: "silent", said: "Onionbalance 0.3.0 is unknown" }),
    );
    assert.match(
      (await said((streams) => obStatus([], streams, refusing))).out,
      /^balancer1: Onionbalance: silent; it said last: Onionbalance 0\.3\.0 is unknown\n/,
    );
    const before = looks((found) => {
      Object.assign(publisherOf(found), { told: null });
      for (const site of publisherOf(found).sites) site.told = null;
    });
    assert.match((await said((streams) => obStatus([], streams, before))).out, /^balancer1\nsite .* its points\n/);
  });

  test("whoserves: all the directories that clients ask, who is left out, and which gave none", async () => {
    const tools = apart((found) => {
      leave(found, "news-worker2-2");
      const [site] = publisherOf(found).sites;
      Object.assign(site?.published ?? {}, { silent: [{ fingerprint: "1".repeat(40), why: "NOT_FOUND" }] });
    });
    const { code, out } = await said((streams) => whoserves(["www.daily.test"], streams, tools));
    assert.equal(code, 0);
    assert.match(
      out,
      /\n6 of 20 introduction points in the fullest of 5 descriptors, 8 in all, fetched by balancer1 in 2\.5 s\nno descriptor from the directory 11111111: NOT_FOUND\nbackend +its own address +directories +points/,
    );
    assert.match(out, /news-worker1-1 +a{56}\.onion +3 of 5 +6\n/);
    assert.match(out, /news-worker2-2 +d{56}\.onion +3 of 5 +0, left out by the watchdog: no answer for 12 s\n/);
  });

  test("ob-status: a dead Onionbalance, a lost balancer, one on standby", async () => {
    const dead = await said((streams) =>
      obStatus(
        [],
        streams,
        looks((found) => (publisherOf(found).error = "its status socket does not answer")),
      ),
    );
    assert.deepEqual([dead.code, dead.out], [1, "balancer1: Onionbalance: its status socket does not answer\n"]);
    const lost = await said((streams) =>
      obStatus(
        [],
        streams,
        looks((found) => (found.machines[0] = { name: "balancer1", error: "nobody answers" })),
      ),
    );
    assert.deepEqual([lost.code, lost.out], [1, "balancer1: not reached: nobody answers\n"]);
    const standby = await said((streams) =>
      obStatus(
        [],
        streams,
        looks((found) => (publisherOf(found).standby = true)),
      ),
    );
    assert.deepEqual([standby.code, standby.out], [0, "balancer1: stands by with 2 sites\n"]);
  });

  test("whoserves: whose points are in the descriptor", async () => {
    const { code, out } = await said((streams) => whoserves(["court.test"], streams, looks()));
    assert.equal(code, 0);
    assert.match(out, /^court\.test z{56}\.onion\n8 of 20 introduction points, fetched by balancer1 in 1\.2 s\n/);
    assert.match(out, /news-worker2-2 +d{56}\.onion +2\n$/);
  });

  for (const [what, change, text] of [
    [
      "no descriptor",
      (site) => (site.published = look({ error: "NOT_FOUND", points: 0, unknown: 0, took: 2 })),
      /no descriptor: NOT_FOUND/,
    ],
    [
      "a backend that is not in it",
      (site) => site.backends[0] && (site.backends[0].listed = 0),
      /news-worker1-1 +a{56}\.onion +0/,
    ],
    [
      "one that has no descriptor itself",
      (site) => site.backends[0] && (site.backends[0].listed = null),
      /not in the network/,
    ],
    [
      "points of nobody",
      (site) => (site.published = look({ error: null, points: 9, unknown: 1, took: 2 })),
      /nobody known +- +1/,
    ],
    [
      "a stranger",
      (site) =>
        site.backends.push({ name: null, address: onion("x"), received: 1, points: 3, listed: 2, directories: 1 }),
      /unknown +x{56}\.onion +2/,
    ],
  ] as readonly (readonly [
    string,
    (site: Writable<NonNullable<MachineSeen["publisher"]>["sites"][number]>) => unknown,
    RegExp,
  ])[]) {
    test(`whoserves: ${what} ends with 1`, async () => {
      const tools = looks((found) => publisherOf(found).sites.slice(0, 1).forEach(change));
      const { code, out } = await said((streams) => whoserves(["www.daily.test"], streams, tools));
      assert.equal(code, 1);
      assert.match(out, text);
    });
  }

  test("whoserves: no balancer that answers", async () => {
    const tools = looks((found) => (found.machines[0] = { name: "balancer1", error: "nobody answers" }));
    const { code, err } = await said((streams) => whoserves(["court.test"], streams, tools));
    assert.equal(code, 1);
    assert.match(err, /no balancer could be asked: balancer1: nobody answers\n {2}Next: npx softmap doctor/);
  });

  test("a site by its domain, its onion, a URL, a subdomain", () => {
    for (const word of [
      "court.test",
      onion("z"),
      "z".repeat(56),
      "http://www.court.test/x?y",
      `https://cdn.${onion("z")}:443/`,
      "COURT.TEST",
    ])
      assert.equal(siteNamed(stack, [word]).domain, "court.test", word);
    for (const words of [[], ["a", "b"], ["ourt.test"], ["xcourt.test"]])
      assert.throws(() => siteNamed(stack, words), /Name one site|No site of the stack/);
  });

  test("ps: the processes, and who could not be asked", async () => {
    const whole = await said((streams) => ps([], streams, looks()));
    assert.equal(whole.code, 0);
    assert.match(whole.out, /worker2 +news-2-00ff +100 +active +20 +2 h +0\n$/);
    const tools = looks((found) => (found.machines[2] = { name: "worker2", error: "nobody answers" }));
    const part = await said((streams) => ps([], streams, tools));
    assert.deepEqual([part.code, part.err], [1, "worker2: not reached: nobody answers.\n"]);
    assert.match(part.out, /worker1/);
  });
});

describe("tables and spans", () => {
  test("columns stand under one another, whatever is in them", () => {
    const cell = fc.stringMatching(/^[a-z]{0,9}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, fc.stringMatching(/^[a-z]{1,9}$/)), { maxLength: 8 }), (rows) => {
        const lines = tableOf(["a", "b", "c"], rows).split("\n");
        const at = (lines[0] ?? "").indexOf("c");
        rows.forEach(([, , last], i) => assert.equal(lines[i + 1]?.slice(at), last));
      }),
    );
  });

  test("spans in the unit that people take", () => {
    assert.deepEqual([null, 5, 119, 120, 7199, 7200, 172_799, 172_800, -90_000].map(span), [
      "-",
      "5 s",
      "119 s",
      "2 min",
      "120 min",
      "2 h",
      "48 h",
      "2 d",
      "-25 h",
    ]);
  });
});
