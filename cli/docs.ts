// npm run docs: writes from the schema what is made of it: the docs of the config, and the arguments of components.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argsText } from "../config/args";
import { markdown, schemaText } from "../config/docs";
import { onionsprayMarkdown } from "../config/onionsprayDocs";

const root = join(__dirname, "..");

/** The files that are made from the schema: path from the root, and text. */
export function madeFiles(): { path: string; text: string }[] {
  return [
    { path: "docs/config.md", text: markdown() },
    { path: "docs/config.schema.json", text: schemaText() },
    { path: "docs/onionspray-settings.md", text: onionsprayMarkdown() },
    { path: "components/settings.ts", text: argsText() },
  ];
}

/** Paths of the made files that are not what the schema says now. */
export function staleFiles(): string[] {
  return madeFiles().flatMap(({ path, text }) => (read(join(root, path)) === text ? [] : [path]));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

if (require.main === module) {
  const stale = staleFiles();
  mkdirSync(join(root, "docs"), { recursive: true });
  for (const { path, text } of madeFiles()) {
    writeFileSync(join(root, path), text);
    console.log(`${path}: ${stale.includes(path) ? "written" : "was right already"}`);
  }
}
