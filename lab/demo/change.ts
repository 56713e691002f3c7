import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { LabError } from "../errors";
import type { Say } from "../progress";
import { pulumi, type LabStack } from "../pulumi";

/** What a `preview --diff` says of a change. */
export interface Previewed {
  /** The lines that were added to or taken from a rendered file. */
  readonly lines: readonly string[];
  /** The units that are not left alone, each with its host's plan in front and what is to be done to it. */
  readonly units: readonly string[];
}

/** Shows what `pulumi preview --diff` says to one changed setting, `torIntrosPerDaemon`, without touching the stack. */
export async function oneLineChange(stack: LabStack, say: Say): Promise<Previewed> {
  const folder = mkdtempSync(join(tmpdir(), "softmap-demo-"));
  try {
    const config = parseDocument(readFileSync(stack.configFile ?? `Pulumi.${stack.name}.yaml`, "utf8"));
    config.setIn(["config", "softmap:projects", 0, "torIntrosPerDaemon"], 5);
    const configFile = join(folder, `Pulumi.${stack.name}.yaml`);
    writeFileSync(configFile, config.toString());
    say("npx pulumi preview --diff, with torIntrosPerDaemon: 5 in Pulumi.dev.yaml");
    const run = await pulumi({ ...stack, configFile }, ["preview", "--diff"]);
    if (run.code !== 0)
      throw new LabError(`pulumi preview failed:\n${run.stderr}${run.stdout}`, "see its own words above");
    return { lines: changedLines(run.stdout), units: changedUnits(run.stdout) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The lines of a `preview --diff` that were added to or taken from a rendered file. */
export function changedLines(preview: string): string[] {
  return preview
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => /^\s*[-+] /.test(line));
}

/**
 * The units of a `preview --diff` that are not left alone, sorted.
 * @example changedUnits(preview) // ["workers  softmap-nginx@news.service  reload (nginx/news.conf 37bf05)"]
 */
export function changedUnits(preview: string): string[] {
  let plan = "";
  return preview
    .split("\n")
    .flatMap((line): string[] => {
      plan = /::([^:]+)-services\]$/.exec(line)?.[1] ?? plan;
      const [, unit, action] = /^ *[-+~] (softmap-\S+\.service) *: (?:"[^"]*" => )?"([^"]+)"$/.exec(line) ?? [];
      return unit === undefined || action === undefined || action.startsWith("leave ")
        ? []
        : [`${plan}  ${unit}  ${action}`];
    })
    .sort();
}
