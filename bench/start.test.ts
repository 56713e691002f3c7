import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, growth, table, verdict, type Row } from "./startFigures";
import { below, kindOf, KINDS, processOf } from "./startProcesses";
import { settingsOf } from "./startStack";

const use = Object.fromEntries(
  KINDS.map((kind, n) => [kind, { cpu: n + 1, began: n === 3 ? NaN : n / 2 }]),
) as Row["use"];
const row = (run: Row["run"], round: number, seconds: number): Row => ({
  ...{ run, round, seconds, use, load: 1.5 },
  ...{ sites: 100, hosts: 30 },
});

test("a line for each size and run; the goal is that of the biggest where nothing changes", () => {
  const rows = [row("same", 1, 4), row("first", 1, 9), row("same", 2, 7), row("same", 3, 4.5)];
  const [head = "", , same = "", first = ""] = table(rows).split("\n");
  assert.match(head, /\| seconds +\| engine, CPU s \| program, CPU s \|/);
  assert.match(same, /^\| same +\| 100 +\| 30 +\| 3 +\| 4\.5 \(4\.0 - 7\.0\) \| 1\.0 /);
  assert.match(first, /^\| first +\| 100 +\| 30 +\| 1 +\| 9\.0 \(9\.0 - 9\.0\)/);
  assert.equal(verdict(rows), "met: nothing changes, 100 sites, 30 hosts: 4.5 s (goal: less than 5 s)");
  assert.match(verdict([row("same", 1, 5)]) ?? "", /^MISSED: /);
  assert.equal(verdict([row("first", 1, 5)]), undefined);
});

test("the growth is that of a changed line from one host to the most, with one site", () => {
  const line = (hosts: number, seconds: number): Row => ({ ...row("one line", 1, seconds), hosts, sites: 1 });
  const rows = [line(1, 4), line(30, 6), row("one line", 1, 99), { ...line(1, 99), run: "same" as const }];
  assert.equal(growth(rows), "one line, 1 site: 30 hosts that pretend take 1.50 times as long as one");
  assert.equal(growth([line(1, 4)]), undefined);
});

test("all of it as CSV; a process that never began has no beginning", () => {
  const [head = "", line = "", end] = csv([row("same", 1, 4)]).split("\n");
  assert.match(head, /^run,sites,hosts,round,seconds,load,engine_cpu,.*,command_plugin_cpu,command_plugin_began$/);
  assert.equal(line, "same,100,30,1,4.000,1.50,1.00,0.00,2.00,0.50,3.00,1.00,4.00,");
  assert.equal(end, "");
});

test("processes: whose child each is, what it used, and what it is for", () => {
  const stat = "12 (a (b) c) S 11 1 1 0 -1 4194304 5 0 0 0 120 30 0 0 20 0 1 0 100";
  assert.deepEqual(processOf(stat, "node x"), { pid: 12, parent: 11, command: "node x", ticks: 150 });
  const all = [
    { pid: 3, parent: 2 },
    { pid: 2, parent: 1 },
    { pid: 4, parent: 9 },
  ].map((each) => ({ ...each, command: "", ticks: 0 }));
  assert.deepEqual(
    below(2, all).map(({ pid }) => pid),
    [3, 2],
  );
  const sdk = "node /p/node_modules/@pulumi/pulumi/cmd";
  assert.equal(kindOf(`${sdk}/run --engine 127.0.0.1`), "program");
  assert.equal(kindOf(`${sdk}/dynamic-provider 127.0.0.1:1`), "providers");
  assert.equal(kindOf("node -r x /p/lab/standins/command/main.ts"), "command plugin");
  assert.equal(kindOf("pulumi preview"), "engine");
});

test("one host is balancer and worker; of more, the first is the balancer", () => {
  const hosts = [1, 2, 3].map((n) => ({ name: `host${n}`, address: `127.0.77.${n}`, port: 22, hostKey: "k" }));
  const one = settingsOf({ sites: 2, hosts: 1 }, { hosts }, "login");
  assert.deepEqual([one["workers"], one["workersOnBalancers"]], [[], true]);
  const three = settingsOf({ sites: 2, hosts: 3 }, { hosts }, "login");
  assert.deepEqual([three["balancers"], three["workers"]], [hosts.slice(0, 1), hosts.slice(1)]);
  assert.deepEqual(settingsOf({ sites: 2, hosts: 3, line: "x" }, { hosts }, "login")["projects"], [
    { ...(three["projects"] as readonly object[])[0], xFromOnionValue: "x" },
  ]);
  assert.throws(() => settingsOf({ sites: 1, hosts: 4 }, { hosts }, "login"), /4 hosts are wanted, and 3 pretend/);
});
