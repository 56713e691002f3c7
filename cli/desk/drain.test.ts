// Backends left out by hand: what the balancers are told, what is refused before anything is changed, and what is said.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { runOn } from "../../host/runOn";
import type { Ran } from "../../host/ssh";
import { doorOf, good, machines, read, said, silent, stepOf, stepsOf } from "./deskKit";
import { main as drain, undrain } from "./drain";
import { stack } from "./samples";
import type { DeployedStack } from "./survey";

const answering = (door: (host: string, stdin: string) => Ran | undefined) =>
  machines((host, stdin) => door(host, stdin) ?? good);

/** A second balancer beside the first. */
const two: DeployedStack = {
  ...stack,
  machines: new Map([...stack.machines, ["balancer2", { host: "203.0.113.9", user: "admin" }]]),
  balancers: ["balancer1", "balancer2"],
};

describe("drain", () => {
  test("a worker is all of its backends; the reason and the time-out reach the balancer", async () => {
    const { told, run } = answering(doorOf());
    const { code, out } = await said((streams) =>
      drain(["worker1", "--reason", "new disk", "--timeout", "90"], streams, { read, run }),
    );
    assert.deepEqual(
      [code, out],
      [0, "news-worker1-1 and news-worker1-2: in no descriptor any more after 4.1 s (balancer1)\n"],
    );
    assert.deepEqual(stepsOf(told), ["balancer1 look", "balancer1 out"]);
    const { payload } = stepOf(told[1]?.stdin ?? "");
    assert.deepEqual(payload, {
      ...{ host: "balancer1", action: "out", kind: "drain", reason: "new disk", seconds: 90, others: false },
      backends: stack.backends.slice(0, 2).map(({ address }) => address),
    });
  });

  test("all that a site has is refused, and nothing is written", async () => {
    const { told, run } = answering(doorOf());
    const { code, err } = await said((streams) => drain(["worker1", "worker2"], streams, { read, run }));
    assert.equal(code, 1);
    assert.match(
      err,
      /cannot be left out: www\.daily\.test would have no backend left that answers\. Nothing was changed\./,
    );
    assert.deepEqual(stepsOf(told), ["balancer1 look"]);
  });

  test("backends that no site lists, names that are none, a number that is none", async () => {
    const none = await said((streams) => drain(["worker1"], streams, { read, run: answering(doorOf([])).run }));
    assert.deepEqual([none.code, none.err], [1, "No site lists worker1: there is nothing to leave out.\n"]);
    const wrong = await said((streams) => drain(["news-worker1-3"], streams, { read, run: answering(doorOf()).run }));
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /There is no worker or backend news-worker1-3\.\n {2}Next: did you mean news-worker1-/);
    assert.equal((await said((streams) => drain(["worker1", "--timeout", "1m"], streams))).code, 2);
  });

  test("not in time: why, and that they stay in the list", async () => {
    const { run } = answering(doorOf(stack.backends, { why: "its publisher has told nothing for 40 s", seconds: 60 }));
    const { code, err } = await said((streams) => drain(["news-worker1-2"], streams, { read, run }));
    assert.equal(code, 1);
    assert.match(
      err,
      /^news-worker1-2: still in a descriptor after 60\.0 s\.\n {2}balancer1: its publisher has told nothing for 40 s\.\n/,
    );
    assert.match(err, /They stay in the list, .*\n {2}Next: npx softmap doctor .* npx softmap undrain/);
  });

  test("two balancers: both are asked, and a directory that refuses one has the other's", async () => {
    const readTwo = () => Promise.resolve(two);
    const doors = (...stuck: readonly string[][]) => {
      const of = stuck.map((own) =>
        doorOf(stack.backends, { stuck: Object.fromEntries(own.map((each) => [each, "court.test: refused"])) }),
      );
      const asked: string[] = [];
      const run: typeof runOn = async (connection, _command, stdin) => {
        const host = connection?.host === "203.0.113.9" ? "balancer2" : "balancer1";
        asked.push(`${host} ${String(stepOf(stdin).payload["action"])} ${String(stepOf(stdin).payload["others"])}`);
        return of[host === "balancer1" ? 0 : 1]?.(host, stdin) ?? good;
      };
      return { asked, run };
    };
    const well = doors(["AAAA"], ["BBBB"]);
    const { code, out } = await said((streams) => drain(["worker1"], streams, { read: readTwo, run: well.run }));
    assert.equal(code, 0);
    assert.match(out, /\(balancer1, balancer2\)$/m);
    assert.deepEqual(well.asked, [
      "balancer1 look false",
      "balancer2 look false",
      "balancer1 out true",
      "balancer2 out true",
    ]);
    const stuck = await said((streams) =>
      drain(["worker1"], streams, { read: readTwo, run: doors(["AAAA"], ["AAAA", "BBBB"]).run }),
    );
    assert.equal(stuck.code, 1);
    assert.match(stuck.err, /The directory AAAA may still tell of them: court\.test: refused\./);
    assert.doesNotMatch(stuck.err, /BBBB/);
  });

  test("a balancer that cannot be asked: nothing is changed anywhere", async () => {
    const { told, run } = machines(() => silent);
    const { code, err } = await said((streams) => drain(["worker1"], streams, { read, run }));
    assert.deepEqual([code, err], [1, `balancer1: ${silent.message}.\nNothing was changed.\n`]);
    assert.equal(told.length, 1);
  });

  test("without a name: who is left out, by whom and since when", async () => {
    const door = doorOf();
    const { run } = answering(door);
    assert.equal((await said((streams) => drain([], streams, { read, run }))).out, "Nobody is left out.\n");
    await said((streams) => drain(["worker2"], streams, { read, run }));
    assert.equal(
      (await said((streams) => drain([], streams, { read, run }))).out,
      `backend         by        for   now       why
news-worker2-1  operator  60 s  left out  olga: x
news-worker2-2  operator  60 s  left out  olga: x
`,
    );
    const json = await said((streams) => drain(["--json"], streams, { read, run }));
    assert.equal((JSON.parse(json.out) as { marks: unknown[] }[])[0]?.marks.length, 2);
  });
});

describe("undrain", () => {
  test("takes back whom it names, or all; those that nobody left out are nothing to do", async () => {
    const door = doorOf();
    const { told, run } = answering(door);
    await said((streams) => drain(["worker2"], streams, { read, run }));
    const { code, out } = await said((streams) => undrain(["news-worker2-2", "worker1"], streams, { read, run }));
    assert.deepEqual([code, out], [0, "news-worker2-2: listed again after 4.1 s (balancer1)\n"]);
    assert.equal((await said((streams) => undrain(["--all"], streams, { read, run }))).code, 0);
    assert.deepEqual(door.left(), []);
    told.length = 0;
    const nobody = await said((streams) => undrain(["--all"], streams, { read, run }));
    assert.deepEqual([nobody.code, nobody.out], [0, "Nobody is left out by hand.\n"]);
    assert.deepEqual(stepsOf(told), ["balancer1 look"]);
  });

  test("names or --all", async () => {
    for (const words of [[], ["--all", "worker1"]])
      assert.equal((await said((streams) => undrain(words, streams, { read, run: machines(() => good).run }))).code, 2);
  });
});
