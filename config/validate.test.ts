// The rules for components by themselves: what a program of one's own is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  validateBalancer,
  validateChoice,
  validateHosts,
  validatePool,
  validateProject,
  validateRollout,
} from "./parse";
import { line, machine, onion, site } from "./samples";

test("a project by itself: the rules of the stack, keys in place", () => {
  const args = {
    name: "news",
    nginxTimeout: 15,
    protectKeys: true,
    sites: [{ ...site, onion, key: Promise.resolve("secret") }],
  };
  assert.deepEqual(validateProject(args), []);
  assert.deepEqual(
    validateProject({
      name: "news",
      softmapTorWorkers: undefined,
      nginxTimeout: undefined,
      sites: [{ ...site, key: undefined }],
    }),
    [],
  );
  assert.deepEqual(
    validateProject({ name: "news", torIntrosPerDaemon: 2, softmapTorWorkers: 21, sites: [{ ...site, onion }] }).map(
      line,
    ),
    [
      "project news: softmapTorWorkers = 21 | It must be from 1 to 20: the project's nginx has sockets for so many tor daemons. | Choose a number there, e.g. 2.",
      "project news: torIntrosPerDaemon = 2 | It must be from 3 to 20: tor takes no other number of introduction points. | Choose a number there, e.g. 3.",
      `project news: sites[0].onion = "${onion}" | The address is given without its key: the balancer cannot publish it. | Give the site's \`key\`, or remove \`onion\` for a new address.`,
    ],
  );
  for (const args of [undefined, null, 1, [], {}]) assert.ok(validateProject(args).length > 0);
});

test("a project by itself: settings as arguments, keys of certificates in place", () => {
  const secret = Promise.resolve("hunter2");
  const pem = "certificates/a.pem";
  const args = {
    name: "news",
    nginxTimeout: 30,
    blockPath: ["/admin"],
    upstreamCertificate: pem,
    upstreamCertificateKey: secret,
    sites: [{ ...site, nginxTimeout: 60, certificate: pem, certificateKey: secret, forceHttps: false }],
  };
  assert.deepEqual(validateProject(args), []);
  const wrong = {
    ...args,
    nginxTimeout: 0.5,
    upstreamCertificateKey: undefined,
    sites: [{ ...site, nginxTimeout: 601, certificateKey: secret }],
  };
  assert.deepEqual(validateProject(wrong).map(line), [
    'project news: sites[0].nginxTimeout = "601s" | It must be from 1s to 10m. | Choose a value there; the default is 15s.',
    "project news: nginxTimeout = 0.5 | It must be text, but is a fraction. | Write 0.5s if seconds are meant.",
    "project news: sites[0].certificateKey | There is a key, but www.example.org has no certificate of its own. | Give certificate, or remove the key.",
    "project news: upstreamCertificate | The certificate is given without its key: nginx cannot use it. | Give upstreamCertificateKey beside it.",
  ]);
});

test("a pool by itself: names, doubles over projects, the budget", () => {
  const news = { name: "news", softmapTorWorkers: 2, sites: [site] };
  assert.deepEqual(validatePool({ workers: ["w1", "w2"], projects: [news] }), []);
  assert.deepEqual(
    validatePool({ workers: [], projects: [news] }).map(({ message }) => message),
    ["Without a worker no backend runs."],
  );
  const problems = validatePool({
    workers: ["w1", "w1", "W"],
    projects: [news, { ...news, name: "shop", softmapTorWorkers: 4 }],
    publisher: "onionbalance",
  });
  assert.deepEqual(
    problems.map(({ component, property }) => `${component}: ${property}`),
    ["workers: [2]", "workers: [1]", "project shop: sites[0].domain", "project shop: softmapTorWorkers"],
  );
});

test("a pool of which some are listed: their budget, and names that are there", () => {
  const news = { name: "news", softmapTorWorkers: 5, sites: [site] };
  const workers = ["w1", "w2", "w3"];
  const publisher = "onionbalance" as const;
  assert.equal(validatePool({ workers, projects: [news], publisher }).length, 1);
  assert.deepEqual(validatePool({ workers, projects: [news] }), []);
  assert.deepEqual(validatePool({ workers, projects: [news], listed: ["w1", "w3"], publisher }), []);
  const lists = { workers, projects: [news], listed: ["w1", "w4", "w3", "w3"], publisher };
  assert.deepEqual(validatePool(lists).map(line), [
    'listed: [1] = "w4" | There is no machine that runs backends of this name. | Did you mean w2?',
    'listed: [3] = "w3" | The machine is named twice. | Remove one of them.',
    "project news: softmapTorWorkers = 5 | 3 listed workers x 5 tor daemons = 15 backends x 2 introduction points = 30 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Remove `publisher` or set it to distinct, or set softmapTorWorkers to 3, or list at most 2 workers, or move sites to a second stack with workers of its own.",
  ]);
  assert.deepEqual(validatePool({ workers, projects: [], listed: [] }).map(line), [
    "stack: listed | Without a listed worker no site has a backend. | Name at least one, or remove `listed`: then every worker is listed.",
  ]);
});

test("a choice by itself: none is all of them", () => {
  assert.deepEqual(validateChoice("publishing", undefined, ["b1", "b2"]), []);
  assert.deepEqual(validateChoice("publishing", ["b2"], ["b1", "b2"]), []);
  assert.deepEqual(validateChoice("publishing", ["c"], ["b1", "b2"]).map(line), [
    'publishing: [0] = "c" | There is no balancer of this name. | Write b1 or b2, or remove it.',
  ]);
  for (const wrong of [[], null, 1, "b1", [1], ["b1", "b1"]])
    assert.ok(validateChoice("publishing", wrong, ["b1"]).length > 0, JSON.stringify(wrong));
});

test("a rollout by itself: seconds, the ranges of the stack", () => {
  for (const right of [undefined, {}, { canary: 0, waveSize: 50, pause: 3600 }, { canary: undefined, pause: 0 }])
    assert.deepEqual(validateRollout(right), []);
  assert.deepEqual(validateRollout({ canary: 51, waveSize: 0, pause: 3601, size: 2 }).map(line), [
    "rollout: canary = 51 | It must be from 0 to 50. | Choose a number there, e.g. 1.",
    "rollout: waveSize = 0 | It must be from 1 to 50. | Choose a number there, e.g. 2.",
    'rollout: pause = "3601s" | It must be from 0s to 1h. | Choose a value there; the default is 0s.',
    "rollout: size | There is no such key in rollout. | Remove it; the keys there are canary, waveSize, pause.",
  ]);
  for (const pause of [-1, 0.5, NaN, "1m", null])
    assert.deepEqual(
      validateRollout({ pause }).map(({ component, property, message }) => `${component}: ${property} | ${message}`),
      ["rollout: pause | It must be a whole number of seconds, 0 or more."],
    );
  for (const wrong of [null, 1, [], "fast"]) assert.ok(validateRollout(wrong).length > 0);
});

test("a balancer by itself: its machines, who publishes, its times in seconds", () => {
  assert.deepEqual(validateBalancer("mine", { balancers: ["b1"] }), []);
  const right = { publishTimeout: 60, retireGrace: 0, drainTimeout: 3600, rollbackWindow: 2_592_000 };
  assert.deepEqual(validateBalancer("mine", { balancers: ["b1", "b2"], publishing: ["b2"], ...right }), []);
  const wrong = { publishTimeout: 1, retireGrace: 0.5, drainTimeout: 3601, rollbackWindow: -1 };
  assert.deepEqual(validateBalancer("mine", { balancers: ["b1", "b1", "B"], publishing: [], ...wrong }).map(line), [
    'balancers: [2] = "B" | A name is made of a-z, 0-9 and inner hyphens only. | Write it as b.',
    'balancers: [1] = "b1" | The machine b1 is listed twice. | Remove one of them, or give them different names.',
    "mine: publishing | Without a balancer that publishes every site would be gone. | Name at least one, or remove `publishing`: then every balancer publishes.",
    'mine: publishTimeout = "1s" | It must be from 1m to 6h. | Choose a value there; the default is 15m.',
    'mine: drainTimeout = "3601s" | It must be from 0s to 1h. | Choose a value there; the default is 2m.',
    "mine: retireGrace = 0.5 | It must be a whole number of seconds, 0 or more. | Give e.g. 60.",
    "mine: rollbackWindow = -1 | It must be a whole number of seconds, 0 or more. | Give e.g. 60.",
  ]);
  assert.deepEqual(validateBalancer("mine", { balancers: [] }).map(line), [
    "mine: balancers | Without a balancer no site is published. | Give at least one balancer; it can run backends too with workersOnBalancers: true.",
  ]);
});

test("machines by themselves: a machine in both lists does both, a double does not", () => {
  const [a, b] = [machine("a", "203.0.113.1"), machine("b", "203.0.113.2")];
  assert.deepEqual(validateHosts({ component: "hosts", balancers: [a], workers: [a, b] }), []);
  assert.deepEqual(validateHosts({ component: "hosts", balancers: [a], workers: [a] }), []);
  assert.deepEqual(validateHosts({ component: "hosts", balancers: [], workers: [b, { ...b, name: "c" }] }).map(line), [
    'host c: address = "203.0.113.2" | c and b are the same machine: 203.0.113.2 port 22. | Remove one of them, or correct its address.',
    "hosts: balancers | Without a balancer no site is published. | Give at least one balancer; it can run backends too with workersOnBalancers: true.",
  ]);
  const network = (torNetwork: string[]): string[] =>
    validateHosts({ component: "mine", balancers: [a], workers: [b], torNetwork }).map(line);
  assert.deepEqual(network(["DirAuthority a0 orport=5100 10.0.0.5:7100 AB"]), []);
  for (const lines of [[], ["TestingTorNetwork 1"]])
    assert.match(network(lines).join(), /^mine: torNetwork \| No line names a DirAuthority[^|]*\| Add /);
});
