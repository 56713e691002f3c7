import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { healthy, look, onion, seenOf, stack } from "../desk/samples";
import type { Survey } from "../desk/survey";
import { StackError } from "../stack";
import { topologyOfSurvey } from "./fromSurvey";
import { main, type Tools } from "./index";
import { demoPicture, demoSurvey } from "./samples";
import { topologyOfConfig } from "./sources";
import { marker, svgOf } from "./svg";
import { statesOf, troublesOf } from "./topology";

const root = join(__dirname, "..", "..");

test("docs/map.svg, the picture in the README, is what the program draws of the demo's stack", () => {
  const file = join(root, "docs", "map.svg");
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, demoPicture());
  assert.equal(demoPicture(), readFileSync(file, "utf8"), "if that is wanted: UPDATE_GOLDEN=1, and look at it");
});

test("the demo's stack in the picture is that of Pulumi.dev.yaml", () => {
  const shape = ({ balancers, projects, workers }: ReturnType<typeof topologyOfSurvey>) => ({
    balancers: balancers.map(({ name, sites }) => ({ name, sites })),
    projects: projects.map(({ name, sites }) => ({
      name,
      sites: sites.map(({ domain, planned }) => ({ domain, planned })),
    })),
    workers: workers.map(({ name, cells }) => ({
      name,
      daemons: cells.flatMap(({ daemons }) => daemons.map((each) => each.name)),
    })),
  });
  const config = topologyOfConfig("Pulumi.dev.yaml", readFileSync(join(root, "Pulumi.dev.yaml"), "utf8"));
  assert.deepEqual(shape(topologyOfSurvey(demoSurvey())), shape(config));
  assert.equal(config.stack, "dev");
});

test("the order in which a survey has its things changes nothing", () => {
  const turned = (survey: Survey): Survey => ({
    ...survey,
    backends: survey.backends.toReversed(),
    sites: survey.sites.toReversed(),
    machines: survey.machines.toReversed(),
  });
  assert.equal(svgOf(topologyOfSurvey(turned(demoSurvey()))), demoPicture());
});

/** What is wrong after something happened to a stack that was well: name and sentence. */
function after(change: (survey: Edited) => void): string[] {
  const survey = healthy();
  change(survey as Edited);
  return troublesOf(topologyOfSurvey(survey)).map(({ name, why }) => `${name}: ${why}`);
}

type Edited = Mutable<Survey>;
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
const edited = (survey: Edited, name: string): Mutable<ReturnType<typeof seenOf>> =>
  seenOf(survey, name) as Mutable<ReturnType<typeof seenOf>>;
/** The n-th unit, tor or site: a test that means none fails. */
function at<T>(list: readonly T[], i: number): T {
  const found = list[i];
  assert.ok(found !== undefined);
  return found;
}
const publisherOf = (survey: Edited) => {
  const { publisher } = edited(survey, "balancer1");
  assert.ok(publisher);
  return publisher;
};
const published = (survey: Edited, i: number) => at(publisherOf(survey).sites, i);

const tor1 = "softmap-tor@news-1-00ff.service";
const rules: readonly (readonly [what: string, change: (survey: Edited) => void, expected: readonly string[]])[] = [
  ["nothing", () => undefined, []],
  [
    "a tor that failed",
    (survey) => {
      const { units, tors } = edited(survey, "worker1");
      Object.assign(
        at(
          units.filter(({ unit }) => unit === tor1),
          0,
        ),
        { state: "failed", sub: "failed" },
      );
      Object.assign(at(tors, 0), { error: "no socket", bootstrapped: null, backend: null });
    },
    [`news-worker1-1: ${tor1} is failed`],
  ],
  [
    "a tor that does not answer",
    (survey) =>
      Object.assign(at(edited(survey, "worker1").tors, 0), { error: "no socket", bootstrapped: null, backend: null }),
    ["news-worker1-1: its tor does not answer: no socket"],
  ],
  [
    "a tor that is not there",
    (survey) => {
      const seen = edited(survey, "worker1");
      seen.units = seen.units.filter(({ unit }) => unit !== tor1);
      seen.tors = seen.tors.filter(({ unit }) => unit !== tor1);
    },
    ["news-worker1-1: no tor on its machine is this backend"],
  ],
  [
    "a tor that bootstraps",
    (survey) => Object.assign(at(edited(survey, "worker1").tors, 0), { bootstrapped: 45, summary: "Loading" }),
    ["news-worker1-1: its tor is at 45 %: Loading"],
  ],
  [
    "no introduction points",
    (survey) => {
      const { backend } = at(edited(survey, "worker2").tors, 1);
      assert.ok(backend);
      backend.introductionPoints = 0;
    },
    ["news-worker2-2: it has no introduction points"],
  ],
  [
    "a backend that is in no descriptor",
    (survey) => publisherOf(survey).sites.forEach(({ backends }) => (at(backends, 3).listed = 0)),
    ["news-worker2-2: it is not in the published descriptor of court.test, www.daily.test"],
  ],
  [
    "a backend that is left out",
    (survey) => {
      const { told, backends } = published(survey, 0);
      const { name, address } = at(backends, 3);
      told?.leftOut.push({ name: name ?? "", address, by: "watchdog", why: "no answer for 12 s", age: 60 });
      at(backends, 3).listed = 0;
    },
    ["news-worker2-2: it is left out by the watchdog: no answer for 12 s"],
  ],
  [
    "a site that nobody publishes",
    (survey) => publisherOf(survey).sites.splice(0, 1),
    ["www.daily.test: no balancer publishes it"],
  ],
  [
    "a descriptor that is not there",
    (survey) => {
      published(survey, 0).published = look({ error: "timed out", points: 0, unknown: 0, took: 20 });
    },
    ["www.daily.test: its descriptor is not there: timed out"],
  ],
  [
    "too many introduction points, some of nobody",
    (survey) => {
      published(survey, 0).published = look({ error: null, points: 22, unknown: 3, took: 1 });
    },
    [
      "www.daily.test: its descriptor has 22 introduction points, and clients accept 20",
      "www.daily.test: 3 introduction points in its descriptor are of no backend of the plan",
    ],
  ],
  [
    "Onionbalance that does not answer",
    (survey) => (publisherOf(survey).error = "its status socket does not answer"),
    ["balancer1: Onionbalance: its status socket does not answer"],
  ],
  [
    "an origin that fails, an nginx that is silent, a certificate that ended",
    (survey) => {
      const seen = edited(survey, "worker1");
      at(at(seen.proxies, 0).sites, 0).status = 502;
      at(seen.proxies, 0).answers = false;
      at(seen.certificates, 0).left = -86_400;
    },
    [
      "www.daily.test: asked by worker1, its origin fails: it answers 502",
      "nginx of news on worker1: its nginx does not answer with the release that serves",
      "nginx of news on worker1: the certificate of www.daily.test ended 1 days ago",
    ],
  ],
  [
    "a worker that is away",
    (survey) => (survey.machines[1] = { name: "worker1", error: "not reached" }),
    ["worker1: it could not be asked: not reached"],
  ],
];

for (const [what, change, expected] of rules) test(`rule: ${what}`, () => assert.deepEqual(after(change), expected));

test("of what nobody could ask, nothing is known", () => {
  const survey = healthy() as Edited;
  survey.machines = survey.machines.map(({ name }) => ({ name, error: "no route" }));
  const states = new Map(statesOf(topologyOfSurvey(survey as Survey)).map(({ name, state }) => [name, state.health]));
  assert.equal(states.get("news-worker1-1"), "unknown");
  assert.equal(states.get("court.test"), "unknown");
  assert.equal(states.get("balancer1"), "trouble");
});

test("a balancer on standby publishes nothing, and is well; so is a machine that balances and works", () => {
  const survey = healthy() as Edited;
  const other = edited(healthy() as Edited, "balancer1");
  assert.ok(other.publisher);
  Object.assign(other.publisher, { standby: true, sites: [] });
  survey.machines.push({ name: "balancer2", seen: other });
  edited(survey, "worker2").publisher = structuredClone(publisherOf(survey));
  const { balancers, workers } = topologyOfSurvey(survey);
  assert.deepEqual(
    balancers.map(({ name, standby, health, sites }) => [name, standby, health, sites.length]),
    [
      ["balancer1", false, "ok", 2],
      ["balancer2", true, "ok", 0],
      ["worker2", false, "ok", 2],
    ],
  );
  assert.deepEqual(
    workers.map(({ name }) => name),
    ["worker1", "worker2"],
  );
});

test("a backend that no balancer lists says so, and is no trouble", () => {
  const survey = healthy() as Edited;
  publisherOf(survey).sites.forEach((site) => (site.backends = site.backends.slice(0, 2)));
  const topology = topologyOfSurvey(survey);
  assert.deepEqual(troublesOf(topology), []);
  assert.deepEqual(
    topology.workers.map(({ cells }) => cells.flatMap(({ daemons }) => daemons.map(({ listed }) => listed))),
    [
      [true, true],
      [false, false],
    ],
  );
  assert.equal(topology.projects[0]?.sites[0]?.planned, 4);
  assert.match(svgOf(topology), />not listed<[^]*>not listed</);
});

/** The command with files in memory. */
async function call(
  words: string,
  { files = {}, survey = healthy(), fail }: { files?: Record<string, string>; survey?: Survey; fail?: Error } = {},
) {
  const [out, err]: [string[], string[]] = [[], []];
  const tools: Tools = {
    read: async () => {
      if (fail) throw fail;
      return stack;
    },
    survey: async () => survey,
    readFile: async (file) => files[file] ?? Promise.reject(Object.assign(new Error("no"), { code: "ENOENT" })),
    writeFile: async (file, text) => void (files[file] = text),
  };
  const streams = { out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
  const code = await main(words.split(" ").filter(Boolean), streams, tools);
  return { code, out: out.join("\n"), err: err.join("\n"), files };
}

test("map draws the stack into map.html, or as a picture where that is asked for", async () => {
  const page = await call("");
  assert.deepEqual([page.code, page.out, page.err], [0, "map.html: all is well", ""]);
  assert.match(page.files["map.html"] ?? "", /^<!doctype html>\n<!-- softmap map -->/);
  const picture = await call("--out a/b.svg --stack prod");
  assert.ok(picture.files["a/b.svg"]?.startsWith(`${marker}\n<svg `));
});

test("it draws trouble too, says what it is, and ends with 1", async () => {
  const survey = healthy() as Edited;
  survey.machines[1] = { name: "worker1", error: "not reached" };
  const { code, out, files } = await call("", { survey: survey });
  assert.equal(code, 1);
  assert.match(
    out,
    /trouble in 1 place\n {2}worker1: it could not be asked: not reached\n {2}Next: npx softmap doctor/,
  );
  assert.match(files["map.html"] ?? "", /What is wrong/);
});

test("--json prints what is in the picture, and writes none unless it is told to", async () => {
  const { code, out, files } = await call("--json");
  const told = JSON.parse(out) as { file: null; verdict: { health: string }; topology: { workers: unknown[] } };
  assert.deepEqual([code, told.file, told.verdict.health, told.topology.workers.length], [0, null, "ok", 2]);
  assert.deepEqual(files, {});
  assert.deepEqual(Object.keys((await call("--json --out a.svg")).files), ["a.svg"]);
});

test("a file that is no such picture is left as it is, unless --force says otherwise", async () => {
  const mine = { "map.html": "<!doctype html>\n<p>my page" };
  const kept = await call("", { files: { ...mine } });
  assert.deepEqual([kept.code, kept.files], [1, mine]);
  assert.match(kept.err, /it was left as it is\.\n {2}Next: /);
  assert.notDeepEqual((await call("--force", { files: { ...mine } })).files, mine);
  const again = await call("", { files: { "map.html": `<!doctype html>\n${marker}\nthe one before` } });
  assert.equal(again.code, 0);
  assert.doesNotMatch(again.files["map.html"] ?? "", /the one before/);
});

test("--survey draws what status --json printed, and asks nobody", async () => {
  const files = { "s.json": JSON.stringify({ ...healthy(), findings: [] }) };
  const saved = await call("--survey s.json --out m.svg", { files, fail: new Error("asked") });
  assert.equal(saved.code, 0);
  assert.equal(saved.files["m.svg"], svgOf(topologyOfSurvey(healthy())));
});

test("--plan draws a config: nothing is known of it", async () => {
  const files = { "x/Pulumi.prod.yaml": readFileSync(join(root, "Pulumi.dev.yaml"), "utf8") };
  const { code, files: after } = await call("--plan x/Pulumi.prod.yaml --out m.svg", {
    files,
    fail: new Error("asked"),
  });
  assert.equal(code, 0);
  assert.match(after["m.svg"] ?? "", /softmap stack prod[^]*Planned/);
  assert.doesNotMatch(after["m.svg"] ?? "", /class="sign ok".*tor 1/);
});

const wrong: readonly (readonly [words: string, code: number, said: RegExp])[] = [
  ["worker1", 2, /map takes no worker1/],
  ["--out m.png", 2, /\.svg or \.html, not m\.png/],
  ["--survey s.json --plan p.yaml", 2, /--survey and --plan/],
  ["--stack", 2, /--stack/],
  ["--survey nothing.json", 1, /nothing\.json cannot be read \(ENOENT\)\.\n {2}Next: /],
  ["--survey bad.json", 1, /bad\.json is no JSON\.\n {2}Next: /],
  ["--survey other.json", 1, /other\.json is no survey: .* at machines\.\n {2}Next: /],
  ["--plan bad.yaml", 1, /no config in bad\.yaml\.\n {2}Next: /],
  ["--plan wrong.yaml", 1, /wrong\.yaml: .*/],
];
const files = {
  "bad.json": "{",
  "other.json": '{"stack":"s","taken":"t","backends":[],"sites":[]}',
  "bad.yaml": "a: 1",
  "wrong.yaml": "config: { softmap:workers: none }",
};

for (const [words, code, said] of wrong)
  test(`refuses: map ${words}`, async () => {
    const result = await call(words, { files: { ...files } });
    assert.equal(result.code, code);
    assert.match(result.err, said);
    assert.deepEqual(result.files, files);
  });

test("a stack that cannot be read", async () => {
  const {
    code,
    err,
    files: written,
  } = await call("", { fail: new StackError("There is no stack.", "run `pulumi up`.") });
  assert.equal(code, 1);
  assert.match(err, /There is no stack\.\n {2}Next: /);
  assert.deepEqual(written, {});
});

test("no key of the stack is in a picture, and onion addresses are", () => {
  assert.match(demoPicture(), new RegExp(onion("y")));
  assert.doesNotMatch(JSON.stringify(topologyOfSurvey(healthy())), /private key/);
});
