import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { figuresOf } from "./figures";
import { settledAt, type Look } from "./judge";
import { benchOptions } from "./options";
import { only } from "./publishChanges";
import {
  distributionOf,
  publishCsv,
  publishOptions,
  publishTable,
  startedAnew,
  startsLines,
  unitRuns,
  type Row,
} from "./publishFigures";
import { watchProgram } from "./watch";

const wanted = { frontend: "front.onion", backends: ["one.onion", "two.onion"], planned: ["one.onion", "two.onion"] };
const own: readonly Look[] = [
  { at: 1, address: "one", points: ["a", "b"] },
  { at: 2, address: "two", points: ["c", "d"] },
];
const front = (at: number, ...points: string[]): Look => ({ at, address: "front", points });

test("published is the first of so many answers in a row that all hold the plan and nothing else", () => {
  const looks = [...own, front(10, "a"), front(11, "a", "c"), front(12, "b"), front(13, "a", "d"), front(14, "b", "c")];
  assert.equal(settledAt(looks, wanted, 0, 2), 13);
  assert.equal(settledAt(looks, wanted, 0, 1), 11);
  assert.equal(settledAt(looks, wanted, 14, 1), 14, "earlier answers do not count");
  assert.equal(settledAt(looks, wanted, 0, 3), undefined, "not yet");
  assert.equal(settledAt([], wanted, 0, 1), undefined);
});

test("a backend that is listed and not planned keeps it from being published", () => {
  const one = { ...wanted, planned: ["one"] };
  assert.equal(settledAt([...own, front(10, "a", "b", "c")], one, 0, 1), undefined);
  assert.equal(settledAt([...own, front(10, "a", "c"), front(11, "b")], one, 0, 1), 11);
});

test("a point of nobody keeps it from being published until a look at its backend tells whose it was", () => {
  const looks = [...own, front(10, "a", "new")];
  assert.equal(settledAt(looks, wanted, 0, 1), undefined);
  assert.equal(settledAt([...looks, front(11, "a", "c", "new")], wanted, 0, 1), undefined);
  assert.equal(settledAt([...looks, { at: 12, address: "two", points: ["new"] }], wanted, 0, 1), 10);
});

test("what is published stays so for all answers that were counted", () => {
  const answer = fc.subarray(["a", "b", "c", "d", "x"], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(answer), fc.nat(12), fc.integer({ min: 1, max: 4 }), (answers, since, agree) => {
      const looks = answers.map((points, n) => front(n, ...points));
      const at = settledAt([...own, ...looks], wanted, since, agree);
      const good = (points: readonly string[]) =>
        !points.includes("x") && /[ab]/.test(points.join("")) && /[cd]/.test(points.join(""));
      const starts = looks.filter(
        (_, n) => n >= since && n + agree <= looks.length && answers.slice(n, n + agree).every(good),
      );
      assert.equal(at, starts[0]?.at);
    }),
  );
});

test("median, least and most", () => {
  assert.deepEqual(figuresOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assert.deepEqual(figuresOf([4, 1, 2, 9]), { median: 3, min: 1, max: 9 });
  assert.deepEqual(figuresOf([7]), { median: 7, min: 7, max: 7 });
  assert.equal(figuresOf([]), undefined);
});

const row = (more: Partial<Row>): Row => ({
  ...{ run: 1, change: "add", by: "softmap", published: 15, publication: 10, up: 20, page: null },
  ...{ torStarts: 0, onionbalanceStarts: 0, load: 1 },
  ...more,
});
const stock = { by: "stock", up: null } as const;
const rows = [
  row({
    change: "first",
    published: 21,
    publication: null,
    up: 30,
    page: 24.06,
    torStarts: null,
    onionbalanceStarts: null,
  }),
  ...Array.from({ length: 20 }, (_, n) => row({ run: n + 1, published: 20 - n, up: 40 + n })),
  row({ ...stock, published: 40, publication: 40, onionbalanceStarts: 1 }),
  row({ ...stock, change: "remove", published: 9.26, publication: 9.26 }),
];

test("a distribution's figures are values that were measured", () => {
  const values = Array.from({ length: 20 }, (_, n) => 20 - n);
  assert.deepEqual(distributionOf([...values, null]), { count: 20, p50: 10, p95: 19, min: 1, max: 20 });
  assert.deepEqual(distributionOf([7]), { count: 1, p50: 7, p95: 7, min: 7, max: 7 });
  assert.equal(distributionOf([null]), undefined);
});

test("the table has a line for each time that was measured; of stock there is the edit alone", () => {
  assert.equal(
    publishTable(rows),
    [
      "| change | by      | seconds until                    | runs | p50  | p95  | min  | max  |",
      "| ------ | ------- | -------------------------------- | ---- | ---- | ---- | ---- | ---- |",
      "| first  | softmap | first page                       | 1    | 24.1 | 24.1 | 24.1 | 24.1 |",
      "| first  | softmap | published                        | 1    | 21.0 | 21.0 | 21.0 | 21.0 |",
      "| first  | softmap | whole `up`                       | 1    | 30.0 | 30.0 | 30.0 | 30.0 |",
      "| add    | softmap | published                        | 20   | 10.0 | 19.0 | 1.0  | 20.0 |",
      "| add    | softmap | published, from the publish step | 20   | 10.0 | 10.0 | 10.0 | 10.0 |",
      "| add    | softmap | whole `up`                       | 20   | 49.0 | 58.0 | 40.0 | 59.0 |",
      "| add    | stock   | published                        | 1    | 40.0 | 40.0 | 40.0 | 40.0 |",
      "| remove | stock   | published                        | 1    | 9.3  | 9.3  | 9.3  | 9.3  |",
    ].join("\n"),
  );
  assert.deepEqual(startsLines(rows), [
    "softmap: 20 changes, 0 tors and 0 Onionbalances started anew by them",
    "stock: 2 changes, 0 tors and 1 Onionbalances started anew by them",
  ]);
});

test("the file has every change, a value a cell", () => {
  const lines = publishCsv(rows).split("\n");
  assert.equal(lines.length, rows.length + 2);
  assert.equal(lines[0], "run,change,by,published,publication,up,page,torStarts,onionbalanceStarts,load");
  assert.equal(lines[1], "1,first,softmap,21,,30,24.06,,,1");
  assert.equal(lines.at(-2), "1,remove,stock,9.26,9.26,,,0,0,1");
});

test("a lane's config has its own backends, and no site without any", () => {
  const text = `# c
services:
  # one.test
  - key: /k/1
    instances:
      - { address: aaa.onion, name: a }
      - { address: bbb.onion, name: b }
  - key: /k/2
    instances: [{ address: ccc.onion, name: c }]
`;
  assert.deepEqual(parse(only(text, [{ address: "bbb.onion" }])), {
    services: [{ key: "/k/1", instances: [{ address: "bbb.onion", name: "b" }] }],
  });
});

test("a unit that was started anew, by whomever, or is gone is counted; one that is new is not", () => {
  const shown = (runs: readonly (readonly [string, string, number])[]) =>
    runs
      .map(([id, run, restarts]) => `Id=${id}\nInvocationID=${run}\nNRestarts=${restarts}\nActiveState=active\n`)
      .join("\n");
  const before = unitRuns(
    shown([
      ["a", "1", 0],
      ["b", "2", 0],
      ["c", "3", 0],
      ["d", "4", 0],
    ]),
  );
  const after = unitRuns(
    shown([
      ["a", "1", 0],
      ["b", "7", 0],
      ["c", "3", 1],
      ["e", "5", 0],
    ]),
  );
  assert.equal(startedAnew(before, before), 0);
  assert.equal(startedAnew(before, after), 3);
  assert.equal(unitRuns("Id=a\nInvocationID=1\nNRestarts=0\nActiveState=failed\n").size, 0);
});

test("options", () => {
  const json = { command: "bench:proxy", file: "--json" } as const;
  assert.deepEqual(benchOptions(json, []), { rounds: 5 });
  assert.deepEqual(benchOptions(json, ["--json", "a.json", "--rounds", "12"]), { rounds: 12, file: "a.json" });
  for (const wrong of [["--rounds"], ["--rounds", "0"], ["--rounds", "x"], ["--json"], ["--csv", "a"]])
    assert.throws(() => benchOptions(json, wrong), /^Error: usage: npm run bench:proxy .*--json FILE/);
});

test("options of bench:publish", () => {
  assert.deepEqual(publishOptions([]), { runs: 20 });
  assert.deepEqual(publishOptions(["--csv", "a.csv", "--runs", "3"]), { runs: 3, file: "a.csv" });
  for (const wrong of [["--runs"], ["--runs", "0"], ["--rounds", "3"], ["--csv"]])
    assert.throws(() => publishOptions(wrong), /^Error: usage: npm run bench:publish /);
});

test("what looks at the descriptors is one text, asks a directory by name, and takes only answers about that address", () => {
  const control = `
import json, sys
here = {"__name__": "watch"}
exec(sys.stdin.read(), here)

class Control:
    events = ["old"]
    def info(self, key):
        return "\\nr a AAAAAAAAAAAAAAAAAAAAAAAAAAA x\\ns Fast HSDir V2Dir\\nr b //////////////////////////8 x\\ns Fast" if key == "ns/all" else None
    def command(self, text):
        self.said = text
        self.events = [["HS_DESC REQUESTED one"], ["HS_DESC FAILED other NO_AUTH $AA REASON=NOT_FOUND"], ["HS_DESC FAILED one NO_AUTH $AA REASON=NOT_FOUND"], ["left"]]
        return 250, ["OK"]
    def event(self, seconds):
        return self.events.pop(0) if self.events else None

control = Control()
found = here["directories"](control)
points = here["ask"](control, "one", found[0])
print(json.dumps([found, control.said, points, control.events]))
`;
  const ran = spawnSync("python3", ["-I", "-c", control], { input: watchProgram(), encoding: "utf8" });
  assert.equal(ran.stderr, "");
  const relay = "0".repeat(40);
  assert.deepEqual(JSON.parse(ran.stdout), [[relay], `HSFETCH one SERVER=$${relay}`, null, [["left"]]]);
});
