import assert from "node:assert/strict";
import { test } from "node:test";
import { documented, stackFileSchema } from "./docs";
import { lab, machine, onion, problemsIn, project, site, ssh, withSite } from "./samples";
import { type Json, jsonSchemaOf } from "./schema/json";
import { stackSchema } from "./schema";

test("every key has a doc line and an example that the schema takes", () => {
  for (const schema of documented) {
    const node = jsonSchemaOf(schema);
    for (const [key, about] of Object.entries((node["properties"] ?? {}) as Record<string, Json>)) {
      assert.match(String(about["description"]), /^\S.+\S$/, key);
      const examples = about["examples"];
      assert.ok(Array.isArray(examples) && examples.length > 0, `${key} has no example`);
      for (const example of examples) assert.ok(accepts(about, example), `${key}: ${JSON.stringify(example)}`);
    }
  }
});

// As much of JSON schema as ours uses; a key that is not listed here fails the test that walks the schema.
const notes = ["$schema", "title", "description", "default", "examples", "unit"];

function accepts(node: Json | boolean, value: unknown): boolean {
  if (typeof node === "boolean") return node;
  return Object.entries(node).every(([keyword, rule]) => notes.includes(keyword) || holds(keyword, rule, value, node));
}

function holds(keyword: string, rule: unknown, value: unknown, node: Json): boolean {
  const record = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  const schemas = rule as Record<string, Json>;
  switch (keyword) {
    case "type":
      if (rule === "object") return record !== undefined;
      if (rule === "array") return Array.isArray(value);
      return rule === "integer" ? Number.isInteger(value) : typeof value === rule;
    case "const":
      return value === rule;
    case "enum":
      return (rule as unknown[]).includes(value);
    case "pattern":
      return typeof value !== "string" || new RegExp(String(rule)).test(value);
    case "minimum":
      return typeof value !== "number" || value >= Number(rule);
    case "maximum":
      return typeof value !== "number" || value <= Number(rule);
    case "minItems":
      return !Array.isArray(value) || value.length >= Number(rule);
    case "items":
      return !Array.isArray(value) || value.every((item) => accepts(rule as Json, item));
    case "contains":
      return !Array.isArray(value) || value.some((item) => accepts(rule as Json, item));
    case "required":
      return !record || (rule as string[]).every((key) => Object.hasOwn(record, key));
    case "properties":
      return (
        !record ||
        Object.entries(schemas).every(([key, inner]) => !Object.hasOwn(record, key) || accepts(inner, record[key]))
      );
    case "patternProperties":
      return (
        !record ||
        Object.entries(schemas).every(([pattern, inner]) =>
          Object.keys(record).every((key) => !new RegExp(pattern).test(key) || accepts(inner, record[key])),
        )
      );
    case "additionalProperties": {
      const known = Object.keys(node["properties"] ?? {});
      return !record || Object.keys(record).every((key) => known.includes(key) || accepts(rule as Json, record[key]));
    }
    case "propertyNames":
      return !record || Object.keys(record).every((key) => accepts(rule as Json, key));
    case "anyOf":
      return (rule as Json[]).some((inner) => accepts(inner, value));
    case "oneOf":
      return (rule as Json[]).filter((inner) => accepts(inner, value)).length === 1;
    default:
      throw new Error(`the schema uses ${keyword}, which this test does not know`);
  }
}

const samples: [what: string, config: Record<string, unknown>][] = [
  ["the smallest lab", lab()],
  [
    "a lab with everything",
    lab({
      balancers: ["north"],
      workers: ["a", "b"],
      workersOnBalancers: true,
      protectKeys: false,
      publishTimeout: "20m",
      retireGrace: "0s",
      publishing: ["north"],
      listed: ["a", "north"],
      rollout: { canary: 0, waveSize: 5, pause: "5m" },
      drainTimeout: "1h",
      rollbackWindow: "720h",
      publisher: "distinct",
      timers: { fetch: "2m", publishCheck: "30s", firstPublish: "15s", republish: "0s", lifetime: "1h", tooOld: "3h" },
      watchdog: { enabled: true, every: "2s", timeout: "1s", failures: 10, floor: 0 },
      monitoring: { port: 9100, from: ["10.0.0.0/8", "2001:db8::/48"] },
    }),
  ],
  ["a site with everything", withSite({ subdomains: ["cdn", "static.eu"], onion, replaceAddress: onion })],
  [
    "a project with everything",
    lab({
      projects: [
        project({ softmapTorWorkers: 5, torIntrosPerDaemon: 20, nginxResolver: ["10.0.0.2"], nginxTimeout: "1m" }),
      ],
    }),
  ],
  [
    "settings of a project and of a site",
    lab({
      projects: [
        project({
          injectHeadersUpstream: { "X-Proxy": "a" },
          redirectPath: [{ match: "^/a", code: 308, to: "https://a.example" }],
          foreignMaps: [{ onion, domain: "a.example.net" }],
          nginxWorkers: 2,
          sites: [{ ...site, onionTls: "selfSigned", nginxCacheSeconds: 5, blockParam: [{ name: "a", value: "b" }] }],
        }),
      ],
    }),
  ],
  ["a name that is no header's", withSite({ injectHeadersUpstream: { "X Proxy": "a" } })],
  [
    "a redirect with another status",
    withSite({ redirectPath: [{ match: "^/a", code: 200, to: "https://a.example" }] }),
  ],
  [
    "a redirect with an unknown key",
    withSite({ redirectPath: [{ match: "^/a", kode: 307, to: "https://a.example" }] }),
  ],
  ["a size with another unit", withSite({ nginxBlockSize: "16kb" })],
  ["a setting of a project on a site", withSite({ torSingleOnion: true })],
  ["ssh", ssh({}, { privateKeyFile: "~/.ssh/id" })],
  [
    "a private network",
    ssh({}, { agent: true, torNetwork: ["TestingTorNetwork 1", "DirAuthority a0 10.0.0.5:7100 AB"] }),
  ],
  ["a private network without lines", ssh({}, { agent: true, torNetwork: [] })],
  ["a private network without authorities", ssh({}, { agent: true, torNetwork: ["TestingTorNetwork 1"] })],
  [
    "a port in a private network",
    ssh({}, { agent: true, torNetwork: ["DirAuthority a0 10.0.0.5:7100 AB", "SocksPort 1"] }),
  ],
  ["ssh with port and user", ssh({ workers: [machine("w", "w.example.net", { port: 2222, user: "debian" })] })],
  ["nothing", {}],
  ["a misspelt key", lab({ wrokers: 2 })],
  ["text for a number", lab({ workers: "two" })],
  ["a fraction", lab({ workers: 1.5 })],
  ["a number too large", lab({ workers: 121 })],
  ["an unknown provider", lab({ hosts: { provider: "shh" } })],
  ["a key of the other provider", lab({ hosts: { provider: "lab", user: "admin" } })],
  ["a project without sites", lab({ projects: [project({ sites: [] })] })],
  ["a project name with a space", lab({ projects: [project({ name: "a b" })] })],
  ["2 introduction points", lab({ projects: [project({ torIntrosPerDaemon: 2 })] })],
  ["a rollout of one key", lab({ rollout: { canary: 2 } })],
  ["a rollout with an unknown key", lab({ rollout: { size: 2 } })],
  ["waves of nobody", lab({ rollout: { waveSize: 0 } })],
  ["an unknown publisher", lab({ publisher: "gobalance" })],
  ["a timer without unit", lab({ timers: { fetch: 120 } })],
  ["an unknown timer", lab({ timers: { fetsh: "2m" } })],
  ["a floor above all", lab({ watchdog: { floor: 101 } })],
  ["no failure at all", lab({ watchdog: { failures: 0 } })],
  ["a monitoring port of the system's", lab({ monitoring: { port: 80 } })],
  ["a network of no text", lab({ monitoring: { from: [7] } })],
  ["nobody publishes", lab({ publishing: [] })],
  ["a number of listed workers", lab({ listed: 2 })],
  ["a duration without unit", lab({ retireGrace: "600" })],
  ["a URL for a domain", lab({ projects: [project({ sites: [{ domain: "https://www.example.org" }] })] })],
  ["an unknown key of a site", withSite({ onoin: onion })],
  ["an address of 16 characters", withSite({ onion: "expyuzz4wqqyqhjn.onion" })],
  ["no host key", ssh({ workers: [{ name: "w", address: "203.0.113.2" }] })],
  ["a port out of range", ssh({ workers: [machine("w", "203.0.113.2", { port: 0 })] })],
  ["a list with null", lab({ projects: [null, project()], workers: [site] })],
];

for (const [what, config] of samples) {
  test(`JSON schema and zod agree: ${what}`, () => {
    const right = stackSchema.safeParse(config).success;
    assert.equal(accepts(jsonSchemaOf(stackSchema), config), right);
    const file = Object.fromEntries(Object.entries(config).map(([key, value]) => [`softmap:${key}`, value]));
    assert.equal(accepts(stackFileSchema(), { config: { ...file, "aws:region": "x" }, encryptionsalt: "v1:x" }), right);
    if (!right) assert.ok(problemsIn(config).length > 0);
  });
}
