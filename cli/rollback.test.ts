import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import { key as otherKey } from "../config/samples";
import { bootstrap, rollbackProgram } from "../host/program";
import { runOn } from "../host/runOn";
import type { Ran, SshConnection } from "../host/ssh";
import { startServer, type TestServer } from "../lab/standins/command/testing/sshServer";
import { main, type Tools } from "./rollback";
import type { DeployedStack } from "./desk/survey";
import { deployedStackOf, readStack, StackError } from "./stack";

const dir = mkdtempSync(join(tmpdir(), "softmap-rollback-"));
after(() => rmSync(dir, { recursive: true }));

const secret = "c2VjcmV0LWtleQ==";
const address = "203.0.113.9";
const reach = { host: address, port: 22, user: "admin", hostKey: "ssh-ed25519 AAAA", privateKey: secret };
const stack = "organization/softmap/prod";
const backend = (worker: string, n: number) => ({ name: `news-${worker}-${n}`, worker, project: "news", address });

/** The outputs of a stack with a balancer and these workers. */
function outputs(workers: readonly string[], connection: object = reach): string {
  const machines = Object.fromEntries(["balancer1", ...workers].sort().map((name) => [name, connection]));
  return JSON.stringify({ machines, backends: workers.flatMap((name) => [backend(name, 1), backend(name, 2)]) });
}

const three = deployedStackOf(stack, outputs(["south", "north", "west"]));

/** A program in `dir`, run by its path. */
function program(name: string, script: string): string {
  const path = join(dir, name);
  writeFileSync(path, `#!/bin/sh\n${script}`);
  chmodSync(path, 0o755);
  return path;
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function rollback(args: readonly string[], tools: Tools): Promise<Said> {
  const lines = { out: "", err: "" };
  const streams = {
    out: (text: string) => (lines.out += `${text}\n`),
    err: (text: string) => (lines.err += `${text}\n`),
  };
  const code = await main(args, streams, tools);
  return { code, ...lines };
}

/** A stack that is read, and hosts that answer as told; who was told is in `told`. */
function fake(answer: (host: string) => Ran | Error | Promise<Ran>, from: DeployedStack = three) {
  const told: { host: string; command: string; stdin: string }[] = [];
  const asked: (string | undefined)[] = [];
  const run: Tools["run"] = async (connection, command, stdin, { onLine }) => {
    const host = [...from.machines.keys()].find((name) => stdin === rollbackProgram({ host: name, stack: from.stack }));
    assert.ok(host !== undefined, "the program is not the rollback of a machine of the stack");
    assert.deepEqual(connection, from.machines.get(host));
    told.push({ host, command, stdin });
    const ran = await answer(host);
    if (ran instanceof Error) throw ran;
    ran.stdout
      .split("\n")
      .filter(Boolean)
      .forEach((line) => onLine?.(line));
    return ran;
  };
  const read = async (name?: string) => (asked.push(name), from);
  return { told, asked, tools: { read, run } };
}

const done = (host: string): Ran => ({ code: 0, stdout: `${host}: release b serves, back to a\n`, stderr: "" });
const hosts = (told: readonly { host: string }[]): string[] => told.map(({ host }) => host);
const timeless = (text: string): string => text.replaceAll(/\d+\.\d s/g, "N s");

const note =
  "The stack's config still asks for what was rolled back: mend it before the next `pulumi up`. `pulumi up --refresh` finds the rollback and releases again.\n";

describe("the order of hosts", () => {
  test("one host first; when it is back, all others at once; never a balancer", async () => {
    const waiting = new Map<string, (ran: Ran) => void>();
    const { told, tools } = fake((host) => new Promise((resolve) => waiting.set(host, resolve)));
    const until = async (names: string[]) => {
      while (waiting.size < names.length) await new Promise(setImmediate);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      assert.deepEqual([...waiting.keys()], names);
    };
    const finish = (host: string) => waiting.get(host)?.(done(host));
    const going = rollback([], tools);
    await until(["south"]);
    finish("south");
    await until(["south", "north", "west"]);
    finish("west");
    finish("north");
    const { code, out, err } = await going;
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(
      timeless(out),
      `south: release b serves, back to a\nwest: release b serves, back to a\nnorth: release b serves, back to a\nrolled back in N s: south, north, west\n${note}`,
    );
    assert.deepEqual(new Set(told.map(({ command }) => command)), new Set([bootstrap]));
  });

  test("the first fails: the others are left as they are", async () => {
    const stderr = "softmap rollback on south failed: there is no earlier release on this host.\n";
    const { told, tools } = fake(() => ({ code: 1, stdout: "", stderr }));
    const { code, out, err } = await rollback(["--stack", "prod"], tools);
    assert.deepEqual([code, out, hosts(told)], [1, "", ["south"]]);
    assert.equal(
      timeless(err),
      `${stderr}failed after N s: south. Left as they are: north, west.\n  Next: see to what is named above, add --look to see what serves, then: npx softmap rollback --stack prod south north west\n`,
    );
  });

  test("a later one fails: the others go back, and the next call names the failed one alone", async () => {
    const unreached = Object.assign(new Error("nobody answers at 203.0.113.9:22 within 15 s"), { reached: false });
    const { told, tools } = fake((host) => (host === "north" ? unreached : done(host)));
    const { code, out, err } = await rollback([], tools);
    assert.equal(code, 1);
    assert.deepEqual(hosts(told), ["south", "north", "west"]);
    assert.match(timeless(out), /rolled back in N s: south, west\nThe stack's config still asks/);
    assert.match(err, /^north: nobody answers at 203\.0\.113\.9:22 within 15 s\.\nfailed after .*: north\.\n/);
    assert.match(err, /npx softmap rollback north\n$/);
  });

  test("a fault of our own is not taken for one of the host", async () => {
    const { tools } = fake(() => new TypeError("ours"));
    await assert.rejects(rollback([], tools), TypeError);
  });

  test("whatever fails: the first alone, each host once, and exit code 0 only when all are back", async () => {
    const names = fc.uniqueArray(fc.constantFrom("south", "north", "west"), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(names, fc.subarray(["south", "north", "west"]), async (chosen, broken) => {
        const { told, tools } = fake((host) =>
          broken.includes(host) ? { code: 1, stdout: "", stderr: "" } : done(host),
        );
        const { code, out } = await rollback(chosen, tools);
        const first = chosen[0] ?? "";
        assert.deepEqual(hosts(told), broken.includes(first) ? [first] : chosen);
        assert.equal(code, chosen.some((host) => broken.includes(host)) ? 1 : 0);
        assert.equal(out.includes(note), !broken.includes(first));
      }),
    );
  });
});

describe("the call", () => {
  test("named hosts alone, each once, in the order of the call; --stack goes to Pulumi", async () => {
    const { told, asked, tools } = fake(done);
    const { code } = await rollback(["west", "--stack", "org/softmap/prod", "north", "west"], tools);
    assert.deepEqual([code, hosts(told), asked], [0, ["west", "north"], ["org/softmap/prod"]]);
  });

  test("--look: all at once, with the word for the host, and nothing is said to have changed", async () => {
    const { told, tools } = fake((host) => (host === "south" ? { code: 1, stdout: "", stderr: "no\n" } : done(host)));
    const { code, out, err } = await rollback(["--look"], tools);
    assert.deepEqual([code, err], [1, "no\n"]);
    assert.equal(out, "north: release b serves, back to a\nwest: release b serves, back to a\nNothing was changed.\n");
    assert.deepEqual(hosts(told), ["south", "north", "west"]);
    assert.deepEqual(new Set(told.map(({ command }) => command)), new Set([`${bootstrap} look`]));
  });

  test("unknown names and a balancer: said all at once, nothing is done", async () => {
    const { told, tools } = fake(done);
    const { code, out, err } = await rollback(["south", "nroth", "balancer1", "database"], tools);
    assert.deepEqual([code, out, told], [2, "", []]);
    assert.equal(
      err,
      `Stack ${stack} has no worker nroth.
  Next: did you mean north?
balancer1 is a balancer of stack ${stack}: only workers are taken back.
  Next: the workers are south, north, west.
Stack ${stack} has no worker database.
  Next: the workers are south, north, west.
Nothing was done.
`,
    );
  });

  test("a wrong option: how to call it, exit 2, nothing is read; --help: exit 0", async () => {
    const { asked, told, tools } = fake(done);
    for (const args of [["--lok"], ["--stack"], ["--stack", ""], ["--look=yes"]]) {
      const { code, err } = await rollback(args, tools);
      assert.equal(code, 2);
      assert.match(err, /\nusage: npx softmap rollback \[--stack NAME\] \[--look\] \[HOST\.\.\.\]\n/);
    }
    const { code, out } = await rollback(["--help"], tools);
    assert.equal(code, 0);
    assert.match(out, /^usage: /);
    assert.deepEqual([asked, told], [[], []]);
  });

  test("a line without its host's name gets it: several speak at once", async () => {
    const { tools } = fake((host) => ({ ...done(host), stdout: `${host}: said\n    | tor: bad\n` }));
    assert.match((await rollback(["west"], tools)).out, /^west: said\nwest: {5}\| tor: bad\nrolled back/);
  });

  test("a stack without workers, and one that cannot be read: exit 1, what to do next", async () => {
    const empty = await rollback([], fake(done, deployedStackOf(stack, outputs([]))).tools);
    assert.deepEqual([empty.code, empty.out], [1, ""]);
    assert.match(empty.err, /has no workers\.\n {2}Next: /);
    const read = () => Promise.reject(new StackError("No.", "this."));
    assert.deepEqual(await rollback([], { ...fake(done).tools, read }), {
      code: 1,
      out: "",
      err: "No.\n  Next: this.\n",
    });
  });
});

describe("the stack's outputs", () => {
  test("read with two calls of Pulumi, with the stack that was named; the order of workers is that of the config", async () => {
    writeFileSync(
      join(dir, "outputs.json"),
      outputs(["south", "north"], { ...reach, dialErrorLimit: 8, perDialTimeout: 10 }),
    );
    const pulumi = program(
      "pulumi",
      `echo "$@" >>"${dir}/calls"\n[ "$2" = output ] && cat "${dir}/outputs.json" || echo ${stack}\n`,
    );
    const found = await readStack("prod", pulumi);
    assert.equal(found.stack, stack);
    assert.deepEqual(found.workers, ["south", "north"]);
    const connection: SshConnection = found.machines.get("north") ?? assert.fail("there is no north");
    const { privateKeyPassword, password, agentSocketPath, ...given } = connection;
    assert.deepEqual(given, reach);
    assert.deepEqual([privateKeyPassword, password, agentSocketPath], [undefined, undefined, undefined]);
    await readStack(undefined, pulumi);
    const calls = readFileSync(join(dir, "calls"), "utf8").trim().split("\n");
    assert.deepEqual(
      calls.map((call) => call.includes("--stack prod")),
      [true, true, false, false],
    );
    assert.ok(calls.every((call) => call.startsWith("stack ") && call.includes("--non-interactive")));
  });

  test("Pulumi fails after it has printed a key: its reasons are shown, its output is not", async () => {
    const pulumi = program(
      "failing",
      `echo '{"machines": "${secret}"}'; echo "error: no stack named 'prod' found" >&2; exit 255\n`,
    );
    const error = await readStack("prod", pulumi).then(
      () => assert.fail("it did not fail"),
      (thrown: Error) => thrown,
    );
    assert.ok(error instanceof StackError);
    assert.match(
      error.message,
      /^`pulumi stack .*--stack prod` failed:\n {4}error: no stack named 'prod' found\n {2}Next: /,
    );
    assert.ok(!JSON.stringify([error.stack, error.cause, { ...error }]).includes(secret));
    await assert.rejects(readStack("prod", join(dir, "nowhere")), /Pulumi's CLI is not installed\.\n {2}Next: /);
  });

  for (const [what, text] of [
    ["no JSON", `{"machines": ${secret}`],
    ["no outputs", "{}"],
    ["no machines", JSON.stringify({ backends: [] })],
    ["no backends", JSON.stringify({ machines: { south: reach } })],
    ["machines that are text", JSON.stringify({ machines: secret, backends: [] })],
    ["a worker without machine", JSON.stringify({ machines: { north: reach }, backends: [backend("south", 1)] })],
    [
      "a machine without address",
      JSON.stringify({ machines: { south: { privateKey: secret } }, backends: [backend("south", 1)] }),
    ],
  ] as const) {
    test(`${what}: said with the next step and without a value`, () => {
      assert.throws(
        () => deployedStackOf(stack, text),
        (error: Error) =>
          error instanceof StackError &&
          /\n {2}Next: .*pulumi up/.test(error.message) &&
          !error.message.includes(secret),
      );
    });
  }

  test("a machine behind a jump host, and this machine", () => {
    const proxy = { ...reach, host: "jump.example.net" };
    const behind = deployedStackOf(stack, outputs(["south"], { ...reach, proxy })).machines.get("south");
    assert.equal(behind?.proxy?.host, "jump.example.net");
    assert.equal(behind?.proxy?.hostKey, reach.hostKey);
    const here = deployedStackOf(stack, outputs(["here"], { local: true }));
    assert.deepEqual([here.machines.has("here"), here.machines.get("here"), here.workers], [true, undefined, ["here"]]);
  });
});

describe("over ssh", () => {
  let server: TestServer;
  let pulumi: string;
  const was = { path: process.env["PATH"], agent: process.env["SSH_AUTH_SOCK"] };
  // The server's hosts are this machine: their Python is a script that keeps what it is given, and their sudo changes nobody.
  before(async () => {
    delete process.env["SSH_AUTH_SOCK"];
    server = await startServer();
    const { port, hostKey, privateKey } = server;
    const connection = { host: "127.0.0.1", port, user: "operator", hostKey, privateKey };
    writeFileSync(join(dir, "lab.json"), outputs(["south", "north", "west"], connection));
    pulumi = program("labPulumi", `[ "$2" = output ] && cat "${dir}/lab.json" || echo ${stack}\n`);
    program("sudo", `shift; exec "$@"\n`);
    program(
      "python3",
      `cat >"${dir}/stdin.$$"
host=$(sed -n 's/^PAYLOAD = .*"host.":."\\([a-z]*\\)..*/\\1/p' "${dir}/stdin.$$")
mv "${dir}/stdin.$$" "${dir}/stdin.$host"
echo "$host: got: $*"
if [ -f "${dir}/broken" ] && [ "$(cat "${dir}/broken")" = "$host" ]; then echo "softmap rollback on $host failed: broken" >&2; exit 1; fi
echo "$host: back"
`,
    );
    process.env["PATH"] = `${dir}${delimiter}${was.path ?? ""}`;
  });
  beforeEach(() => rmSync(join(dir, "broken"), { force: true }));
  after(async () => {
    process.env["PATH"] = was.path;
    if (was.agent !== undefined) process.env["SSH_AUTH_SOCK"] = was.agent;
    await server.close();
  });
  const call = (...args: string[]): Promise<Said> =>
    rollback(args, { read: (name) => readStack(name, pulumi), run: runOn });

  test("every worker gets its own program on one connection; no key in it or in a line", async () => {
    const dials = server.dials();
    const { code, out, err } = await call();
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(server.dials() - dials, 3);
    assert.match(out, /^south: got: -I -u -\nsouth: back\n/);
    assert.match(timeless(out), /rolled back in N s: south, north, west\n/);
    for (const host of ["south", "north", "west"]) {
      const sent = readFileSync(join(dir, `stdin.${host}`), "utf8");
      assert.ok(rollbackProgram({ host, stack }).endsWith(sent), "the program after bootstrap's part");
      assert.ok(sent.includes("PAYLOAD = ") && sent.includes("rollback_main"), "the whole of it");
      assert.ok(!sent.includes(server.privateKey.slice(40, 80)));
    }
    assert.ok(!out.includes(server.privateKey.slice(40, 80)));
  });

  test("--look: the word reaches the program", async () => {
    const { code, out } = await call("--look", "north");
    assert.deepEqual([code, out], [0, "north: got: -I -u - look\nnorth: back\nNothing was changed.\n"]);
  });

  test("the first host fails: its own words, and nobody else is dialled", async () => {
    writeFileSync(join(dir, "broken"), "south");
    const dials = server.dials();
    const { code, out, err } = await call();
    assert.deepEqual([code, server.dials() - dials], [1, 1]);
    assert.equal(out, "south: got: -I -u -\n");
    assert.match(err, /^softmap rollback on south failed: broken\nfailed after .*Left as they are: north, west\./);
  });

  test("a host that shows another key is told nothing", async () => {
    const file = join(dir, "lab.json");
    const right = readFileSync(file, "utf8");
    writeFileSync(file, right.replaceAll(server.hostKey, otherKey));
    const { code, out, err } = await call();
    writeFileSync(file, right);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^south: 127\.0\.0\.1:\d+ shows another host key .*\.\nfailed after/);
  });
});
