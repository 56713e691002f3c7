// Commands in the docs: whether the programs that they call have such commands and options.
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Desk, type ListedCommand, optionsIn, usageOf } from "../cli/docsCommands";
import type { At, Fault, Page } from "./docsKit";

/** What the commands are compared with. */
export interface Programs {
  /** Scripts of package.json, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Usage texts of `npx softmap`, by the command's name. */
  readonly softmap: ReadonlyMap<string, string>;
  /** What `pulumi WORDS --help` prints. */
  readonly pulumi: (words: readonly string[]) => string;
  /** Paths of all test files, for `npm test -- FILTER`. */
  readonly tests: readonly string[];
}

/** The programs of this clone. @param environment that in which `npx pulumi` works */
export async function programs(
  { commands, main }: { readonly commands: readonly ListedCommand[]; readonly main: Desk },
  tests: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Programs> {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
  const usages = await Promise.all(commands.map(async ({ name }) => [name, await usageOf(name, main)] as const));
  const told = new Map<string, string>();
  const pulumi = (words: readonly string[]): string => {
    const key = words.join(" ");
    const text =
      told.get(key) ??
      execFileSync(resolve("node_modules/.bin/pulumi"), [...words, "--help"], {
        env: { ...process.env, ...environment },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
    told.set(key, text);
    return text;
  };
  return { scripts, softmap: new Map(usages), pulumi, tests };
}

/** A call in the docs: its words, the program's name first. */
interface Call {
  readonly words: readonly string[];
  readonly line: number;
}

/** Calls of programs on a page that are wrong. */
export function callFaults(page: Page, known: Programs): Fault[] {
  return callsOf(page).flatMap(({ words, line }) =>
    faultsOf(words, known).map((message) => ({ page: page.path, line, message: `${words.join(" ")}: ${message}` })),
  );
}

function callsOf(page: Page): Call[] {
  const inBlocks = page.blocks.flatMap(({ language, text, line }) => {
    if (!["sh", "", "text"].includes(language)) return [];
    return joined(text).flatMap((each) => callsIn({ text: each.text, line: line + each.line }));
  });
  return [...inBlocks, ...page.code.flatMap(callsIn)];
}

/** Lines of a block; one that ends in a backslash goes on. */
function joined(text: string): At[] {
  const found: { text: string; line: number }[] = [];
  for (const [line, part] of text.split("\n").entries()) {
    const last = found.at(-1);
    if (last?.text.endsWith("\\")) last.text = `${last.text.slice(0, -1)}${part}`;
    else found.push({ text: part, line });
  }
  return found;
}

// Where a command can begin: at the start, after a prompt, after what ends one, in what is put in.
const starts = /(?:^\s*(?:\$ |usage: )?|&& |; |\| |\$\(|sudo )((?:npm|npx|pulumi)(?: .*)?$)/;

function callsIn({ text, line }: At): Call[] {
  const [whole, rest] = starts.exec(text) ?? [];
  if (whole === undefined || rest === undefined) return [];
  const { words, after } = wordsOf(rest);
  return [{ words, line }, ...(after === "" ? [] : callsIn({ text: after, line }))];
}

/** Words of the first command of a line, as a shell has them, and the rest of the line. */
function wordsOf(text: string): { words: string[]; after: string } {
  const words: string[] = [];
  const form = /\s*(?:(#.*$)|(&&|\|\||[;|)<>]).*$|((?:'[^']*'|"[^"]*"|[^\s;|)<>#&'"]|(?<=\S)[#&])+))/y;
  let after = "";
  for (let match = form.exec(text); match !== null; match = form.exec(text)) {
    const [, comment, end, word] = match;
    if (comment !== undefined) break;
    if (end !== undefined) {
      after = text.slice(match.index).trimStart();
      break;
    }
    words.push((word ?? "").replaceAll(/['"]/g, ""));
  }
  return { words, after };
}

function faultsOf([program = "", ...words]: readonly string[], known: Programs): string[] {
  if (program === "npm") return npmFaults(words, known);
  if (program === "pulumi") return pulumiFaults(words, known);
  const [name = "", ...rest] = words.filter((word) => !/^(-y|--yes|--no|--no-install)$/.test(word));
  if (name === "pulumi") return pulumiFaults(rest, known);
  if (name === "softmap") return softmapFaults(rest, known);
  return /^(\.+|)$/.test(name) || existsSync(`node_modules/.bin/${name}`) ? [] : [`there is no program ${name}`];
}

const npmCommands = [
  "ci",
  "install",
  "pack",
  "init",
  "config",
  "rebuild",
  "install-scripts",
  "exec",
  "link",
  "uninstall",
];

function npmFaults(words: readonly string[], known: Programs): string[] {
  const [command = "", ...rest] = words.filter((word) => !/^(-s|--silent)$/.test(word));
  const [script, after] = command === "run" ? [rest[0] ?? "", rest.slice(1)] : [command, rest];
  if (command !== "run" && command !== "test")
    return npmCommands.includes(command) ? [] : [`npm has no command ${command}`];
  if (open(script)) return [];
  const runs = known.scripts[script];
  if (runs === undefined) return [`package.json has no script ${script}`];
  const [dashes, ...args] = after.map(unbracketed).filter((word) => !open(word));
  if (dashes === undefined) return [];
  if (dashes !== "--") return [`npm keeps ${dashes} for itself: -- must stand before it`];
  if (script === "softmap") return softmapFaults(args, known);
  return [...scriptFaults(runs, args), ...(script.startsWith("test") ? filterFaults(args, known) : [])];
}

/** Options of a script of ours are in its file, or in one beside it: as text, or as the name of one. */
function scriptFaults(runs: string, args: readonly string[]): string[] {
  const file = /\S+\.ts\b/.exec(runs)?.[0];
  const beside = file === undefined ? [] : globSync(`${dirname(file)}/*.ts`, { exclude: ["**/*.test.ts"] });
  const source = beside.map((each) => readFileSync(each, "utf8")).join("\n");
  const lost = args.filter((word) => word.startsWith("--")).map((word) => word.replace(/=.*/, ""));
  return lost.flatMap((option) => {
    const name = option.slice(2);
    const there = source.includes(option) || new RegExp(`[{\\s"]${name}"?: \\{`).test(source);
    return there ? [] : [`${file ?? runs} has no option ${option}`];
  });
}

function filterFaults(args: readonly string[], { tests }: Programs): string[] {
  const filters = args.filter((word) => !word.startsWith("-"));
  return filters.flatMap((filter) =>
    tests.some((file) => file.includes(filter)) ? [] : [`no test file has ${filter} in its path`],
  );
}

function softmapFaults([name = "help", ...rest]: readonly string[], { softmap }: Programs): string[] {
  if (open(name) || ["help", "--help"].includes(name)) return [];
  const usages = name.split("|").map((each) => softmap.get(each));
  if (usages.includes(undefined)) return [`npx softmap has no command ${name}`];
  const options = new Set([...usages.flatMap((usage) => optionsIn(usage ?? "")), "--help", "-h"]);
  const given = rest.flatMap((word) => unbracketed(word).split("|")).filter((word) => /^-{1,2}[a-z]/.test(word));
  const lost = given.map((word) => word.replace(/=.*/, "")).filter((option) => !options.has(option));
  return lost.map((option) => `npx softmap ${name} --help does not know ${option}`);
}

/** Every word that changes what `--help` says is a command; the others are what it is given. */
function pulumiFaults(words: readonly string[], { pulumi }: Programs): string[] {
  const plain = words.map(unbracketed).filter((word) => !open(word));
  const first = plain.findIndex((word) => word.startsWith("-"));
  const chain: string[] = [];
  let help = pulumi([]);
  for (const word of first < 0 ? plain : plain.slice(0, first)) {
    const deeper = pulumi([...chain, word]);
    if (deeper === help) {
      const takes = !help.includes("Available Commands:") && chain.length > 0;
      if (!takes) return [`pulumi ${chain.join(" ")} has no command ${word}`.replace("  ", " ")];
      break;
    }
    chain.push(word);
    help = deeper;
  }
  const options = new Set(help.match(/(?<=^\s+|, )--?[\w-]+/gm) ?? []);
  const given = plain.filter((word) => /^-{1,2}[a-zA-Z]/.test(word)).map((word) => word.replace(/=.*/, ""));
  return given
    .filter((option) => !options.has(option))
    .map((option) => `pulumi ${chain.join(" ")} has no option ${option}`);
}

/** A word that the reader replaces, or dots. */
const open = (word: string): boolean => /^(\.*|[A-Z_]+(\.\.\.)?)$/.test(word);
const unbracketed = (word: string): string => word.replaceAll(/[[\]]/g, "").replace(/\.\.\.$/, "");
