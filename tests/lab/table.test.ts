import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { changeTable, readChanges, recordChange, type ChangeRow } from "./table";

const rows: readonly ChangeRow[] = [
  {
    ...{
      change: "one more worker",
      requests: 412,
      failures: 0,
      secondTries: 2,
      seconds: 48.25,
      secondsUntilPublished: 41,
    },
    connectionsPerHost: { worker10: 1, worker2: 2, balancer1: 1, worker1: 0 },
  },
  {
    ...{
      change: "a timeout of nginx",
      requests: 97,
      failures: 3,
      secondTries: 3,
      seconds: 6,
      secondsUntilPublished: null,
    },
    ...{ connectionsPerHost: {}, note: "a reload,\n  no restart" },
  },
];

test("the table is aligned, numbers to the right", () => {
  assert.equal(
    changeTable(rows),
    [
      "change              requests  failed  second try  seconds  published after  connections                         note",
      "one more worker          412       0           2     48.3             41.0  balancer1 1  worker2 2  worker10 1",
      "a timeout of nginx        97       3           3      6.0                -  none                                a reload, no restart",
    ].join("\n"),
  );
  assert.match(changeTable([]), /^change {2}requests .* note$/);
});

test("rows of several processes meet in the file that SOFTMAP_TABLE names; without it none is written", () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-table-"));
  try {
    const file = join(folder, "table.jsonl");
    for (const row of rows) recordChange(row, {});
    assert.equal(existsSync(file), false);
    for (const row of rows) recordChange(row, { SOFTMAP_TABLE: file });
    assert.deepEqual(readChanges(file), rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
