import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { proberPaths, watchdogPaths } from "../plan/names";
import { bootstrap, releaseProgram, watchdogFile, type ReleasePayload } from "./program";
import {
  secret,
  release,
  programs,
  arrival,
  script,
  scriptAgain,
  pythonOf,
  pack,
  codeOfStep,
  codeOf,
  payloadAsPythonReadsIt,
  ofTheDesk,
  stayingFiles,
} from "./testing/programs";

test("a program is the same text every time, in whatever order the payload was written", () => {
  const backwards = Object.fromEntries(Object.entries(release).reverse()) as unknown as ReleasePayload;
  assert.equal(releaseProgram(backwards), programs.release);
  assert.equal(releaseProgram({ ...release }), programs.release);
});

test("programs in the state are small ASCII without long lines and without code; so is the one that brings the pack, but for its size", () => {
  for (const [step, program] of Object.entries({ ...programs, arrival })) {
    assert.match(program, /^[\n -~]*$/);
    const most = step === "arrival" ? 150_000 : 3500;
    assert.ok(program.length < most, `${step} is ${program.length} bytes; in the state it is twice for each host`);
    assert.ok(
      Math.max(...program.split("\n").map(({ length }) => length)) < (step === "arrival" ? 150_000 : 64 * 1024),
    );
  }
  assert.ok(!arrival.includes(secret) && !JSON.stringify(pack).includes(secret));
});

/** Runs the definitions on stdin and prints each name that two of them make, or one and an import, and each that a function uses and nobody makes. */
const nameFaults = `
import ast, builtins, collections, dis, sys, types
text = sys.stdin.read()
made, imported = collections.Counter(), set()
for node in ast.parse(text).body:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        made[node.name] += 1
    elif isinstance(node, ast.Assign):
        made.update(name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name))
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        imported.update((name.asname or name.name).partition(".")[0] for name in node.names)
for name, times in sorted(made.items()):
    if times > 1 or name in imported:
        print("twice:", name)

whole, known = compile(text, "program", "exec"), {}
exec(whole, known)
def check(code):
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval not in known and not hasattr(builtins, step.argval):
            print("unknown:", step.argval, "in", code.co_name)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            check(inner)
for code in whole.co_consts:
    if isinstance(code, types.CodeType):
        check(code)
`;

/** A program that stays on a machine, without the call in its last line. */
const withoutCall = (text: string): string => text.trimEnd().slice(0, text.trimEnd().lastIndexOf("\n"));

test("Python compiles every program, every name is somebody's, and no two modules give the same one to different things", () => {
  const codes = [
    ...Object.keys(pack.steps).map(codeOfStep),
    ...Object.values(ofTheDesk).map(codeOf),
    ...Object.values(stayingFiles).map(withoutCall),
  ];
  for (const code of codes) {
    const compiled = spawnSync("python3", ["-I", "-c", nameFaults], { input: code, encoding: "utf8" });
    assert.equal(compiled.stderr, "");
    assert.equal(compiled.stdout, "");
    // A module of ours that is imported but not part of the program would only fail on a host.
    const ours = readdirSync(__dirname)
      .filter((file) => file.endsWith(".py"))
      .map((file) => file.slice(0, -3));
    assert.doesNotMatch(code, new RegExp(`^from (?:${ours.join("|")}) import`, "m"));
  }
});

test("any text arrives as it was: quotes, newlines, backslashes, surrogate pairs, what looks like Python", () => {
  const nasty = [
    "'''",
    '"""\\',
    "\\u0041\\n",
    "\u2028\u2029\u0000\u007f",
    "\u{1F9C5}",
    "${x} {release} %s",
    '"); import os; os.abort() #',
  ];
  // All of them in one payload: a Python a text would take most of a test run.
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 200, maxLength: 200 }), (texts) => {
      const payload = { ...release, packages: [...nasty, ...texts] };
      assert.deepEqual(payloadAsPythonReadsIt(releaseProgram(payload)), JSON.parse(JSON.stringify(payload)));
    }),
    { numRuns: 2 },
  );
});

test("each program imports before it uses: running its definitions alone names nothing unknown", () => {
  const desk = Object.entries(ofTheDesk).map(([step, program]) => [step, pythonOf(program)] as const);
  const packed = Object.keys(pack.steps).map((step) => [step, `${codeOfStep(step)}\nguarded(`] as const);
  for (const [step, python] of [...desk, ...packed]) {
    const definitions = python.slice(0, python.lastIndexOf("\nguarded("));
    const ran = spawnSync("python3", ["-I", "-"], {
      input: `${definitions}\nprint(callable(${step}_main))\n`,
      encoding: "utf8",
    });
    assert.equal(ran.stdout.trim(), "True", ran.stderr);
  }
});

test("the watchdog as one file reads what it is told, and has the places of plan/names.ts", () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-watchdog-"));
  try {
    const [program, config, settings] = ["watchdog.py", "config.yaml", "publisher.yaml"].map((name) =>
      join(folder, name),
    );
    writeFileSync(program ?? "", watchdogFile());
    writeFileSync(
      config ?? "",
      `services:\n- instances: [{ address: ${"b".repeat(56)}.onion, name: news-worker1-1 }]\n`,
    );
    writeFileSync(settings ?? "", "watchdog: { every: 30, timeout: 20, failures: 2, floor: 50 }\n");
    const run = (...more: string[]) =>
      spawnSync("python3", ["-I", "-u", "-B", program ?? "", "-c", config ?? "", "-s", settings ?? "", ...more], {
        encoding: "utf8",
      });
    assert.deepEqual([run("--check").stdout, run("--check").stderr], ["1 backends\n", ""]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const path of [proberPaths.socksSocket, watchdogPaths.leaveOut])
    assert.ok(watchdogFile().includes(`"${path}"`), path);
});

test("the command is short, the same for every step, and has no secret: it stands in every error", () => {
  assert.ok(bootstrap.length < 80, bootstrap);
  for (const program of Object.values(programs)) assert.ok(program.startsWith(`${scriptAgain.length}\n${scriptAgain}`));
  for (const program of [arrival, ...Object.values(ofTheDesk)])
    assert.ok(program.startsWith(`${script.length}\n${script}`));
  for (const input of [script, scriptAgain])
    assert.equal(spawnSync("sh", ["-n"], { input, encoding: "utf8" }).status, 0);
});

/** Runs a Command's text with a program on stdin, as an ordinary user whose sudo is the given script. */
function bootstrapAs(
  sudo: string | undefined,
  word: string,
  program: string,
  shell = script,
): { status: number | null; stdout: string; stderr: string } {
  const tools = "id() { case $1 in -u) echo 1000 ;; *) echo olga ;; esac; }\nuname() { echo worker1; }\n";
  const fake = sudo === undefined ? "command() { case $2 in sudo) return 1 ;; esac; }\n" : `sudo() { ${sudo}\n}\n`;
  // A function cannot be exec'd: the last line calls it instead.
  const text = `${tools}${fake}${shell.replace(/\nexec \$run/, "\n$run")}`;
  const input = `${Buffer.byteLength(text)}\n${text}${program}`;
  return spawnSync("sh", ["-c", `${bootstrap}${word}`], { input, encoding: "utf8" });
}

test("no sudo, or one that asks for a password, is said with the next step", () => {
  const without = bootstrapAs(undefined, "", "print(1)");
  assert.equal(without.status, 1);
  assert.match(without.stderr, /worker1: olga is not root and sudo is not installed\. Next: /);
  const refused = bootstrapAs('echo "sudo: a password is required" >&2; return 1', "", "print(1)");
  assert.equal(refused.status, 1);
  assert.match(
    refused.stderr,
    /worker1: olga cannot use sudo without a password\. Next: .*sudoers.*a password is required/,
  );
  assert.equal(refused.stdout, "");
});

test("a step, whose machine has been seen to, says the same of a sudo that asks for a password by now", () => {
  const refused = bootstrapAs('echo "sudo: a password is required" >&2; return 1', "", "print(1)", scriptAgain);
  assert.deepEqual([refused.status, refused.stdout], [1, ""]);
  assert.match(
    refused.stderr,
    /a password is required\nworker1: olga cannot use sudo without a password any more\. Next: .*sudoers/,
  );
});

test("what comes on stdin runs, gets the word, and knows who it is for", () => {
  const program = 'import os, sys; print(sys.argv[1:], os.environ["SOFTMAP_BY"])';
  for (const each of [script, scriptAgain]) {
    const ran = bootstrapAs('shift; "$@"', " everything", program, each);
    assert.equal(ran.stdout, "['everything'] olga\n", ran.stderr);
  }
});

test("a missing python3 is installed once, behind a lock of its own, and apt's locks are waited for", () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-bootstrap-"));
  try {
    const tool = (name: string, text: string) => {
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(folder, name), 0o755);
    };
    const log = `echo "\${0##*/} $*" >>${folder}/log`;
    const python = join(folder, "python3");
    tool("flock", `${log}\nshift 2\nexec "$@"`);
    tool("sh", 'exec /bin/sh "$@"');
    tool("sleep", log);
    tool("env", 'while case $1 in *=*) ;; *) false ;; esac; do export "$1"; shift; done\nexec "$@"');
    // The first two find somebody else's lock; the install puts Python there.
    const link = `case $* in *install*) /bin/ln -s "$(PATH=/usr/bin command -v python3)" ${python} ;; esac`;
    const locked = `echo "E: Could not get lock /var/lib/apt/lists/lock"; exit 100`;
    tool(
      "apt-get",
      `${log}\nread -r n <${folder}/n; echo $((n + 1)) >${folder}/n\n[ "$n" -ge 2 ] || { ${locked}; }\n${link}`,
    );
    writeFileSync(join(folder, "n"), "0\n");

    const missing = `[ "$1 $2" != "-v python3" ] || [ -e ${python} ]; }; command() { missing "$@"`;
    const ran = bootstrapAs(
      `shift; PATH=${folder} "$@"; }; missing() { ${missing}`,
      " word",
      "import sys; print(sys.argv[1:])",
    );
    assert.equal(ran.stdout, "worker1: installing python3\n['word']\n", ran.stderr);
    const said = readFileSync(join(folder, "log"), "utf8").split("\n");
    assert.match(said[0] ?? "", /^flock -o \/run\/softmap-python3\.lock sh -c /);
    const wait = ["apt-get -q -y update", "sleep 5"];
    const install = "apt-get -q -y --no-install-recommends install python3";
    assert.deepEqual(
      said.filter((line) => /^(apt-get|sleep) [-5]/.test(line)),
      [...wait, ...wait, "apt-get -q -y update", install],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
