import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pulumiProgram } from "./pulumiProgram";

test("Pulumi's CLI is the nearest that npm installed, or what PATH has", () => {
  const top = mkdtempSync(join(tmpdir(), "softmap-cli-"));
  try {
    const deep = join(top, "program", "part");
    mkdirSync(deep, { recursive: true });
    assert.equal(pulumiProgram(deep), "pulumi");
    const put = (folder: string): string => {
      mkdirSync(join(folder, "node_modules", ".bin"), { recursive: true });
      const file = join(folder, "node_modules", ".bin", "pulumi");
      writeFileSync(file, "");
      return file;
    };
    const outer = put(top);
    assert.equal(pulumiProgram(deep), outer);
    const inner = put(join(top, "program"));
    assert.equal(pulumiProgram(deep), inner);
    assert.equal(pulumiProgram(top), outer);
  } finally {
    rmSync(top, { recursive: true });
  }
});
