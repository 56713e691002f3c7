import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { askTerminal, knownPassphrase, newPassphrase } from "./passphrase";
import { BackupError } from "./seal";

// A terminal for the program: what it shows there is printed, each answer is typed when its question stands there.
const terminal = `
import os, pty, sys
process, fd = pty.fork()
if process == 0:
    os.execv(sys.argv[1], sys.argv[1:3] + ["./cli/register.js", "-e", sys.argv[3]])
seen = b""
def read():
    global seen
    try:
        data = os.read(fd, 4096)
    except OSError:
        data = b""
    seen += data
    return data
for question, answer in zip(sys.argv[4::2], sys.argv[5::2]):
    while question.encode() not in seen and read():
        pass
    os.write(fd, answer.encode())
while read():
    pass
sys.stdout.buffer.write(seen)
`;
const program = `
const { askTerminal, newPassphrase } = require("./cli/backup/passphrase");
newPassphrase(undefined, askTerminal).then(
  (it) => console.log("got " + Buffer.from(it).toString("hex")),
  (error) => console.log(error.message),
)`;

function typed(...answers: string[]): string {
  const questions = ["Passphrase for the backup: ", "The same once more: "];
  const words = answers.flatMap((answer, i) => [questions[i] ?? "", answer]);
  const args = ["-c", terminal, process.execPath, "-r", program, ...words];
  const { stdout, stderr, status } = spawnSync("python3", args, { encoding: "utf8", timeout: 60_000 });
  assert.equal(status, 0, stderr);
  return stdout;
}

test("the terminal is asked twice, and shows nothing of what is typed", () => {
  const shown = typed("five random wordx\u007fs hére\r", "five random words hére\r");
  assert.match(shown, new RegExp(`got ${Buffer.from("five random words hére").toString("hex")}`));
  assert.doesNotMatch(shown, /random|hére/);
});

test("two that differ, one that is too short, Ctrl-C", () => {
  assert.match(typed("five random words\r", "five other words\r"), /The two passphrases are not the same\./);
  assert.match(typed("short\r"), /has 5 characters/);
  assert.match(typed("five ran\u0003"), /No passphrase was given\./);
});

test("a file's first line is the passphrase; without a terminal there has to be one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-passphrase-"));
  const file = join(folder, "p");
  const never = () => assert.fail("nobody is asked");
  try {
    writeFileSync(file, "five random words \r\nmore\n");
    assert.equal(await newPassphrase(file, never), "five random words ");
    assert.equal(await knownPassphrase(file, never), "five random words ");
    writeFileSync(file, "\nfive random words");
    await assert.rejects(knownPassphrase(file, never), /begins with an empty line/);
    await assert.rejects(knownPassphrase(join(folder, "none"), never), BackupError);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!process.stdin.isTTY) await assert.rejects(askTerminal("?"), /There is no terminal[^]*--passphrase-file/);
});
