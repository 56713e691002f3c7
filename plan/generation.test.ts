import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { generationOf, type TakenAtStart } from "./generation";
import { resolveProject } from "../config/schema";
import type { TorSettings } from "./torSettings";

const torDefaults = resolveProject({});

const text = fc.option(fc.string(), { nil: undefined });
const sites = fc.array(fc.record({ domain: fc.string(), onion: text, replaceAddress: text }), { maxLength: 5 });

test("a generation is 4 hex digits, the same for the same, whatever the order of the sites", () => {
  const shuffled = sites.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, fc.string(), ([given, other], unit) => {
      const generation = generationOf({ sites: given, tor: torDefaults, unit });
      assert.match(generation, /^[0-9a-f]{4}$/);
      assert.equal(generationOf({ sites: other, tor: torDefaults, unit }), generation);
    }),
  );
});

const base: TakenAtStart = {
  sites: [{ domain: "www.example.org" }, { domain: "shop.example.org", onion: "a.onion" }],
  tor: torDefaults,
  unit: "[Service]\n",
};

test("a site that comes, goes or gets another address, and another unit, are another generation", () => {
  const [www, shop] = [{ domain: "www.example.org" }, { domain: "shop.example.org", onion: "a.onion" }];
  const all: TakenAtStart[] = [
    base,
    { ...base, unit: "[Service]\nRestart=always\n" },
    { ...base, sites: [] },
    { ...base, sites: [www] },
    { ...base, sites: [shop] },
    { ...base, sites: [www, { ...shop, onion: "b.onion" }] },
    { ...base, sites: [www, { domain: shop.domain }] },
    { ...base, sites: [www, { ...shop, replaceAddress: "b.onion" }] },
    { ...base, sites: [www, { domain: shop.domain, replaceAddress: "a.onion" }] },
    { ...base, sites: [{ ...www, onion: "a.onion" }, { domain: shop.domain }] },
    { ...base, sites: [{ domain: "www.example.com" }, shop] },
    { ...base, sites: [www, shop, { domain: "c.example.org" }] },
  ];
  assert.equal(new Set(all.map(generationOf)).size, all.length);
});

test("what a running tor does not take over is another generation, each on its own", () => {
  const generation = (tor: Partial<TorSettings>) => generationOf({ ...base, tor: { ...torDefaults, ...tor } });
  const all = [
    generation({}),
    generation({ torSingleOnion: true }),
    generation({ torExportCircuitId: true }),
    generation({ torIntroDosDefense: true }),
    generation({ torIntroDosDefense: true, torIntroDosRatePerSec: 10 }),
    generation({ torIntroDosDefense: true, torIntroDosBurstPerSec: 10 }),
    generation({ torIntroDosDefense: true, torIntroDosRatePerSec: 10, torIntroDosBurstPerSec: 10 }),
  ];
  assert.equal(new Set(all).size, all.length);
});

test("what it takes over is not in it, nor what says nothing", () => {
  const same: Partial<TorSettings>[] = [
    { torMaxStreams: 30 },
    { torMaxStreams: 30, torMaxStreamsCloseCircuit: true },
    { torSyslog: "err" },
    { torIntroDosRatePerSec: 10, torIntroDosBurstPerSec: 20 },
  ];
  for (const tor of same) assert.equal(generationOf({ ...base, tor: { ...torDefaults, ...tor } }), generationOf(base));
});

test("what can be reloaded is not in it, and a key that is undefined is absent", () => {
  const more = base.sites.map((site) => ({ ...site, subdomains: ["cdn"], key: "secret" }));
  assert.equal(generationOf({ ...base, sites: more }), generationOf(base));
  const undefinedKeys = base.sites.map((site) => ({ onion: undefined, replaceAddress: undefined, ...site }));
  assert.equal(generationOf({ ...base, sites: undefinedKeys }), generationOf(base));
});

test("a generation is the same on every machine and in every release of softmap: else an update makes new backends", () => {
  assert.equal(generationOf(base), "6457");
});
