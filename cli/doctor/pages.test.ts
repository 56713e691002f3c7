// Checks, their pages in docs/doctor and the faults of the lab belong together: none without the others.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { labFaults } from "../../tests/lab/doctorKit";
import { checks } from "./checks";
import { pageOf } from "./finding";

const names = checks.map(({ name }) => name).sort();
const headings = ["What you see", "Why", "Confirm", "Fix", "Prevent"];

test("every check has a page, and every page a check", () => {
  const pages = globSync("docs/doctor/*.md").map((path) => basename(path, ".md"));
  assert.deepEqual(pages.filter((name) => name !== "README").sort(), names);
  assert.equal(new Set(names).size, names.length);
});

test("every page says what one sees, why, how to confirm, fix and prevent it", () => {
  for (const name of names) {
    const text = readFileSync(pageOf(name), "utf8");
    const found = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual([name, text.split("\n")[0], ...found], [name, `# ${name}`, ...headings]);
    const parts = text.split("\n## ").slice(1);
    assert.ok(
      parts.every((part) => part.split("\n").slice(1).join("").trim() !== ""),
      name,
    );
  }
});

test("every page has a test that makes its fault: a row of tests/lab/doctorKit.ts, or a test of its name", () => {
  const own = globSync("tests/lab/doctor*.long.test.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\btest\("([a-z-]+): /g)].map(([, name = ""]) => name),
  );
  assert.deepEqual([...new Set([...labFaults.map(({ check }) => check), ...own])].sort(), names);
});

test("the list of pages is that of the checks, in their order", () => {
  const rows = [
    ...readFileSync("docs/doctor/README.md", "utf8").matchAll(/^\| \[([\w-]+)\]\(([\w.-]+)\) +\| (.+?) +\|$/gm),
  ];
  assert.deepEqual(
    rows.map(([, name, file, looksFor]) => [name, file, looksFor]),
    checks.map(({ name, looksFor }) => [name, `${name}.md`, looksFor]),
  );
});
