import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, resourcesIn, table, type Row } from "./limitsFigures";

const whole: Row = {
  ...{ workers: 10, sites: 10, daemons: 2, resources: 148, stateBytes: 3_440_000, firstSeconds: 9.04 },
  ...{ upSeconds: 30, sameSeconds: 7.96, upPeak: 700.4e6, samePeak: 6e8, upLogins: 31, sameLogins: 0, broke: "" },
};
const broken: Row = { workers: 100, sites: 10, daemons: 1, broke: 'pulumi "up", late' };

test("a line for each size; what it did not come to is a dash", () => {
  const [, , one = "", two = ""] = table([whole, broken]).split("\n");
  assert.match(one, /^\| 10 +\| 10 +\| 2 +\| 148 +\| 3\.4 +\| 9\.0 +\| 30\.0 +\| 8\.0 +\| 700 +\| 600 +\| 31 +\| 0 /);
  assert.match(two, /^\| 100 +\| 10 +\| 1 +\| - +\| - .*pulumi "up", late/);
});

test("all of it as CSV, texts in quotes", () => {
  const [head = "", one = "", two = ""] = csv([whole, broken]).split("\n");
  assert.match(head, /^workers,sites,daemons,resources,stateBytes,/);
  assert.equal(one, '10,10,2,148,3440000,9.04,30,7.96,700400000,600000000,31,0,""');
  assert.equal(two, '100,10,1,,,,,,,,,,"pulumi ""up"", late"');
});

test("a summary's resources", () => {
  assert.equal(resourcesIn("Resources:\n    + 60 to create\n"), 60);
  assert.equal(resourcesIn("Resources:\n    61 unchanged\n"), 61);
  assert.equal(resourcesIn("nothing of it"), undefined);
});
