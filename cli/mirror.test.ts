import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stack } from "./desk/samples";
import { machineNames } from "./desk/look";
import { answerOf, main, type Tools } from "./mirror";

const root = mkdtempSync(join(tmpdir(), "softmap-mirror-"));
after(() => rmSync(root, { recursive: true, force: true }));
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const line = (said: object): string => `${JSON.stringify(said)}\n`;
const file = (path: string, text = "x"): string => line({ file: path, base64: base64(text) });
const end = line({ cut: false, refused: [] });
const journal = (text: string): string => line({ journal: base64(text) });
const [first = "", second = "", ...others] = machineNames(stack);

/** Runs the command; `answers` are what machines print, or how they fail. */
async function mirrored(folder: string, answers: Readonly<Record<string, string | Error>>, ...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  let asked = 0;
  const run: Tools["run"] = async (_connection, _command, program) => {
    asked += 1;
    const host = machineNames(stack).find((name) => program.includes(`\\"host\\":\\"${name}\\"`)) ?? "";
    const answer = answers[host] ?? file("worker/a") + journal("one\n") + end;
    if (answer instanceof Error) throw answer;
    return { code: 0, stdout: answer, stderr: "" };
  };
  const streams = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) };
  const code = await main([...args, folder], streams, { read: async () => stack, run });
  return { code, out: out.join("\n"), err: err.join("\n"), asked };
}

test("each machine is asked once, and its files are its owner's alone", async () => {
  const folder = join(root, "one");
  const { code, out, asked } = await mirrored(folder, {
    [first]:
      file("worker/nginx/news.conf", "server {}") +
      journal("one\n") +
      journal("two\n") +
      line({ cut: true, refused: [] }),
  });
  assert.deepEqual([code, asked], [0, machineNames(stack).length]);
  assert.match(out, new RegExp(`^${first}: 1 files, 8 bytes of journal, older lines left out`, "m"));
  assert.equal(readFileSync(join(folder, first, "releases/worker/nginx/news.conf"), "utf8"), "server {}");
  assert.equal(readFileSync(join(folder, first, "journal.log"), "utf8"), "one\ntwo\n");
  for (const path of globSync("**/*", { cwd: folder }))
    assert.equal(statSync(join(folder, path)).mode & 0o077, 0, path);
});

test("again: what is served no more goes, what is the operator's stays", async () => {
  const folder = join(root, "two");
  await mirrored(folder, { [first]: file("worker/old") + end });
  writeFileSync(join(folder, first, "mine"), "x");
  await mirrored(folder, { [first]: file("worker/new") + end });
  assert.deepEqual(globSync("**/*", { cwd: join(folder, first) }).sort(), [
    "journal.log",
    "mine",
    "releases",
    "releases/worker",
    "releases/worker/new",
  ]);
});

test("a machine that cannot be asked is named, its last mirror stays, and the others are pulled", async () => {
  const folder = join(root, "three");
  await mirrored(folder, {});
  const gone = Object.assign(new Error("nobody answers at 192.0.2.1:22 within 15 s"), { reached: false });
  const { code, out, err } = await mirrored(folder, { [second]: gone });
  assert.equal(code, 1);
  assert.equal(err, `${second}: nobody answers at 192.0.2.1:22 within 15 s.`);
  for (const host of [first, ...others]) assert.match(out, new RegExp(`^${host}: 1 files`, "m"));
  assert.ok(existsSync(join(folder, second, "releases/worker/a")));
});

test("a file that holds a key is not written, whoever missed it there", async () => {
  const folder = join(root, "four");
  const { code, err } = await mirrored(folder, {
    [first]: file("worker/ok") + file("worker/bad", "-----BEGIN PRIVATE KEY-----") + end,
    [second]:
      file("worker/ok") + journal("ED25519-") + journal("V3:aa\n") + line({ cut: false, refused: ["worker/k"] }),
  });
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^${first}: kept back, .*: worker/bad\\.$`, "m"));
  assert.match(err, new RegExp(`^${second}: kept back, .*: worker/k, the journal\\.$`, "m"));
  assert.deepEqual(globSync("**/{bad,k}", { cwd: folder }), []);
  assert.equal(readFileSync(join(folder, second, "journal.log"), "utf8"), "");
});

test("a machine in other hands writes nothing outside of its folder", async () => {
  for (const path of ["../x", "/x", "a/../../x", "a//x", "", ".", "a\0"])
    assert.throws(() => answerOf(file(path) + end));
  assert.throws(() => answerOf(file("worker/a")), /has no end/);
  assert.throws(() => answerOf("{rubbish\n"), /cannot be read/);
  assert.equal(answerOf(`worker1: installing python3\n${file(`worker/${"x".repeat(200)}`)}${end}`).files.size, 1);
  const folder = join(root, "five");
  const { code, err } = await mirrored(folder, {
    [first]: file("../escaped") + end,
    [second]: file("a") + file("a/b") + end,
  });
  assert.equal(code, 1);
  assert.match(err, /names a file that no release has\.\n {2}Next: /);
  assert.match(err, /cannot be written \(E(EXIST|NOTDIR)\)/);
  assert.deepEqual(globSync("**/escaped", { cwd: root }), []);
});

test("wrong calls", async () => {
  assert.equal((await mirrored("a", {}, "b")).code, 2);
  for (const hours of ["0", "x", "-1", "99999"]) assert.equal((await mirrored("a", {}, `--hours=${hours}`)).code, 2);
  assert.equal((await mirrored("a", {}, "--most", "257")).code, 2);
  writeFileSync(join(root, "plain"), "");
  assert.match((await mirrored(join(root, "plain"), {})).err, /cannot be made \(EEXIST\)/);
});
