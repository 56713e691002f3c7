import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stack } from "../desk/samples";
import { noted } from "./note";
import { backupWarning } from "./warning";

const folder = mkdtempSync(join(tmpdir(), "softmap-warning-"));
after(() => rmSync(folder, { recursive: true }));

test("the sites whose key is in no backup that is noted beside the config", () => {
  assert.equal(backupWarning(stack, folder), undefined, "no project here: nobody can know");
  writeFileSync(join(folder, "Pulumi.yaml"), "name: softmap\nruntime: nodejs\n");
  const inside = join(folder, "below");
  mkdirSync(inside);
  assert.match(backupWarning(stack, inside) ?? "", /^The keys of www\.daily\.test and court\.test are in no backup: /);
  const backup = { made: "2026-01-01T00:00:00.000Z", file: "one.age", sha256: "0".repeat(64) };
  const note = (sites: typeof stack.sites): void =>
    writeFileSync(join(folder, "Pulumi.prod.backup.json"), JSON.stringify(noted(undefined, { ...backup, sites })));
  note(stack.sites.slice(0, 1));
  assert.match(
    backupWarning(stack, inside) ?? "",
    /^The key of court\.test is in no backup: run `npx softmap backup`\.$/,
  );
  note(stack.sites);
  assert.equal(backupWarning(stack, inside), undefined);
});
