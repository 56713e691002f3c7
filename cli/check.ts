// npx softmap check Pulumi.NAME.yaml: validates a stack's config and prints its plan. Touches no host and no Pulumi state.
import { readFileSync } from "node:fs";
import { type Document, LineCounter, isNode, parseDocument } from "yaml";
import { inputFromStackFile } from "../config/input";
import { parseStackConfig } from "../config/parse";
import { isRecord } from "../config/place";
import { type Problem, ProblemsError } from "../config/problems";
import { describePlan } from "../plan/describe";
import { planStack } from "../plan/plan";
import { noteFile, parseNote, uncovered } from "./backup/note";
import { readIf } from "./backup/stacks";

export const usage = `usage: npx softmap check Pulumi.NAME.yaml

Says everything that is wrong with a stack's config at once, each with its line and what to do; or, when it is right, what it amounts to:
machines, backends, introduction points, cost. Touches no machine and no state.

Exit code 1 when the config is wrong.`;

/** Where the command writes. */
export interface Streams {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** Runs the command. Returns its exit code: 0 when the config is right, 1 when it is not, 2 for a wrong call. */
export function main(args: readonly string[], { out, err }: Streams): 0 | 1 | 2 {
  const [file, ...rest] = args;
  if (file === "--help" || file === "-h") {
    out(usage);
    return 0;
  }
  if (file === undefined || rest.length > 0 || file.startsWith("-")) {
    err(usage);
    return 2;
  }
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    err(`${file} cannot be read (${code === "ENOENT" ? "there is no such file" : code}).\n${usage}`);
    return 2;
  }
  try {
    const { plan, domains } = checked(text);
    const note = parseNote(readIf(noteFile(file)));
    // Without a note it may be that nothing is deployed yet, and no key is there.
    const sentence = note === undefined ? "" : uncovered(note, domains).sentence;
    out(`${file}: the configuration is right.\n\n${plan}${sentence === "" ? "" : `\n\n${sentence}`}`);
    return 0;
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    err(`${file}: ${error.message}`);
    return 1;
  }
}

/** The plan of a stack's file as text. Throws a {@link ProblemsError} whose problems have lines. */
export const checkText = (text: string): string => checked(text).plan;

function checked(text: string): { readonly plan: string; readonly domains: readonly { readonly domain: string }[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors.map((error): Problem => {
    const line = lines.linePos(error.pos[0]).line;
    const next = "Correct the YAML there; mind indentation, quotes and colons.";
    return { component: "file", property: "YAML", message: sentence(error.message), next, line };
  });
  if (broken.length > 0) throw new ProblemsError(broken);
  const file: unknown = toValue(document);
  const config = isRecord(file) ? file["config"] : undefined;
  if (!isRecord(config)) {
    const next = "Put the softmap: keys under config:, as in examples/config/softmap-4.yaml.";
    const message = "There is no config in this file.";
    throw new ProblemsError([{ component: "file", property: "config", message, next }]);
  }
  const { raw, ...names } = inputFromStackFile(config);
  try {
    const parsed = parseStackConfig(raw, names);
    const plan = describePlan(planStack(parsed));
    const domains = parsed.projects.flatMap(({ sites }) => sites.map(({ domain }) => ({ domain })));
    return { plan: names.siteKeyDomains === undefined ? `${plan}\n\n${encrypted}` : plan, domains };
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    throw new ProblemsError(error.problems.map((problem) => ({ ...problem, ...lineOf(document, lines, problem) })));
  }
}

const encrypted = "siteKeys is encrypted as a whole: `pulumi preview` checks for which sites it has keys.";

function toValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // An alias without its anchor, or aliases that multiply.
    const message = sentence(error instanceof Error ? error.message : String(error));
    throw new ProblemsError([{ component: "file", property: "YAML", message, next: "Write the value out." }]);
  }
}

const sentence = (text: string): string => (text.endsWith(".") ? text : `${text}.`);

/** Line of the value, else of what it would stand in. */
function lineOf(document: Document, lines: LineCounter, { path }: Problem): { line?: number } {
  if (!path || path.length === 0) return {};
  const full = ["config", `softmap:${String(path[0])}`, ...path.slice(1)];
  for (let depth = full.length; depth > 1; depth--) {
    const node = document.getIn(full.slice(0, depth), true);
    if (isNode(node) && node.range) return { line: lines.linePos(node.range[0]).line };
  }
  return {};
}
