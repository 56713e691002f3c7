import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mostBackends } from "./budget";
import {
  choosePublisher,
  idleWatchdog,
  onTestnet,
  publisherModes,
  publisherTimers,
  watchdogSettings,
  type PublisherTimers,
  type WatchdogSettings,
} from "./publisher";

const mode = fc.constantFrom(...publisherModes);

test("absent, the number of backends decides, exactly above ten; given, the config does", () => {
  fc.assert(
    fc.property(fc.nat(200), fc.option(mode, { nil: undefined }), (backends, given) => {
      const chosen = choosePublisher(given, backends);
      assert.equal(chosen.mode, given ?? (backends > mostBackends ? "distinct" : "onionbalance"));
      assert.match(chosen.why, /^[a-z][^.]*$/);
    }),
  );
});

test("why, as people read it", () => {
  const why = (...given: Parameters<typeof choosePublisher>): string => choosePublisher(...given).why;
  assert.equal(why(undefined, 12, "project news"), "project news has 12 backends and one descriptor has room for 10");
  assert.equal(why(undefined, 11), "a project has 11 backends and one descriptor has room for 10");
  assert.equal(why(undefined, 10), "one descriptor has room for the backends of each project");
  assert.equal(why("distinct", 60), "the config says so");
  assert.equal(why("onionbalance", 4), "the config says so");
  assert.equal(
    why("distinct", 4),
    "the config says so; no project has more than 10 backends, so that Onionbalance would publish the same",
  );
});

test("the timers of each network", () => {
  const publicNetwork = {
    fetch: 120,
    publishCheck: 30,
    firstPublish: 15,
    republish: 300,
    lifetime: 3600,
    tooOld: 3600,
  };
  assert.deepEqual(publisherTimers(false), publicNetwork);
  const test = { fetch: 10, publishCheck: 5, firstPublish: 8, republish: 0, lifetime: 60, tooOld: 60 };
  assert.deepEqual(publisherTimers(true), test);
});

test("defaults keep the rules that the config has for what is given", () => {
  fc.assert(
    fc.property(fc.boolean(), (testnet) => {
      const { fetch, republish, lifetime, tooOld, publishCheck } = publisherTimers(testnet);
      assert.ok(republish < lifetime && tooOld >= 2 * fetch && publishCheck <= fetch && lifetime < 3 * 3600);
    }),
  );
});

const keys = Object.keys(publisherTimers(false)) as (keyof PublisherTimers)[];
const some = <Key extends string>(keys: readonly Key[]) =>
  fc.dictionary(fc.constantFrom(...keys), fc.option(fc.integer({ min: 0, max: 10_000 }), { nil: undefined }));

test("what is given counts, and nothing else changes", () => {
  fc.assert(
    fc.property(fc.boolean(), some(keys), (testnet, given) => {
      const [without, timers] = [publisherTimers(testnet), publisherTimers(testnet, given)];
      assert.deepEqual(Object.keys(timers), keys);
      for (const key of keys) assert.equal(timers[key], given[key] ?? without[key]);
    }),
  );
});

test("a watchdog runs beside distinct descriptors, unless the config says otherwise", () => {
  fc.assert(
    fc.property(
      mode,
      fc.boolean(),
      fc.constantFrom(true, false, undefined),
      some<keyof WatchdogSettings>(["every", "timeout", "failures", "floor"]),
      (mode, testnet, enabled, given) => {
        const settings = watchdogSettings(mode, testnet, { enabled, ...given });
        assert.equal(settings !== undefined, enabled ?? mode === "distinct");
        if (settings === undefined) return;
        const network = testnet ? { every: 5, timeout: 6, failures: 2 } : { every: 60, timeout: 20, failures: 3 };
        const defaults = { ...network, floor: 50 };
        for (const key of ["every", "timeout", "failures", "floor"] as const)
          assert.equal(settings[key], given[key] ?? defaults[key]);
        assert.deepEqual(Object.keys(settings), Object.keys(defaults));
      },
    ),
  );
  assert.equal(watchdogSettings("onionbalance", false), undefined);
});

test("settings of a watchdog that does not run are told, one that is turned off is not", () => {
  assert.match(idleWatchdog("onionbalance", { every: 10 }) ?? "", /none runs.*Next: add enabled: true/);
  assert.equal(idleWatchdog("onionbalance", undefined), undefined);
  assert.equal(idleWatchdog("onionbalance", { enabled: false, every: 10 }), undefined);
  assert.equal(idleWatchdog("onionbalance", { enabled: true }), undefined);
  assert.equal(idleWatchdog("distinct", { every: 10 }), undefined);
});

test("a private network is the lab's, or one whose directories are named", () => {
  assert.ok(onTestnet({ provider: "lab" }));
  assert.ok(onTestnet({ provider: "ssh", torNetwork: ["DirAuthority a"] }));
  for (const provider of ["ssh", "aws", "local"]) assert.ok(!onTestnet({ provider }));
});
