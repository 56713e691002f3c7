// docs/upgrades.md says in its last row what this version does to a stack that serves: a change that does more must tell so there.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { parse } from "yaml";
import { render } from "../templates";
import { readSources } from "../templates/sources";
import type { Registered } from "./mocks";
import { pretendLab, program } from "./programKit";

before(pretendLab);

/** Eight digits that stand for a text. */
const mark = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

const sample = "examples/config/softmap-4.yaml";

/** What of a version a stack that serves notices. */
function noticed(resources: readonly Registered[]) {
  const daemons = resources.flatMap(({ name }) => /^workers-news-worker1-1-([0-9a-f]{4})$/.exec(name)?.[1] ?? []);
  assert.equal(daemons.length, 1, "one key of the first daemon of the first worker");
  const [generation = ""] = daemons;
  const names = resources
    .filter(({ type }) => !/^(lab:Host|pulumi:pulumi:Stack)$|lab:Host$/.test(type))
    .map(({ type, name }) => `${type} ${name.replace(generation, "GENERATION")}`);
  assert.ok(
    names.includes("pulumi-nodejs:dynamic/softmap:OnionKey www.example.org"),
    "a site's key has its domain's name",
  );
  return {
    tors: generation,
    nginx: mark(render("unit-nginx", readSources("unit-nginx"), {})),
    state: mark(names.sort().join("\n")),
  };
}

test("the last row of docs/upgrades.md is this version's", async () => {
  const { config } = parse(readFileSync(sample, "utf8")) as { config: Record<string, unknown> };
  const { tors, nginx, state } = noticed(await program("../index.ts", config));
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const rows = readFileSync("docs/upgrades.md", "utf8").match(/^\| \d+\.\d+\.\d+ .*\|$/gm) ?? [];
  const cells = (rows.at(-1) ?? "").split("|").map((cell) => cell.replaceAll("`", "").trim());
  assert.deepEqual(
    { version: cells[1], tors: cells[2], nginx: cells[3], state: cells[4] },
    { version, tors, nginx, state },
    "What this version does to a stack that serves is another thing than its row says: write the row anew, and in words what it does.",
  );
});
