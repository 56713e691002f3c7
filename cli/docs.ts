// npm run docs: writes docs/config.md and docs/config.schema.json from the schema.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markdown, schemaText } from "../config/docs";

const root = join(__dirname, "..");

/** The files that are made from the schema: path from the root, and text. */
export function madeFiles(): { path: string; text: string }[] {
  return [
    { path: "docs/config.md", text: markdown() },
    { path: "docs/config.schema.json", text: schemaText() },
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
