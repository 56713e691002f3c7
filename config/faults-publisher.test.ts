// What a report says of faults in who makes the descriptors, in its timers and in the watchdog, word for word.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { onTestnet, publisherTimers } from "../plan/publisher";
import { formatDuration } from "./duration";
import { parseStackConfig, validatePublisher } from "./parse";
import { type Fault, lab, line, problemsIn, project, ssh, testFaults } from "./samples";

const torNetwork = ["TestingTorNetwork 1", "DirAuthority a0 orport=5100 10.0.0.5:7100 AB"];
/** Machines on the public network. */
const onPublic = (more: Record<string, unknown>) => ssh(more);

const faults: Fault[] = [
  [
    "a publisher that there is not",
    lab({ publisher: "gobalance" }),
    ['stack: publisher = "gobalance" | It must be onionbalance or distinct. | Give it, e.g. "distinct".'],
  ],
  [
    "a misspelt publisher",
    lab({ publisher: "Distinkt" }),
    ['stack: publisher = "Distinkt" | It must be onionbalance or distinct. | Did you mean distinct?'],
  ],
  [
    "timers out of range",
    onPublic({
      timers: {
        ...{ fetch: "4s", publishCheck: "31m", firstPublish: "11m" },
        ...{ republish: "7h", lifetime: "9s", tooOld: "4h" },
      },
    }),
    [
      'timers: fetch = "4s" | It must be from 5s to 1h. | Choose a value there; the default is 2m.',
      'timers: publishCheck = "31m" | It must be from 1s to 30m. | Choose a value there; the default is 30s.',
      'timers: firstPublish = "11m" | It must be from 1s to 10m. | Choose a value there; the default is 15s.',
      'timers: republish = "7h" | It must be from 0s to 6h. | Choose a value there; the default is 5m.',
      'timers: lifetime = "9s" | It must be from 10s to 3h. | Choose a value there; the default is 1h.',
      'timers: tooOld = "4h" | It must be from 10s to 3h. | Choose a value there; the default is 1h.',
    ],
  ],
  [
    "a number, and a key that there is not",
    lab({ timers: { fetch: 120, fetsh: "2m", rotate: "1h" } }),
    [
      "timers: fetch = 120 | It must be text, but is a number. | Write 120s if seconds are meant.",
      "timers: fetsh | There is no such key in timers. | fetch is given already: remove this one.",
      "timers: rotate | There is no such key in timers. | Remove it; the keys there are fetch, publishCheck, firstPublish, republish, lifetime, tooOld.",
    ],
  ],
  [
    "a timer in the stack, a time for all timers",
    lab({ tooOld: "1h", timers: "2m" }),
    [
      "stack: tooOld | There is no such key in the stack's config. | It belongs to timers: move it there.",
      'stack: timers = "2m" | It must be an object, but is text. | Give it, e.g. {"fetch":"2m","publishCheck":"30s","republish":"5m"}.',
    ],
  ],
  [
    "what a lab may do, on the public network",
    onPublic({
      timers: { fetch: "20s", publishCheck: "5s", republish: "0s", lifetime: "1m" },
      watchdog: { every: "5s", timeout: "3s" },
    }),
    [
      'timers: fetch = "20s" | Less than 30s is for the lab and for hosts with torNetwork: on the public network each fetch is a circuit a backend, to directories that others need. | Set it to 30s or more, or remove it: then it is 2m.',
      'timers: publishCheck = "5s" | Less than 10s is for the lab and for hosts with torNetwork: on the public network each change would be 16 uploads a site at once, to directories that others need. | Set it to 10s or more, or remove it: then it is 30s.',
      'timers: lifetime = "1m" | Less than 10m is for the lab and for hosts with torNetwork: on the public network each publication is 16 uploads a site, to directories that others need. | Set it to 10m or more, or remove it: then it is 1h.',
      'watchdog: every = "5s" | Less than 10s is for the lab and for hosts with torNetwork: on the public network each probe is an introduction and a rendezvous, through guards and relays that others need. | Set it to 10s or more, or remove it: then it is 1m.',
      'watchdog: timeout = "3s" | Less than 5s is for the lab and for hosts with torNetwork: on the public network a backend that lives may take so long there, and would be left out. | Set it to 5s or more, or remove it: then it is 20s.',
    ],
  ],
  [
    "the same in AWS",
    {
      ...{ hosts: { provider: "aws", region: "eu-central-1", sshFrom: ["203.0.113.0/24"] }, projects: [project()] },
      timers: { fetch: "29s" },
    },
    [
      'timers: fetch = "29s" | Less than 30s is for the lab and for hosts with torNetwork: on the public network each fetch is a circuit a backend, to directories that others need. | Set it to 30s or more, or remove it: then it is 2m.',
    ],
  ],
  [
    "a descriptor that is published anyway before its points may",
    onPublic({ timers: { republish: "1h" } }),
    [
      'timers: republish = "1h" | republish is 1h and lifetime 1h: at that age a descriptor is published again anyway, with whatever changed. | Set republish to less than 1h, or raise lifetime.',
    ],
  ],
  [
    "the same, by the lifetime alone",
    onPublic({ timers: { lifetime: "10m", republish: "10m" } }),
    [
      'timers: republish = "10m" | republish is 10m and lifetime 10m: at that age a descriptor is published again anyway, with whatever changed. | Set republish to less than 10m, or raise lifetime.',
    ],
  ],
  [
    "the same in a lab, whose lifetime is another",
    lab({ timers: { republish: "1m" } }),
    [
      'timers: republish = "1m" | republish is 1m and lifetime 1m: at that age a descriptor is published again anyway, with whatever changed. | Set republish to less than 1m, or raise lifetime.',
    ],
  ],
  [
    "the same in a lab of many backends",
    lab({ workers: 6, timers: { republish: "1m" } }),
    [
      'timers: republish = "1m" | republish is 1m and lifetime 1m: at that age a descriptor is published again anyway, with whatever changed. | Set republish to less than 1m, or raise lifetime.',
    ],
  ],
  [
    "backends that are dead between two looks",
    onPublic({ timers: { fetch: "10m", tooOld: "5m" } }),
    [
      'timers: tooOld = "5m" | fetch is 10m and tooOld 5m: one fetch that fails, and a backend would count as dead. | Set tooOld to 20m or more, or lower fetch.',
    ],
  ],
  [
    "the same in a lab, by a slower fetch alone",
    lab({ timers: { fetch: "2m" } }),
    [
      'timers: fetch = "2m" | fetch is 2m and tooOld 1m: one fetch that fails, and a backend would count as dead. | Set tooOld to 4m or more, or lower fetch.',
    ],
  ],
  [
    "a descriptor that directories forget first",
    onPublic({ timers: { lifetime: "3h" } }),
    [
      'timers: lifetime = "3h" | lifetime is 3h and publishCheck 30s: a descriptor would be published again after more than the 3h that directories keep it, and the site be gone for a while. | Set lifetime to 2h or less.',
    ],
  ],
  [
    "a watchdog out of range",
    lab({ watchdog: { every: "1s", timeout: "3m", failures: 0, floor: 101 } }),
    [
      'watchdog: every = "1s" | It must be from 2s to 1h. | Choose a value there; the default is 1m.',
      'watchdog: timeout = "3m" | It must be from 1s to 2m. | Choose a value there; the default is 20s.',
      "watchdog: failures = 0 | It must be from 1 to 10. | Choose a number there, e.g. 3.",
      "watchdog: floor = 101 | It must be from 0 to 100: it is a part of a site's backends. | Choose a number there, e.g. 50.",
    ],
  ],
  [
    "words and a misspelt key in the watchdog",
    lab({ watchdog: { enabled: "yes", flor: 50 } }),
    [
      'watchdog: enabled = "yes" | It must be true or false, but is text. | Write true or false.',
      "watchdog: flor | There is no such key in watchdog. | Did you mean floor?",
    ],
  ],
  [
    "true for a watchdog",
    lab({ watchdog: true }),
    [
      'stack: watchdog = true | It must be an object, but is true or false. | Give it, e.g. {"enabled":true,"every":"1m"}.',
    ],
  ],
];

testFaults(faults);

test("absent they stay absent, and nothing is filled in", () => {
  const config = parseStackConfig(lab());
  for (const key of ["publisher", "timers", "watchdog"]) assert.ok(!(key in config), key);
  const given = parseStackConfig(
    ssh({ publisher: "distinct", timers: { fetch: "1m" }, watchdog: { enabled: false, floor: 0 } }),
  );
  assert.equal(given.publisher, "distinct");
  assert.deepEqual(given.timers, { fetch: 60 });
  assert.deepEqual(given.watchdog, { enabled: false, floor: 0 });
  assert.deepEqual(parseStackConfig(lab({ timers: {}, watchdog: {} })).timers, {});
});

test("what the public network must not have, a lab and a private network may; what does not run, too", () => {
  const fast = {
    timers: { fetch: "10s", publishCheck: "1s", republish: "0s", lifetime: "20s" },
    watchdog: { every: "2s", timeout: "1s" },
  };
  assert.deepEqual(problemsIn(lab(fast)), []);
  assert.deepEqual(problemsIn(ssh(fast, { agent: true, torNetwork })), []);
  assert.equal(problemsIn(ssh(fast)).length, 5);
  assert.deepEqual(problemsIn(ssh({ watchdog: { enabled: false, every: "2s", timeout: "1s" } })), []);
});

test("a provider that is wrong is told, and not which network it would be", () => {
  const says = problemsIn(lab({ hosts: { provider: "shh" }, timers: { fetch: "5s" } })).map(line);
  assert.deepEqual(
    says.map((each) => each.split(" |")[0]),
    ['hosts: provider = "shh"'],
  );
});

test("twelve backends are right without a word, with the mode that takes them, and not with the other", () => {
  const twelve = (publisher?: string) =>
    problemsIn(lab({ workers: 6, ...(publisher === undefined ? {} : { publisher }) })).length;
  assert.deepEqual([twelve(), twelve("distinct"), twelve("onionbalance")], [0, 0, 1]);
});

test("the defaults of each network are right when they are written out", () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 6), fc.boolean(), (workers, testnet) => {
      const timers = Object.fromEntries(
        Object.entries({ ...publisherTimers(testnet) }).map(([key, seconds]) => [key, formatDuration(seconds)]),
      );
      const config = lab({ workers, timers });
      const hosts = testnet ? { provider: "lab" } : { provider: "local" };
      assert.equal(onTestnet(hosts), testnet);
      const machines = testnet ? {} : { balancers: ["here"], workers: [], workersOnBalancers: true };
      assert.deepEqual(problemsIn({ ...config, ...machines, hosts }), []);
    }),
  );
});

test("a component's arguments have the same rules, in seconds", () => {
  const network = { testnet: false };
  assert.deepEqual(validatePublisher("balancer", {}, network), []);
  const right = {
    publisher: "distinct",
    timers: { fetch: 60, republish: 0, lifetime: undefined },
    watchdog: { enabled: true, every: 10, timeout: 5, failures: 1, floor: 100 },
  };
  assert.deepEqual(validatePublisher("balancer", right, network), []);
  const wrong = { publisher: "stock", timers: { fetch: 10, lifetime: 0.5 }, watchdog: { every: 2, floor: "half" } };
  assert.deepEqual(validatePublisher("mine", wrong, network).map(line), [
    'mine: publisher = "stock" | It must be onionbalance or distinct. | Give it, e.g. "distinct".',
    "timers: lifetime = 0.5 | It must be a whole number of seconds, 0 or more. | Give e.g. 60.",
    'watchdog: floor = "half" | It must be a number, but is text. | Give it, e.g. 50.',
    'timers: fetch = "10s" | Less than 30s is for the lab and for hosts with torNetwork: on the public network each fetch is a circuit a backend, to directories that others need. | Set it to 30s or more, or remove it: then it is 2m.',
    'watchdog: every = "2s" | Less than 10s is for the lab and for hosts with torNetwork: on the public network each probe is an introduction and a rendezvous, through guards and relays that others need. | Set it to 10s or more, or remove it: then it is 1m.',
  ]);
  const onTest = { testnet: true };
  assert.deepEqual(validatePublisher("mine", { timers: { fetch: 10 }, watchdog: { every: 2 } }, onTest), []);
  for (const odd of [null, 1, [], "fast"])
    assert.ok(validatePublisher("mine", { timers: odd }, network).length > 0, JSON.stringify(odd));
});
