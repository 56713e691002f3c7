// docs/runbooks.md counts the steps of each runbook in its first table: they are as many as its section has.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const text = readFileSync("docs/runbooks.md", "utf8");
const [head = "", ...sections] = text.split(/^## /m);

/** Cells of the rows of the first table in a text, without its head. */
function rowsOf(part: string): string[][] {
  const table = /(?:^\|.*\|\n)+/m.exec(part)?.[0] ?? "";
  const rows = table.trimEnd().split("\n").slice(2);
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const filled = (rows: readonly string[][], column: number): number => rows.filter((row) => row[column] !== "").length;

test("the steps that are counted are those that are told, runbook by runbook", () => {
  const counted = rowsOf(head).map(([name = "", guide, ours]) => [
    /\[(.+)\]/.exec(name)?.[1],
    Number(guide),
    Number(ours),
  ]);
  const told = sections.map((section) => {
    const rows = rowsOf(section);
    return [section.split("\n")[0], filled(rows, 1), filled(rows, 2)];
  });
  assert.ok(told.length >= 16);
  assert.deepEqual(counted, told);
});

test("steps are numbered, and a step is in no row after an empty one", () => {
  for (const section of sections) {
    const rows = rowsOf(section);
    assert.deepEqual(
      rows.map(([number]) => Number(number)),
      rows.map((_, i) => i + 1),
      section.split("\n")[0],
    );
    for (const column of [1, 2]) {
      const last = rows.findLastIndex((row) => row[column] !== "");
      assert.equal(filled(rows, column), last + 1, section.split("\n")[0]);
    }
  }
});
