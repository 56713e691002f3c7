import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ARMS,
  deployCsv,
  deployTable,
  fromCsv,
  goalLines,
  growth,
  growthTable,
  turn,
  type Deployed,
} from "./deployFigures";
import { deployOptions } from "./deployOptions";
import { counterRules, countersOf } from "./deploy/traffic";

const run = (more: Partial<Deployed>): Deployed => ({
  ...{ round: 1, link: "near", hosts: 1, phase: "one line", arm: "softmap", load: 1 },
  ...{ seconds: 2, cpu: 3.25, peak: 200 * 2 ** 20, logins: 1, sent: 2048, received: 1024 },
  ...more,
});
const silent = { phase: "no change", logins: 0, sent: 0, received: 0 } as const;

test("the table has a line for each size and arm that was measured", () => {
  const lines = deployTable([
    run({}),
    run({ seconds: 4 }),
    run({ hosts: 30, arm: "pyinfra", sent: 30 * 1536 }),
    run(silent),
  ]).split("\n");
  assert.equal(lines.length, 4);
  assert.match(
    lines[0] ?? "",
    /^\| hosts \| by +\| rounds \| first, s \| one line, s +\| no change, s \| CPU, s +\| peak/,
  );
  assert.match(lines[2] ?? "", /^\| 1 +\| softmap \| 2 +\| - +\| 3\.0 \(2\.0 - 4\.0\) \| 2\.0 +\| - \/ 3\.3 \/ 3\.3 /);
  assert.match(lines[2] ?? "", /\| - \/ 200 \/ 200 \| - \/ 1 \/ 0 +\| - \/ 2\.0 \/ 0\.0 +\| - \/ 1\.0 \/ 0\.0 +\|$/);
  assert.match(lines[3] ?? "", /^\| 30 +\| pyinfra \| 1 +\| - +\| 2\.0 +\| - .*\| - \/ 1\.5 \/ - /);
});

test("growth is the largest size's median by the smallest's", () => {
  const all = [run({}), run({ hosts: 30, seconds: 5 }), run({ hosts: 30, seconds: 7 }), run({ hosts: 5, seconds: 99 })];
  assert.equal(growth(all, "softmap", "one line"), 3);
  assert.equal(growth(all, "softmap", "first"), undefined);
  assert.equal(growth([run({})], "softmap", "one line"), undefined, "one size alone grows nowhere");
  assert.match(
    growthTable(all),
    /^\| 30 hosts \/ 1 \| first \| one line \| no change \|\n.*\n\| softmap +\| - .*\| 3\.00 /,
  );
});

test("each goal is met or missed, with its figures", () => {
  const all = [
    run({}),
    run({ arm: "pyinfra", seconds: 2.5 }),
    run({ arm: "pyinfra, archives", seconds: 1.5 }),
    run(silent),
    run({ hosts: 30, seconds: 6.5, peak: 700e6 }),
  ];
  assert.deepEqual(goalLines(all), [
    "met: one line, hosts: 1: softmap 2.0 s, pyinfra 2.5 s (goal: faster)",
    "MISSED: one line, hosts: 1: softmap 2.0 s, pyinfra, archives 1.5 s (goal: faster)",
    "met: no change: connections opened in 0 of 1 runs (goal: none)",
    "MISSED: one line: hosts: 30 take 3.25 times as long as 1 (goal: less than 3)",
    "MISSED: hosts: 30: at most 700 MB (goal: less than 600)",
  ]);
  assert.match(goalLines([run({ ...silent, sent: 60 })])[0] ?? "", /^MISSED: no change: connections opened in 1 of 1/);
  assert.deepEqual(goalLines([]), []);
});

test("the file has everything, a line a deployment", () => {
  assert.equal(
    deployCsv([run({ arm: "pyinfra, archives", cpu: 1.23456 })]),
    'round,link,hosts,phase,arm,seconds,cpu,peak,logins,sent,received,load\n1,"near",1,"one line","pyinfra, archives",2,1.235,209715200,1,2048,1024,1\n',
  );
});

test("every round another arm begins", () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((round) => turn(["a", "b", "c"], round).join("")),
    ["abc", "bca", "cab", "abc"],
  );
});

test("tables of several files: what was written is read again", () => {
  const all = [run({ arm: "pyinfra, archives", cpu: 1.234 }), run({ hosts: 30, peak: 7 })];
  assert.deepEqual(fromCsv(deployCsv(all)), all);
  assert.throws(() => fromCsv("workers,sites\n1,2\n"), /not a file of bench:deploy: it begins with "workers,sites"/);
});

test("options", () => {
  const usual = { rounds: 5, sizes: [1, 5, 10, 30], by: ARMS, far: false, tables: [] };
  assert.deepEqual(deployOptions([]), usual);
  assert.deepEqual(deployOptions(["--far", "--sizes", "3,1", "--rounds", "2", "--csv", "a.csv"]), {
    ...{ ...usual, rounds: 2, sizes: [1, 3], far: true, file: "a.csv" },
  });
  assert.deepEqual(deployOptions(["--by", "softmap,pyinfra-archives"]).by, ["softmap", "pyinfra, archives"]);
  assert.deepEqual(deployOptions(["--tables", "a.csv,b.csv"]).tables, ["a.csv", "b.csv"]);
  const wrong = [["--rounds"], ["--sizes", "0"], ["--sizes", "1,"], ["--sizes", "51"], ["--near"], ["--csv"]];
  for (const args of [...wrong, ["--by", "chef"], ["--by", "softmap,softmap"], ["--tables"]])
    assert.throws(() => deployOptions(args), /^Error: usage: npm run bench:deploy .*--far/);
});

test("the counters take ssh to and from the lab's hosts and nothing else", () => {
  const text = counterRules("softmap_x_deploy", "10.64.1");
  assert.match(text, /ip daddr 10\.64\.1\.0\/24 tcp dport 22 counter name sent/);
  assert.match(text, /ip saddr 10\.64\.1\.0\/24 tcp sport 22 counter name received/);
  const counters = [
    { counter: { name: "sent", bytes: 12, packets: 1 } },
    { counter: { name: "received", bytes: 34, packets: 2 } },
  ];
  assert.deepEqual(countersOf(JSON.stringify({ nftables: [{ metainfo: {} }, ...counters] })), {
    ...{ sent: 12, received: 34 },
  });
  assert.throws(() => countersOf('{"nftables":[]}'), /no counter/);
});
