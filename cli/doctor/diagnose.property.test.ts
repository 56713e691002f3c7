// Whatever machines say: the doctor does not throw, tells every machine that says nothing, and always says what to do.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { onion } from "../desk/samples";
import type { MachineSeen, PublishedSite, Survey, TorSeen, UnitSeen } from "../desk/survey";
import { checks } from "./checks";
import { diagnose } from "./diagnose";
import { reportText } from "./report";

const machineName = fc.constantFrom("b1", "b2", "w1", "w2", "w3", "");
const address = fc.constantFrom(...[..."abcdeyz"].map(onion));
const unitName = fc.constantFrom(
  "softmap-tor@news-1-00ff.service",
  "softmap-tor@news-2-00ff.service",
  "softmap-nginx@news.service",
  "softmap-onionbalance.service",
  "softmap-balancer-tor.service",
  "softmap-prober-tor.service",
  "softmap-watchdog.service",
);
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom("", "connect() failed", "SSL certificate verify error"),
);
const amount = fc.oneof(fc.integer({ min: -5, max: 50 }), fc.integer(), fc.constant(0));
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { nil: null });
const few = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 4 });
const project = fc.constantFrom("news", "shop");
const domain = fc.constantFrom("www.daily.test", "court.test");

const unit: fc.Arbitrary<UnitSeen> = fc.record({
  unit: unitName,
  kind: fc.constantFrom("tor", "client tor", "nginx", "balancer tor", "prober tor", "onionbalance", "watchdog", "base"),
  project: maybe(project),
  planned: fc.constantFrom("run", "stand by", "leaving"),
  state: fc.constantFrom("active", "reloading", "inactive", "failed", "activating", "deactivating", "?"),
  sub: fc.constantFrom("running", "dead", "auto-restart", ""),
  enabled: fc.boolean(),
  restarts: amount,
  age: maybe(amount),
  memoryMb: maybe(amount),
  pid: maybe(amount),
});

const tor: fc.Arbitrary<TorSeen> = fc.record({
  unit: unitName,
  error: maybe(text),
  version: maybe(text),
  bootstrapped: maybe(amount),
  summary: maybe(text),
  circuits: maybe(fc.boolean()),
  guards: maybe(fc.record({ up: amount, all: amount })),
  backend: maybe(
    fc.record({
      name: maybe(text),
      address,
      introductionPoints: amount,
      plannedPoints: maybe(amount),
      obConfig: few(address),
    }),
  ),
});

const row = fc.record({
  name: maybe(text),
  address,
  received: maybe(amount),
  points: maybe(amount),
  listed: maybe(amount),
  directories: maybe(amount),
});
const directory = fc.record({
  fingerprint: text,
  replica: amount,
  asked: fc.boolean(),
  state: fc.constantFrom("stored", "pending", "refused", "failed", "?"),
  reason: text,
  tries: amount,
  seconds: maybe(amount),
  bytes: amount,
  backends: few(text),
});
const by = fc.constantFrom("watchdog", "operator");
const siteTold = fc.record({
  backends: amount,
  listed: amount,
  leftOut: few(fc.record({ name: text, address, by, why: text, age: maybe(amount) })),
  spared: few(text),
  descriptors: few(
    fc.record({
      which: text,
      period: amount,
      readers: fc.boolean(),
      age: maybe(amount),
      why: text,
      points: amount,
      directories: few(directory),
    }),
  ),
});
const published: fc.Arbitrary<PublishedSite> = fc.record({
  domain,
  address,
  attempted: maybe(amount),
  backends: few(row),
  told: maybe(siteTold),
  published: maybe(
    fc.record({
      error: maybe(text),
      points: amount,
      all: amount,
      unknown: amount,
      took: amount,
      asked: amount,
      silent: few(fc.record({ fingerprint: text, why: text })),
    }),
  ),
});
const watched = fc.record({
  name: text,
  address,
  state: fc.constantFrom("answers", "silent", "unknown", "?"),
  age: maybe(amount),
  answered: maybe(amount),
  seconds: maybe(amount),
  failures: amount,
  probes: amount,
  why: text,
});
const publisher = fc.record({
  standby: fc.boolean(),
  error: maybe(text),
  said: maybe(text),
  told: maybe(fc.record({ mode: fc.constantFrom("distinct", "onionbalance"), age: amount, problems: few(text) })),
  watchdog: maybe(fc.record({ age: amount, every: amount, broken: text, backends: few(watched) })),
  sites: few(published),
});

const seen: fc.Arbitrary<MachineSeen> = fc.record({
  system: fc.record({
    os: text,
    architecture: text,
    cores: amount,
    load: amount,
    memoryMb: fc.record({ total: amount, free: amount }),
    uptime: amount,
    clockAhead: amount,
    clockSynchronised: maybe(fc.boolean()),
    disks: few(
      fc.record({
        place: text,
        totalMb: amount,
        freeMb: amount,
        inodesTotal: maybe(amount),
        inodesFree: maybe(amount),
      }),
    ),
    packages: fc.dictionary(text, text),
  }),
  lock: maybe(fc.record({ by: text, from: text, what: text, process: amount, since: text })),
  roles: few(
    fc.record({
      role: fc.constantFrom("base", "worker", "balancer", "publisher"),
      owner: text,
      release: maybe(text),
      proved: maybe(text),
      age: maybe(amount),
    }),
  ),
  drift: few(text),
  units: few(unit),
  tors: few(tor),
  proxies: few(
    fc.record({
      project,
      unit: unitName,
      answers: fc.boolean(),
      sites: few(fc.record({ domain, status: maybe(amount), seconds: amount, error: maybe(text) })),
    }),
  ),
  certificates: few(fc.record({ project, domain, fingerprint: text, left: amount })),
  publisher: maybe(publisher),
});

const survey: fc.Arbitrary<Survey> = fc.record({
  stack: text,
  taken: fc.oneof(fc.constant("2026-01-01T12:00:00.000Z"), text),
  backends: few(fc.record({ name: text, worker: machineName, project, address })),
  sites: few(fc.record({ project, domain, address })),
  machines: fc.uniqueArray(
    fc.oneof(fc.record({ name: machineName, seen }), fc.record({ name: machineName, error: text })) as fc.Arbitrary<
      Survey["machines"][number]
    >,
    { selector: ({ name }) => name, maxLength: 5 },
  ),
});

const names = new Set(checks.map(({ name }) => name));

test("any survey: findings are whole, roots come first, machines that say nothing are named", () => {
  fc.assert(
    fc.property(survey, (found) => {
      const findings = diagnose(found);
      for (const { check, page, severity, next, because } of findings) {
        assert.ok(names.has(check));
        assert.equal(page, `docs/doctor/${check}.md`);
        assert.notEqual(next, "");
        if (because !== undefined) assert.equal(severity, "amber");
      }
      const ranks = findings.map(({ severity, because }) => (because !== undefined ? 2 : severity === "red" ? 0 : 1));
      assert.deepEqual(
        ranks,
        [...ranks].sort((a, b) => a - b),
      );
      const gone = found.machines.filter(({ error }) => error !== undefined).map(({ name }) => name);
      assert.deepEqual(
        findings
          .filter(({ check, severity }) => check === "unreachable" && severity === "red")
          .map(({ subject }) => subject),
        gone,
      );
    }),
    { numRuns: 2000 },
  );
});

test("any survey: what follows from a fault follows from one that is told, so the report has every finding", () => {
  fc.assert(
    fc.property(survey, (found) => {
      const findings = diagnose(found);
      const roots = new Set(findings.filter(({ because }) => because === undefined).map(({ what }) => what));
      for (const { because } of findings) assert.ok(because === undefined || roots.has(because), because);
      const report = reportText(found, findings);
      for (const { what } of findings) assert.ok(report.includes(what), what);
    }),
    { numRuns: 2000 },
  );
});
