// docs/commands.md: every command of `npx softmap`, from the usage text that it prints itself.
import type { Streams } from "./check";

/** A command as cli/main.ts lists it. */
export interface ListedCommand {
  /** @example "ob-status" */
  readonly name: string;
  /** The heading that it stands under. @default none */
  readonly group?: string;
  /** One line on what it does. */
  readonly summary: string;
}

/** What runs `npx softmap WORDS`: cli/main.ts. */
export type Desk = (words: readonly string[], streams: Streams) => Promise<number>;

/**
 * What a command prints when it is asked for help, without what stands around it.
 * @throws {Error} when it prints none, or one that says nothing of how it is called
 */
export async function usageOf(name: string, desk: Desk): Promise<string> {
  const lines: string[] = [];
  const code = await desk([name, "--help"], { out: (text) => lines.push(text), err: () => undefined });
  const usage = lines.join("\n").trim();
  if (code !== 0 || usage === "") throw new Error(`npx softmap ${name} --help ends with ${code} and prints "${usage}"`);
  if (callsIn(name, usage).length === 0)
    throw new Error(`npx softmap ${name} --help has no line "npx softmap ${name} ..."`);
  return usage;
}

/** The words after `npx softmap NAME` of each call in a usage text. */
function callsIn(name: string, usage: string): string[] {
  const words = new RegExp(`npx softmap ${name}(?![\\w-])([^\\n]*)`, "g");
  return [...usage.matchAll(words)].map(([, rest = ""]) => rest.trim());
}

/** Options that a usage text names, dashes included. @example optionsIn("[--json] [-f]") // ["--json", "-f"] */
export function optionsIn(usage: string): string[] {
  return [...new Set(usage.match(/(?<![\w-])--?[a-z][a-z-]*(?![\w])/g) ?? [])];
}

/** What stands in an example for a word of a usage text that the operator replaces; of one command alone under its name. */
const samples: Readonly<Record<string, string>> = {
  SITE: "www.example.org",
  DOMAIN: "www.example.org",
  HOST: "worker1",
  "hostkey HOST": "203.0.113.10",
  FILE: "softmap-backup.age",
  "import FILE": "sites",
  FOLDER: "mirror",
  DIR: "mirror",
  "import DIR": "onionspray",
  NAME: "prod",
  STACK: "prod",
  PROJECT: "news",
  N: "20",
};

/**
 * A call that works, made of the first one in a usage text: what is in brackets is left out; of `A | B` the last counts, so that no
 * example says `--all`, and of `A|B` the first.
 * @throws {Error} for a word in capitals without a sample
 * @example exampleOf("open", "usage: npx softmap open SITE [--json]") // "npx softmap open www.example.org"
 */
export function exampleOf(name: string, usage: string): string {
  const given = /^\s*(?:examples?:\s*)?(npx softmap [^\n#]*[^\n#\s])/gim;
  const shown = usage.split(/^examples?:/im)[1];
  const own = shown === undefined ? undefined : given.exec(shown)?.[1];
  if (own !== undefined) return own;
  let rest = callsIn(name, usage)[0] ?? "";
  for (let before = ""; before !== rest;) {
    before = rest;
    rest = rest.replaceAll(/\[[^[\]]*\]/g, " ");
  }
  const words = (rest.split(" | ").at(-1) ?? "").split(/\s+/).filter((word) => word !== "" && !/^\.+$/.test(word));
  return ["npx softmap", name, ...words.map((word) => sampleOf(name, word))].join(" ");
}

/** @example sampleOf("check", "Pulumi.NAME.yaml|FILE...") // "Pulumi.prod.yaml" */
function sampleOf(name: string, word: string): string {
  const [first = ""] = word.replaceAll(/[()]/g, "").split("|");
  return first.replace(/\.\.\.$/, "").replaceAll(/(?<![\w-])[A-Z]+(?![\w-])/g, (open) => {
    const sample = samples[`${name} ${open}`] ?? samples[open];
    if (sample === undefined) throw new Error(`npx softmap ${name}: cli/docsCommands.ts has no sample for ${open}`);
    return sample;
  });
}

const intro = `# The commands

The operator's desk: \`npx softmap NAME\`, made from the commands' own usage texts by \`npm run docs\`. \`npx softmap help\` lists them, \`npx softmap NAME --help\` says the
same as here. Those of a deployed stack read the one that is selected, or that of \`--stack\`, through Pulumi, and go to its machines with the keys that are pinned there.

Exit codes of each: 0 when all is well, 1 when something is wrong, 2 when the call is. \`--json\`, where a command has it, is for programs.`;

/** Text of docs/commands.md. @throws {Error} when a command does not say how it is called */
export async function commandsMarkdown(commands: readonly ListedCommand[], desk: Desk): Promise<string> {
  const groups = [...new Set(commands.map(({ group }) => group ?? ""))];
  const parts = [intro, index(commands)];
  for (const group of groups) {
    if (group !== "") parts.push(`## ${group}`);
    for (const command of commands.filter((each) => (each.group ?? "") === group)) {
      const usage = await usageOf(command.name, desk);
      parts.push(
        `${group === "" ? "##" : "###"} ${command.name}`,
        `${capital(command.summary)}.`,
        `\`\`\`text\n${usage}\n\`\`\``,
        `For example \`${exampleOf(command.name, usage)}\`.`,
      );
    }
  }
  return `${parts.join("\n\n")}\n`;
}

function index(commands: readonly ListedCommand[]): string {
  return commands.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`).join("\n");
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1).replace(/\.$/, "");
