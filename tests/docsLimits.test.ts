// The limits that docs/security.md tells are those of the sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatDuration } from "../config/duration";
import { problemsIn, lab, project } from "../config/samples";
import { resolveSite } from "../config/schema";
import { askedDirectories, introductionBudget, mostBackends, mostDistinct, mostPoints } from "../plan/budget";
import { generationOf } from "../plan/generation";
import { longestHostName, longestProjectName, mostDaemons } from "../plan/names";
import { publisherTimers } from "../plan/publisher";
import { resolveProject } from "../config/schema";

/** What a source has at the one place that the expression finds; products are worked out. */
function found(file: string, form: RegExp): string {
  const all = [...readFileSync(file, "utf8").matchAll(new RegExp(form.source, "gm"))];
  assert.equal(all.length, 1, `${file}: ${String(form)} stands there ${all.length} times`);
  return String((all[0]?.[1] ?? "").split("*").reduce((product, factor) => product * Number(factor), 1));
}

/** The numbers from the first on that the config takes for a setting of a project, of those from 0 to 100. */
function accepted(setting: string): string {
  const right = Array.from({ length: 101 }, (_, n) => n).filter(
    (n) => problemsIn(lab({ workers: 1, projects: [project({ [setting]: n })] })).length === 0,
  );
  assert.equal(right.length, (right.at(-1) ?? 0) - (right[0] ?? 0) + 1, setting);
  return `${right[0] ?? ""} to ${right.at(-1) ?? ""}`;
}

const limits: Readonly<Record<string, () => string>> = {
  "introduction points in a descriptor that clients accept": () => String(mostPoints),
  "backends of a site that are listed at once": () => String(mostDistinct),
  "of them in one descriptor for all directories (`publisher: onionbalance`)": () => String(mostBackends),
  "introduction points of a backend": () => accepted("torIntrosPerDaemon"),
  "tor daemons of a project on one worker": () => {
    assert.equal(accepted("softmapTorWorkers"), `1 to ${mostDaemons}`);
    return String(mostDaemons);
  },
  "letters of a project's name": () => String(longestProjectName),
  "letters of a machine's name": () => String(longestHostName),
  "seconds between clocks that a first look accepts": () => found("host/machine.py", /^CLOCK_SECONDS = (\d+)/),
  "releases that stay on a machine": () => found("components/releaseDefaults.ts", /keepReleases: (\d+)/),
  "seconds until a unit that is not healthy fails its release": () =>
    found("components/releaseDefaults.ts", /timeoutSeconds: (\d+)/),
  "seconds that a step waits for the one that holds the machine": () =>
    found("host/release.py", /^LOCK_SECONDS = (\d+)/),
  "seconds between two looks of Onionbalance at its backends": () => String(publisherTimers(false).fetch),
  "seconds that a dead backend counts as there, at least": () => found("host/proof.py", /TOO_OLD_SECONDS = (\d+)/),
  "bytes of a request's body that are rewritten": () => found("proxy/softmap/upload.lua", /LONGEST = ([\d *]+)/),
  "bytes that one piece of a compressed answer may unpack to": () =>
    found("proxy/softmap/inflate.lua", /MOST = ([\d *]+)/),
  "megabytes of a request's body, as `nginxClientMaxBodySize` is": () =>
    resolveSite({}, {}).nginxClientMaxBodySize.replace(/m$/, ""),
  "megabytes that a machine's journal takes": () => found("templates/base-journal.ejs", /SystemMaxUse=(\d+)M/),
  "days that it is kept": () => found("templates/base-journal.ejs", /MaxRetentionSec=(\d+)day/),
  "changes of a project in which two generations fall together, once in": () =>
    String(16 ** generationOf({ sites: [], tor: resolveProject({}), unit: "" }).length),
};

/** The table under "## Limits": what is limited, and its value. */
function told(): Map<string, string> {
  const sections = readFileSync("docs/security.md", "utf8").split(/^## /m);
  const section = sections.find((text) => text.startsWith("Limits\n")) ?? "";
  const rows = [...section.matchAll(/^\| (.+?) +\| (.+?) +\| /gm)].slice(2);
  return new Map(rows.map(([, limit = "", value = ""]) => [limit, value]));
}

test("docs/security.md tells each limit as it is, and no other", () => {
  assert.deepEqual(
    Object.fromEntries(told()),
    Object.fromEntries(Object.entries(limits).map(([limit, value]) => [limit, value()])),
  );
});

/** Rows of the table of docs/tuning.md whose head begins with a text, cell by cell. */
function tuning(head: string): string[][] {
  const lines = readFileSync("docs/tuning.md", "utf8").split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${head}`));
  assert.ok(at >= 0, head);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  const cells = (line: string): string[] =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  return lines.slice(at + 2, end).map(cells);
}

test("docs/tuning.md has the plan's arithmetic", () => {
  const rows = tuning("workers (N)");
  assert.ok(rows.length > 10);
  for (const row of rows) {
    const { mode, backends, points, share } = introductionBudget(Number(row[0]), Number(row[1]));
    const in6 = [...new Set([share.least, share.most])].join(" or ");
    const made = mode === "distinct" ? "distinct" : "Onionbalance";
    assert.deepEqual(row.slice(2), [String(backends), made, String(points), in6]);
  }
  const text = readFileSync("docs/tuning.md", "utf8");
  assert.ok(text.includes(`${askedDirectories} x ${mostPoints} = **${mostDistinct}** backends`));
  assert.ok(text.includes(`1 to ${mostDaemons}`));
});

test("docs/tuning.md has the timers that each network gets", () => {
  const [publicNetwork, lab] = [publisherTimers(false), publisherTimers(true)];
  const keys = Object.keys(publicNetwork) as (keyof typeof publicNetwork)[];
  assert.deepEqual(
    tuning("key ").map(([key, , ...times]) => [key, ...times]),
    keys.map((key) => [`\`${key}\``, ...[publicNetwork, lab].map((timers) => formatDuration(timers[key]))]),
  );
});
