// npm run docs: writes what is made of other sources: the docs of the config, of the components and of the commands, and the arguments of components.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argsText } from "../config/args";
import { markdown, schemaText } from "../config/docs";
import { onionsprayMarkdown } from "../config/onionsprayDocs";
import { commandsMarkdown } from "./docsCommands";
import { componentsMarkdown } from "./docsComponents";
import { commands, main } from "./main";

const root = join(__dirname, "..");

/** A file that is made: its path from the root, and what makes its text. */
export interface MadeFile {
  readonly path: string;
  readonly text: () => string | Promise<string>;
}

/** The files that are made, in the order in which they may be: the arguments of components before their docs. */
export const madeFiles: readonly MadeFile[] = [
  { path: "docs/config.md", text: markdown },
  { path: "docs/config.schema.json", text: schemaText },
  { path: "docs/onionspray-settings.md", text: onionsprayMarkdown },
  { path: "components/settings.ts", text: argsText },
  { path: "docs/components.md", text: () => componentsMarkdown() },
  { path: "docs/commands.md", text: () => commandsMarkdown(commands, main) },
];

/** Paths of the made files that are not what their sources say now. */
export async function staleFiles(files: readonly MadeFile[] = madeFiles, folder = root): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, text } of files) if (read(join(folder, path)) !== (await text())) stale.push(path);
  return stale;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Writes each file that is not right, and says of each how it was. One that cannot be made is named, and the others are made all the same: then false. */
export async function writeFiles(
  say: (line: string) => void,
  files: readonly MadeFile[] = madeFiles,
  folder = root,
): Promise<boolean> {
  let good = true;
  for (const { path, text } of files) {
    try {
      const made = await text();
      const right = read(join(folder, path)) === made;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      if (!right) writeFileSync(join(folder, path), made);
      say(`${path}: ${right ? "was right already" : "written"}`);
    } catch (error) {
      good = false;
      say(`${path}: cannot be made: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return good;
}

if (require.main === module) {
  void writeFiles(console.log).then((good) => {
    process.exitCode = good ? 0 : 1;
  });
}
