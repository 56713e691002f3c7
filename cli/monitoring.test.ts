import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { onion, stack as healthy } from "./desk/samples";
import type { DeployedStack } from "./desk/survey";
import { main, type TargetGroup } from "./monitoring";
import { StackError } from "./stack";

const from = ["10.0.0.0/8"];
const monitored: DeployedStack = { ...healthy, monitoring: { port: 9552, from } };

async function run(stack: DeployedStack | StackError, ...args: readonly string[]) {
  const said = { out: "", err: "" };
  const code = await main(
    args,
    { out: (text) => (said.out += `${text}\n`), err: (text) => (said.err += `${text}\n`) },
    { read: () => (stack instanceof StackError ? Promise.reject(stack) : Promise.resolve(stack)) },
  );
  return { code, ...said };
}

test("every machine is a target, with its name and roles", async () => {
  const { code, out } = await run(monitored);
  assert.equal(code, 0);
  assert.deepEqual(parse(out), [
    { targets: ["203.0.113.1:9552"], labels: { host: "balancer1", stack: healthy.stack, roles: "balancer" } },
    { targets: ["203.0.113.2:9552"], labels: { host: "worker1", stack: healthy.stack, roles: "worker" } },
    { targets: ["203.0.113.3:9552"], labels: { host: "worker2", stack: healthy.stack, roles: "worker" } },
  ]);
  assert.doesNotMatch(out, /ssh|private key/);
});

test("this machine is asked on loopback, IPv6 stands in brackets, a machine may be both", async () => {
  const machines = new Map([
    ["here", undefined],
    ["six", { host: "2001:db8::7", user: "admin" }],
  ]);
  const { out } = await run({ ...monitored, machines, balancers: ["here"], workers: ["here", "six"] });
  assert.deepEqual(
    (parse(out) as TargetGroup[]).map(({ targets, labels }) => [targets[0], labels.roles]),
    [
      ["127.0.0.1:9552", "balancer,worker"],
      ["[2001:db8::7]:9552", "worker"],
    ],
  );
});

test("machines that ssh alone reaches get a port here each, and the command that leads there", async () => {
  const proxy = { host: "jump.example.net", user: "ops", port: 2222 };
  const machines = new Map([
    ["balancer1", { host: "203.0.113.1", user: "admin", privateKey: "a private key" }],
    ["worker1", { host: "10.0.0.7", user: "debian", port: 2022, proxy }],
  ]);
  const { out } = await run({ ...monitored, machines, monitoring: { port: 9100, from: [] } });
  assert.deepEqual(
    (parse(out) as TargetGroup[]).map(({ targets }) => targets),
    [["127.0.0.1:19552"], ["127.0.0.1:19553"]],
  );
  assert.match(out, /^# {3}ssh -N -L 127\.0\.0\.1:19552:127\.0\.0\.1:9100 admin@203\.0\.113\.1$/m);
  assert.match(
    out,
    /^# {3}ssh -N -L 127\.0\.0\.1:19553:127\.0\.0\.1:9100 -J ops@jump\.example\.net:2222 -p 2022 debian@10\.0\.0\.7$/m,
  );
  assert.ok(!out.includes("a private key"));
});

test("the sites for onionprobe", async () => {
  const { code, out } = await run(healthy, "--onionprobe");
  assert.equal(code, 0, "a stack that is not monitored has sites too");
  const { endpoints, launch_tor, loop } = parse(out) as Record<string, unknown>;
  assert.deepEqual([launch_tor, loop], [true, true]);
  assert.deepEqual(endpoints, {
    "www.daily.test": { address: onion("y"), protocol: "http", port: 80, paths: [{ path: "/" }] },
    "court.test": { address: onion("z"), protocol: "http", port: 80, paths: [{ path: "/" }] },
  });
});

test("all of it as JSON", async () => {
  const { out } = await run(monitored, "--json");
  const told = JSON.parse(out) as Record<string, unknown>;
  assert.deepEqual(Object.keys(told), ["groups", "forwards", "onionprobe"]);
  assert.deepEqual(told["forwards"], []);
});

test("a stack without monitoring is told what to do, unless a port is given", async () => {
  const { code, out, err } = await run(healthy);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /it has no monitoring\.\n {2}Next: set softmap:monitoring/);
  const given = await run(healthy, "--port", "9200");
  assert.equal((parse(given.out) as TargetGroup[])[0]?.targets[0], "203.0.113.1:9200");
});

test("wrong calls, and a stack that cannot be read", async () => {
  assert.match((await run(monitored, "--port", "70000")).err, /--port takes a number from 1 to 65535, not 70000\./);
  for (const wrong of [["extra"], ["--onionprobe", "--json"], ["--colour"], ["--port", "x"]])
    assert.equal((await run(monitored, ...wrong)).code, 2, wrong.join(" "));
  const gone = await run(new StackError("no stack", "choose one"));
  assert.deepEqual([gone.code, gone.err], [1, "no stack\n  Next: choose one\n"]);
  assert.match((await run(monitored, "--help")).out, /^usage: npx softmap monitoring/);
});
