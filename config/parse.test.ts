import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inputFromPulumi, inputFromStackFile } from "./input";
import { parseStackConfig } from "./parse";
import { ProblemsError, report } from "./problems";
import { torrcLineFault } from "./schema/network";
import { torrc } from "../templates/quote";
import { lab, line, machine, onion, problemsIn, project, site, ssh } from "./samples";

test("every default is filled and durations are seconds", () => {
  assert.deepEqual(parseStackConfig(lab()), {
    hosts: {
      provider: "lab",
      name: "dev",
      base: true,
      firewall: true,
      openPorts: [],
      balancers: [{ name: "balancer1" }],
      workers: [{ name: "worker1" }, { name: "worker2" }],
    },
    balancers: ["balancer1"],
    workers: ["worker1", "worker2"],
    workersOnBalancers: false,
    publishing: ["balancer1"],
    listed: ["worker1", "worker2"],
    projects: [
      {
        name: "news",
        softmapTorWorkers: 2,
        torIntrosPerDaemon: 3,
        backendHeader: false,
        foreignMaps: [],
        preserve: [],
        onionifyEmails: false,
        nginxWorkers: "auto",
        nginxRlim: 8192,
        nginxCacheSize: "256m",
        nginxSyslog: "error",
        torSingleOnion: false,
        torSyslog: "notice",
        torIntroDosDefense: false,
        torMaxStreamsCloseCircuit: false,
        torExportCircuitId: false,
        sites: [{ domain: "www.example.org", subdomains: [] }],
      },
    ],
    protectKeys: true,
    rollout: { canary: 1, waveSize: 2, pause: 0 },
    publishTimeout: 900,
    retireGrace: 600,
    drainTimeout: 120,
    rollbackWindow: 86400,
  });
});

test("a rollout that is given in part has the other defaults", () => {
  const whole = parseStackConfig(lab()).rollout;
  assert.deepEqual(parseStackConfig(lab({ rollout: {} })).rollout, whole);
  for (const [given, seconds] of [
    [{ canary: 3 }, { canary: 3 }],
    [{ waveSize: 7 }, { waveSize: 7 }],
    [{ pause: "2m" }, { pause: 120 }],
  ])
    assert.deepEqual(parseStackConfig(lab({ rollout: given })).rollout, { ...whole, ...seconds });
});

test("who publishes and who is listed: all unless named, in the order of the machines", () => {
  const many = { balancers: 2, workers: ["south", "north"], workersOnBalancers: true };
  const choices = (keys: Record<string, unknown>) => {
    const { publishing, listed } = parseStackConfig(lab({ ...many, ...keys }));
    return { publishing, listed };
  };
  assert.deepEqual(choices({}), {
    publishing: ["balancer1", "balancer2"],
    listed: ["balancer1", "balancer2", "south", "north"],
  });
  assert.deepEqual(choices({ publishing: ["balancer2"], listed: ["north", "balancer1"] }), {
    publishing: ["balancer2"],
    listed: ["balancer1", "north"],
  });
});

test("names are not looked up among machines that cannot be told", () => {
  const says = problemsIn(lab({ balancers: "two", publishing: ["b"], listed: ["w"], workers: [{ nmae: "w" }] })).map(
    line,
  );
  assert.ok(says.length > 0);
  assert.doesNotMatch(says.join("\n"), /of this name/);
});

test("a machine of provider ssh takes port 22 and the user of hosts unless it has its own", () => {
  const { hosts } = parseStackConfig(ssh({ workers: [machine("w1", "203.0.113.2", { user: "debian", port: 2222 })] }));
  assert.ok(hosts.provider === "ssh");
  assert.deepEqual(
    hosts.balancers.map((each) => "user" in each && [each.user, each.port]),
    [["admin", 22]],
  );
  assert.deepEqual(
    hosts.workers.map((each) => "user" in each && [each.user, each.port]),
    [["debian", 2222]],
  );
});

test("IPv6 resolvers leave in brackets", () => {
  const { projects } = parseStackConfig(
    lab({ projects: [project({ nginxResolver: ["2001:db8::2", "[2001:db8::3]:5353", "10.0.0.2:53"] })] }),
  );
  assert.deepEqual(projects[0]?.nginxResolver, ["[2001:db8::2]", "[2001:db8::3]:5353", "10.0.0.2:53"]);
});

test("a domain under another one is a site of its own", () => {
  const sites = [{ domain: "example.org", subdomains: ["www"] }, site];
  assert.deepEqual(problemsIn(lab({ projects: [project({ sites })] })), []);
});

test("an address with its key is right, and is not checked for one where nobody knows the keys", () => {
  const config = lab({ projects: [project({ sites: [{ ...site, onion }] })] });
  assert.deepEqual(problemsIn(config, { siteKeyDomains: ["www.example.org"] }), []);
  assert.deepEqual(problemsIn(config), []);
});

test("all problems are in one report, in the order of the docs", () => {
  const config = {
    projects: [
      project({ torIntrosPerDaemon: 2, sites: [{ domain: "www.example.org", onoin: onion }] }),
      project({ name: "Shop" }),
    ],
    publisher: "onionbalance",
    workers: 7,
    hosts: { provider: "lab", nmae: "dev" },
  };
  assert.equal(
    report(problemsIn(config)),
    `7 problems in the configuration:

  hosts: nmae
    There is no such key in hosts with provider lab.
    Next: Did you mean name?

  project news: torIntrosPerDaemon = 2
    It must be from 3 to 20: tor takes no other number of introduction points.
    Next: Choose a number there, e.g. 3.

  project news: sites[0].onoin
    There is no such key in a site.
    Next: Did you mean onion?

  project Shop: name = "Shop"
    A name is made of a-z, 0-9 and inner hyphens only.
    Next: Write it as shop.

  project Shop: sites[0].domain = "www.example.org"
    The domain is in projects news and Shop; a domain is one site.
    Next: Remove one of them.

  project news: softmapTorWorkers = 2
    7 workers x 2 tor daemons = 14 backends x 2 introduction points = 28 for each site; clients refuse a descriptor with more than 20, and the site would be gone.
    Next: Remove \`publisher\` or set it to distinct, or set softmapTorWorkers to 1, or run this on at most 5 workers, or move sites to a second stack with workers of its own.

  project Shop: softmapTorWorkers = 2
    7 workers x 2 tor daemons = 14 backends x 2 introduction points = 28 for each site; clients refuse a descriptor with more than 20, and the site would be gone.
    Next: Remove \`publisher\` or set it to distinct, or set softmapTorWorkers to 1, or run this on at most 5 workers, or move sites to a second stack with workers of its own.`,
  );
});

const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.object({ key: fc.constantFrom("name", "domain", "__proto__", "x"), maxDepth: 3 }),
);
const keys = [
  "hosts",
  "balancers",
  "workers",
  "workersOnBalancers",
  "projects",
  "protectKeys",
  "publishTimeout",
  "retireGrace",
  "publishing",
  "listed",
  "rollout",
  "publisher",
  "timers",
  "watchdog",
  "monitoring",
  "siteKeys",
  "tlsKeys",
  "__proto__",
  "toString",
  "x",
];

/** Nothing but a config or a ProblemsError with something to say. */
function staysCalm(raw: unknown): void {
  try {
    parseStackConfig(raw as Record<string, unknown>);
  } catch (error) {
    assert.ok(error instanceof ProblemsError, String(error));
    assert.ok(error.problems.length > 0 && error.message.includes("Next: "));
  }
}

test("any JSON gives a config or a report, never another error", () => {
  fc.assert(fc.property(json, staysCalm));
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...keys), json), staysCalm));
});

/** Paths of everything in a value, inner ones after outer ones. */
function paths(value: unknown, at: string[] = []): string[][] {
  const inner = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [at, ...inner.flatMap(([key, child]) => paths(child, [...at, key]))];
}

function withValue(base: unknown, [step, ...rest]: string[], value: unknown): unknown {
  if (step === undefined) return value;
  const copy = (Array.isArray(base) ? [...(base as unknown[])] : { ...(base as object) }) as Record<string, unknown>;
  copy[step] = withValue(copy[step], rest, value);
  return copy;
}

test("a right config with any one value replaced gives a config or a report", () => {
  const base = ssh({
    publishing: ["b1"],
    listed: ["w1"],
    rollout: { canary: 1, waveSize: 2, pause: "1m" },
    drainTimeout: "2m",
    publisher: "distinct",
    timers: { fetch: "2m", republish: "5m", lifetime: "1h", tooOld: "1h" },
    watchdog: { enabled: true, every: "30s", failures: 2, floor: 50 },
    monitoring: { port: 9552, from: ["10.0.0.0/8"] },
    projects: [
      project({
        nginxResolver: ["10.0.0.2"],
        sites: [{ ...site, subdomains: ["cdn"], onion, nginxBlockSize: "8k", blockParam: [{ name: "a", value: "b" }] }],
        injectHeadersUpstream: { "X-Proxy": "a" },
        redirectPath: [{ match: "^/a", code: 307, to: "https://a.example" }],
        foreignMaps: [{ onion, domain: "a.example.net" }],
        preserve: ["press@example.org"],
        certificate: "a.pem",
        nginxWorkers: 2,
        torMaxStreams: 5,
      }),
    ],
  });
  staysCalm(base);
  const odd = fc.oneof(
    json,
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.constantFrom("", "\n", "a;b", "$x", "..", -1, 1e21),
  );
  fc.assert(
    fc.property(fc.constantFrom(...paths(base)), odd, (path, value) => staysCalm(withValue(base, path, value))),
    { numRuns: 500 },
  );
});

test("no report shows what stands under an unknown key or a private key", () => {
  const config = lab({
    secretThing: "hunter2",
    projects: [project({ sites: [{ ...site, key: "hunter2" }] })],
    siteKeys: "hunter2",
  });
  assert.doesNotMatch(report(problemsIn(config)), /hunter2/);
  const pasted = ssh({}, { privateKeyFile: "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2" });
  assert.doesNotMatch(report(problemsIn(pasted)), /hunter2/);
});

test("Pulumi's texts and the stack's file give the same config", () => {
  const siteKeys = { "www.example.org": { secure: "v1:aaaa" } };
  const file = { ...lab({ workers: 3, protectKeys: false, retireGrace: "5s" }), siteKeys };
  const prefixed = Object.entries(file).map(([name, value]): [string, unknown] => [`softmap:${name}`, value]);
  const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  const pulumi = inputFromPulumi(
    {
      ...Object.fromEntries(prefixed.map(([name, value]) => [name, asText(value)])),
      "aws:region": "x",
    },
    { isSecret: () => true },
  );
  const yaml = inputFromStackFile({ ...Object.fromEntries(prefixed), "aws:region": "x" });
  assert.deepEqual(pulumi, yaml);
  assert.deepEqual(pulumi.siteKeyDomains, ["www.example.org"]);
  assert.ok(!("siteKeys" in pulumi.raw));
  assert.deepEqual(parseStackConfig(pulumi.raw, pulumi), parseStackConfig(yaml.raw, yaml));
});

test("what `pulumi config set` writes as text is read as number and boolean; a siteKeys encrypted as a whole names nobody", () => {
  const input = inputFromStackFile({
    "softmap:workers": "3",
    "softmap:protectKeys": "false",
    "softmap:siteKeys": { secure: "v1:a" },
  });
  const nobody = { names: [], plain: [] };
  const certificateKeys = { tlsKeys: nobody, upstreamKeys: nobody };
  assert.deepEqual(input, {
    raw: { workers: 3, protectKeys: false },
    siteKeyDomains: undefined,
    plainSiteKeys: [],
    certificateKeys,
  });
  const none = inputFromPulumi({}, { isSecret: () => false });
  assert.deepEqual(none, { raw: {}, siteKeyDomains: [], plainSiteKeys: [], certificateKeys });
});

test("a key in plain text is a problem of its domain, a path is not, and its text is in no report", () => {
  const key = Buffer.alloc(96, 7).toString("base64");
  const siteKeys = { "www.example.org": key, "a.example.org": "~/keys/a", "b.example.org": { secure: "v1:aaaa" } };
  const yaml = inputFromStackFile({ "softmap:siteKeys": siteKeys });
  assert.deepEqual(yaml.plainSiteKeys, ["www.example.org"]);
  assert.doesNotMatch(JSON.stringify(yaml), new RegExp(key.slice(0, 20)));
  const texts = { "softmap:siteKeys": JSON.stringify({ "www.example.org": key, "a.example.org": "~/keys/a" }) };
  assert.deepEqual(inputFromPulumi(texts, { isSecret: () => false }).plainSiteKeys, ["www.example.org"]);
  assert.deepEqual(inputFromPulumi(texts, { isSecret: () => true }).plainSiteKeys, []);
  for (const form of [`ED25519-V3:${key}`, "-----BEGIN PRIVATE KEY-----\nx", `${key.slice(0, 64)}\n${key.slice(64)}\n`])
    assert.deepEqual(inputFromStackFile({ "softmap:siteKeys": { a: form } }).plainSiteKeys, ["a"]);
  const options = { siteKeyDomains: ["www.example.org"], plainSiteKeys: yaml.plainSiteKeys };
  assert.deepEqual(problemsIn(lab(), options).map(line), [
    "siteKeys: www.example.org | The site's key stands here in plain text: whoever reads the file can answer for the site. | Encrypt it: pulumi config set --secret --path 'softmap:siteKeys[\"www.example.org\"]' < hs_ed25519_secret_key.base64. If the file was ever committed or shared, regard the key as seen.",
  ]);
});

test("keys of certificates: only their names are read, and one in plain text is a problem without its text", () => {
  const pem = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----";
  const tlsKeys = { "www.example.org": pem, news: { secure: "v1:aaaa" } };
  const yaml = inputFromStackFile({ "softmap:tlsKeys": tlsKeys, "softmap:upstreamKeys": { secure: "v1:aaaa" } });
  assert.deepEqual(yaml.certificateKeys, {
    tlsKeys: { names: ["www.example.org", "news"], plain: ["www.example.org"] },
    upstreamKeys: { names: undefined, plain: [] },
  });
  const texts = { "softmap:tlsKeys": JSON.stringify({ "www.example.org": pem }) };
  const names = { names: ["www.example.org"], plain: [] };
  assert.deepEqual(inputFromPulumi(texts, { isSecret: () => true }).certificateKeys.tlsKeys, names);
  const { certificateKeys } = yaml;
  const says = problemsIn(lab(), {
    certificateKeys: { tlsKeys: { names: undefined, plain: certificateKeys.tlsKeys.plain } },
  });
  assert.deepEqual(says.map(line), [
    "tlsKeys: www.example.org | The certificate's key stands here in plain text: whoever reads the file can answer for the site. | Encrypt it: pulumi config set --secret --path 'softmap:tlsKeys[\"www.example.org\"]' < key.pem. If the file was ever committed or shared, regard the key as seen.",
  ]);
  assert.deepEqual(problemsIn({ ...lab(), tlsKeys: "hunter2" }).map(line), [
    "stack: tlsKeys | It must be an object: a key for each domain. | Set each key by its domain: pulumi config set --secret --path 'softmap:tlsKeys[\"www.example.org\"]' < key.pem",
  ]);
});

test("a certificate has its key, by the name of whose it is, and a key its certificate", () => {
  const certificate = "a.pem";
  const sites = [{ ...site, certificate }, { domain: "b.example.org" }];
  const config = lab({ projects: [project({ certificate, upstreamCertificate: "b.pem", sites })] });
  const says = (tlsKeys: string[] | undefined, upstreamKeys: string[] | undefined): string[] =>
    problemsIn(config, {
      certificateKeys: { tlsKeys: { names: tlsKeys, plain: [] }, upstreamKeys: { names: upstreamKeys, plain: [] } },
    }).map(line);
  assert.deepEqual(says(["news", "www.example.org"], ["news"]), []);
  assert.deepEqual(says(undefined, undefined), []);
  assert.deepEqual(problemsIn(config), []);
  assert.deepEqual(says(["www.example.org", "b.example.org", "x.example.org"], []), [
    "project news: certificate | The certificate is given without its key: nginx cannot use it. | Add the key: pulumi config set --secret --path 'softmap:tlsKeys[\"news\"]' < key.pem.",
    "project news: upstreamCertificate | The certificate is given without its key: nginx cannot use it. | Add the key: pulumi config set --secret --path 'softmap:upstreamKeys[\"news\"]' < key.pem.",
    "tlsKeys: b.example.org | There is a key, but b.example.org has no certificate of its own. | Give certificate, or remove the key.",
    "tlsKeys: x.example.org | There is a key of this name, but no site and no project has it. | Correct the name, or remove the key.",
  ]);
});

test("the config takes a torrc line exactly when the templates do", () => {
  const written = (line: string): boolean => {
    try {
      (torrc.helpers["option"] as unknown as (line: string) => unknown)(line);
      return true;
    } catch {
      return false;
    }
  };
  const keyword = fc.constantFrom("DirAuthority", "TestingTorNetwork", "SocksPort", "dirauthority", "Testing", "", "#");
  const lines = fc.oneof(
    fc.tuple(keyword, fc.stringMatching(/^[ \t]{0,2}$/), fc.string({ unit: "binary" })).map((parts) => parts.join("")),
    fc.tuple(keyword, fc.string()).map(([option, value]) => `${option} ${value}`),
  );
  fc.assert(fc.property(lines, (line) => assert.equal(torrcLineFault(line) === undefined, written(line))));
});
