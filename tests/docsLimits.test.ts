// The limits that docs/security.md tells are those of the sources.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { problemsIn, lab, project } from "../config/samples";
import { resolveSite } from "../config/schema";
import { mostBackends, mostPoints } from "../plan/budget";
import { generationOf } from "../plan/generation";
import { longestHostName, longestProjectName, mostDaemons } from "../plan/names";
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
  "backends of a site that are listed at once": () => String(mostBackends),
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
  "seconds between two looks of Onionbalance at its backends": () =>
    found("templates/onionbalance-launch.ejs", /"FETCH_DESCRIPTOR_FREQUENCY": (\d+)/),
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
