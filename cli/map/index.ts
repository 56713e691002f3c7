// npx softmap map: a picture of a stack: machines, daemons, sites, introduction points, and how they are. Changes nothing.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { called, CallError, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { survey } from "../desk/look";
import type { DeployedStack } from "../desk/survey";
import { readStack } from "../stack";
import { topologyOfSurvey } from "./fromSurvey";
import { pageOf } from "./page";
import { SourceError, topologyOfConfig, topologyOfSaved } from "./sources";
import { marker, svgOf, verdictOf } from "./svg";
import { type Topology, troublesOf } from "./topology";

const usage = `usage: npx softmap map [--stack NAME] [--out FILE.svg|FILE.html] [--survey FILE.json | --plan CONFIG.yaml] [--json] [--force]

Draws a stack: machines, the daemons on each, sites, who publishes them, the introduction points of each site of the 20 that clients
accept, and how all of it is. As a picture, or as one page that loads nothing from anywhere. Changes nothing on a machine.

  --stack NAME          the stack, as pulumi takes it (default: the one that is selected)
  --out FILE            what to write (default: map.html; with --json: nothing). A file that is no such picture is not written over
  --survey FILE.json    draw what \`npx softmap status --json\` printed, and ask nobody
  --plan CONFIG.yaml    draw what a config amounts to, before anything of it is there
  --json                print what is in the picture as JSON
  --force               write over any file

Exit code 1 when something is in trouble: it is in the picture.

Examples:
  npx softmap map
  npx softmap map --plan Pulumi.prod.yaml --out plan.svg`;

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly survey: (stack: DeployedStack) => ReturnType<typeof survey>;
  /** A file's text. */
  readonly readFile: (file: string) => Promise<string>;
  /** Writes a file as a whole or not at all. */
  readonly writeFile: (file: string, text: string) => Promise<void>;
}

const real: Tools = {
  read: readStack,
  survey,
  readFile: (file) => readFile(file, "utf8"),
  writeFile: async (file, text) => {
    const beside = `${file}.${process.pid}.part`;
    try {
      await writeFile(beside, text);
      await rename(beside, file);
    } finally {
      await rm(beside, { force: true });
    }
  },
};

/** Runs the command. */
export function main(args: readonly string[], streams: Streams, tools: Tools = real): Promise<Exit> {
  const text = { type: "string" } as const;
  const yes = { type: "boolean" } as const;
  const options = { ...stackOption, out: text, survey: text, plan: text, json: yes, force: yes };
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    if (positionals.length > 0) throw new CallError(`map takes no ${positionals.join(" ")}.`);
    const from = (["stack", "survey", "plan"] as const).filter((name) => values[name] !== undefined);
    if (from.length > 1) throw new CallError(`Draw from one of ${from.map((name) => `--${name}`).join(" and ")}.`);
    const out = values.out ?? (values.json ? undefined : "map.html");
    const draw = out === undefined ? undefined : drawingFor(out);
    try {
      // Before all machines are asked.
      if (out !== undefined && !values.force) await refuseOthers(out, tools);
      const topology = await topologyOf(values, tools);
      if (out !== undefined && draw !== undefined) await write(out, draw(topology), tools);
      const troubles = troublesOf(topology);
      const verdict = verdictOf(topology);
      if (values.json) streams.out(JSON.stringify({ file: out ?? null, verdict, troubles, topology }, null, 2));
      else
        streams.out(
          [`${out ?? ""}: ${verdict.text.toLowerCase()}`, ...troubles.map(({ name, why }) => `  ${name}: ${why}`)].join(
            "\n",
          ),
        );
      if (troubles.length > 0 && !values.json) streams.out("  Next: npx softmap doctor says what to do.");
      return troubles.length > 0 ? 1 : 0;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      streams.err(error.message);
      return 1;
    }
  });
}

function drawingFor(file: string): (topology: Topology) => string {
  if (file.endsWith(".svg")) return svgOf;
  if (file.endsWith(".html")) return pageOf;
  throw new CallError(`--out takes a file that ends in .svg or .html, not ${file}.`);
}

async function topologyOf(
  {
    stack,
    survey: saved,
    plan,
  }: { stack?: string | undefined; survey?: string | undefined; plan?: string | undefined },
  tools: Tools,
): Promise<Topology> {
  if (saved !== undefined) return topologyOfSaved(saved, await contentOf(saved, tools));
  if (plan !== undefined) return topologyOfConfig(plan, await contentOf(plan, tools));
  return topologyOfSurvey(await tools.survey(await tools.read(stack)));
}

async function contentOf(file: string, tools: Tools): Promise<string> {
  try {
    return await tools.readFile(file);
  } catch (error) {
    throw new SourceError(`${file} cannot be read (${codeOf(error)}).\n  Next: name another file.`);
  }
}

/** A file that is there and is none of this command's pictures is somebody's work. */
async function refuseOthers(file: string, tools: Tools): Promise<void> {
  let there: string;
  try {
    there = await tools.readFile(file);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw new SourceError(`${file} cannot be written over (${codeOf(error)}).\n  Next: name another file with --out.`);
  }
  if (there.split("\n", 5).includes(marker)) return;
  throw new SourceError(
    `${file} is there, and no picture of softmap's: it was left as it is.\n  Next: name another file with --out, or add --force.`,
  );
}

async function write(file: string, text: string, tools: Tools): Promise<void> {
  try {
    await tools.writeFile(file, text);
  } catch (error) {
    throw new SourceError(`${file} cannot be written (${codeOf(error)}).\n  Next: name another file with --out.`);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
