import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { leave } from "../doctor/faultSamplesPublisher";
import type { Finding } from "../doctor/finding";
import { said, read } from "./deskKit";
import { distinct, healthy, look, onion, seenOf, unit } from "./samples";
import { main, statusText } from "./status";
import type { MachineSeen, Survey } from "./survey";

type Writable<T> = T extends object ? { -readonly [K in keyof T]: Writable<T[K]> } : T;

/** A healthy stack with a change, as text. */
function textOf(change: (found: Writable<Survey>) => void = () => undefined, findings: readonly Finding[] = []) {
  const found = healthy();
  change(found as Writable<Survey>);
  return statusText(found, findings);
}

const seen = (found: Writable<Survey>, name: string) => seenOf(found, name) as Writable<MachineSeen>;

describe("status", () => {
  test("a stack that is well: a row for each daemon, and for each site", () => {
    assert.equal(
      textOf(),
      `organization/softmap/prod, 2026-01-01T12:00:00.000Z

host       project  daemon        unit    up for  bootstrap  points  descriptor  in frontend  release       drift
balancer1  -        balancer-tor  active  2 h     100 %      -       -           -            0123456789ab  no
balancer1  -        onionbalance  active  2 h     -          -       -           -            0123456789ab  no
worker1    news     nginx@news    active  2 h     -          -       -           -            0123456789ab  no
worker1    news     news-1-00ff   active  2 h     100 %      6       60 s        yes          0123456789ab  no
worker1    news     news-2-00ff   active  2 h     100 %      6       60 s        yes          0123456789ab  no
worker2    news     nginx@news    active  2 h     -          -       -           -            0123456789ab  no
worker2    news     news-1-00ff   active  2 h     100 %      6       60 s        yes          0123456789ab  no
worker2    news     news-2-00ff   active  2 h     100 %      6       60 s        yes          0123456789ab  no

site            project  ${"address".padEnd(62)}  published        points   tried   certificate  balancer
www.daily.test  news     ${onion("y")}  4 of 4 backends  8 of 20  10 min  60 d left    balancer1, onionbalance
court.test      news     ${onion("z")}  4 of 4 backends  8 of 20  10 min  none         balancer1, onionbalance

Nothing is wrong.`,
    );
  });

  test("a machine that is not reached, and one with nothing on it: half a deployment", () => {
    const text = textOf((found) => {
      found.machines[1] = { name: "worker1", error: "nobody answers at 203.0.113.2:22 within 15 s" };
      Object.assign(seen(found, "worker2"), { roles: [], units: [], tors: [], proxies: [], certificates: [] });
    });
    assert.match(text, /^worker1 +not reached: nobody answers at 203\.0\.113\.2:22 within 15 s$/m);
    assert.match(text, /^worker2 +nothing is deployed here$/m);
  });

  test("a backend that is in one of two descriptors, in none, and one that was not looked at", () => {
    const listed = (points: readonly (number | null)[]) => (found: Writable<Survey>) =>
      points.forEach((each, i) => {
        const backend = seen(found, "balancer1").publisher?.sites[i]?.backends[0];
        assert.ok(backend);
        backend.listed = each;
      });
    const row = /^worker1 +news +news-1-00ff .* 60 s +(.*?) +0123456789ab/m;
    assert.equal(row.exec(textOf(listed([2, 0])))?.[1], "1 of 2 sites");
    assert.equal(row.exec(textOf(listed([0, 0])))?.[1], "no");
    assert.equal(row.exec(textOf(listed([2, null])))?.[1], "?");
  });

  test("distinct descriptors: in how many each backend is, what the watchdog finds, who is left out and why", () => {
    const found = distinct();
    leave(found, "news-worker1-1", { by: "operator", why: "olga: new disk", age: 600 });
    leave(found, "news-worker2-1");
    const { watchdog } = seenOf(found, "balancer1").publisher ?? {};
    Object.assign(watchdog?.backends[2] ?? {}, { state: "silent", age: 78 });
    const text = statusText(found, []);
    assert.match(text, /^host .* release +drift +watchdog$/m);
    assert.match(text, /^worker1 +news +news-1-00ff .* 60 s +out: operator +0123456789ab +no +0\.8 s$/m);
    assert.match(text, /^worker1 +news +news-2-00ff .* 60 s +3 of 6 +0123456789ab +no +0\.8 s$/m);
    assert.match(text, /^worker2 +news +news-1-00ff .* 60 s +out: watchdog +0123456789ab +no +silent 78 s$/m);
    assert.match(text, /^balancer1 +- +watchdog +active .* 0123456789ab +no +-$/m);
    assert.match(text, /^www\.daily\.test .* 2 of 4 backends .* balancer1, distinct$/m);
    assert.match(
      text,
      /\n\nLeft out of the descriptors:\n {2}news-worker1-1 by the operator for 10 min \(balancer1\): olga: new disk\n {2}news-worker2-1 by the watchdog for 90 s \(balancer1\): no answer for 12 s\n\n/,
    );
  });

  test("a tor that is silent, a unit that leaves, one of the base that failed, a machine that drifted", () => {
    const text = textOf((found) => {
      const one = seen(found, "worker1");
      Object.assign(one.tors[0] ?? {}, { error: "no such file", bootstrapped: null });
      one.units.push(
        unit("softmap-tor@old-1-0000.service", "tor", { project: "old", planned: "leaving" }),
        unit("softmap-firewall.service", "base", { state: "failed" }),
      );
      one.drift.push("somebody changed it");
    });
    assert.match(text, /news-1-00ff +active +2 h +no answer/);
    assert.match(text, /old +old-1-0000 +active \(leaving\)/);
    assert.match(text, /- +firewall +failed .* 1$/m);
    assert.doesNotMatch(text, /softmap-base| base /);
  });

  test("no descriptor, nobody asked, no balancer", () => {
    const site = (found: Writable<Survey>) => seen(found, "balancer1").publisher?.sites[0] ?? assert.fail();
    const none = textOf(
      (found) => (site(found).published = look({ error: "NOT_FOUND", points: 0, unknown: 0, took: 9 })),
    );
    assert.match(none, /^www\.daily\.test .* no descriptor +0 of 20/m);
    assert.match(
      textOf((found) => (site(found).published = null)),
      /^www\.daily\.test .* not asked +- /m,
    );
    assert.match(
      textOf((found) => (found.machines[0] = { name: "balancer1", error: "gone" })),
      /^www\.daily\.test .* no balancer +- +- +60 d left +-$/m,
    );
  });

  test("findings, each with its colour; the exit code is that of the doctor", async () => {
    const found = healthy();
    const gone: Survey = { ...found, machines: [...found.machines.slice(0, 2), { name: "worker2", error: "nobody" }] };
    const tools = (survey: Survey) => ({ read, look: () => Promise.resolve(survey) });
    const red = await said((streams) => main([], streams, tools(gone)));
    assert.equal(red.code, 1);
    assert.match(red.out, /^\d+ findings?:\n {2}red: .*worker2/m);
    assert.match(red.out, /\n {2}Next: npx softmap doctor says what to do\.\n/);
    const json = await said((streams) => main(["--json"], streams, tools(gone)));
    assert.equal(json.code, 1);
    assert.ok((JSON.parse(json.out) as { findings: Finding[] }).findings.some(({ severity }) => severity === "red"));
    assert.equal((await said((streams) => main([], streams, tools(found)))).code, 0);
    const lost = { ...tools(found), backups: () => "The key of x is in no backup." };
    assert.match((await said((streams) => main([], streams, lost))).out, /\n\nThe key of x is in no backup\.\n$/);
    assert.match((await said((streams) => main(["--json"], streams, lost))).out, /"backups": "The key of x/);
  });
});
