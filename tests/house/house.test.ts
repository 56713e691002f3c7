import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** Files git knows or would take, as they are now. */
function sources(...patterns: string[]): string[] {
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns], {
    encoding: "utf8",
  });
  return list.split("\n").filter((file) => file !== "" && readable(file));
}

function readable(file: string): boolean {
  try {
    return readFileSync(file).length >= 0;
  } catch {
    return false; // deleted in the working tree
  }
}

function passes(command: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}${stderr}`);
}

test("types: the whole tree, strictly", () => passes("tsc", "--noEmit", "--noCheck", "false"));
test("lint: rules that catch faults", () => passes("eslint", "."));
test("format", () => passes("prettier", "--check", "--log-level", "warn", "."));

test("no source file is longer than 400 lines", () => {
  const long = sources("*.ts", "*.py", "*.lua", "*.sh", "*.ejs").filter(
    (file) => readFileSync(file, "utf8").split("\n").length > 401,
  );
  assert.deepEqual(long, []);
});

test("no file names a folder of one machine", () => {
  const found = sources().filter((file) => /(^|[^A-Za-z0-9_.-])\/(work|farm|root)\//.test(readFileSync(file, "utf8")));
  assert.deepEqual(
    found.filter((file) => file !== "tests/house/house.test.ts"),
    [],
  );
});

test("no test is switched off", () => {
  const off = sources("*.test.ts").filter((file) =>
    /\.(skip|only|todo)\(|\b(skip|only|todo): true/.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(
    off.filter((file) => file !== "tests/house/house.test.ts"),
    [],
  );
});
