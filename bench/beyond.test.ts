import assert from "node:assert/strict";
import { test } from "node:test";
import type { Dead, Published } from "../tests/lab/beyondMeasures";
import { deadCsv, deadTable, publishedCsv, publishedTable } from "./beyondFigures";

const published: Published = {
  ...{
    backends: 60,
    fetches: 400,
    failed: 1,
    latency: { p50: 0.31, p90: 1 },
    points: [19, 20],
    bytes: 41_000,
    wrong: [],
  },
  spread: { answers: 399, reached: 60, backends: 60, variation: 0.4213, chance: 0.3878 },
  ...{ firstPublish: 10.84, usage: { "softmap-onionbalance.service": { cpu: 0.0154, memory: 46.2 } } },
};
const dead: Dead = {
  ...{ backends: 10, dead: 5, how: "cut off", out: null, limit: 300, back: 12.34, fetches: 200, failed: 2, cutOff: 1 },
  ...{ before: { p50: 0.3, p90: 1.1 }, meanwhile: { p50: 0.6, p90: 4.4 } },
};

test("the tables have a line for each measurement, in Markdown", () => {
  const [, , row = ""] = publishedTable([{ mode: "distinct", load: 1, ...published }]).split("\n");
  assert.match(row, /^\| distinct, 60 +\| 399 of 400 +\| 60 of 60 +\| 0\.42 \(0\.39\) +\| 0\.3 \/ 1\.0 +\| 19 - 20 /);
  assert.match(row, /\| 41000 +\| 10\.8 +\| 1\.5 %, 46 MiB +\| - /);
  const [, , died = ""] = deadTable([{ mode: "stock", load: 1, ...dead }]).split("\n");
  assert.match(died, /^\| stock, 10 +\| 5 +\| cut off \| more than 300 \| 12\.3 +\| 200 +\| 99\.0 +\| 1 /);
});

test("the files have everything, a value a cell", () => {
  const lines = publishedCsv([{ mode: "distinct", load: 1.5, ...published }]).split("\n");
  assert.deepEqual([lines.length, lines[0]?.split(",").length], [3, lines[1]?.split(",").length]);
  assert.match(
    deadCsv([{ mode: "stock", load: 1.5, ...dead }]),
    /\nstock,1\.5,10,5,cut off,,300,12\.34,200,2,1,0\.3,1\.1,0\.6,4\.4\n$/,
  );
});
