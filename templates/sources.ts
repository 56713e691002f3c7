import { readFileSync } from "node:fs";
import { join } from "node:path";
import { templates, type Sources, type TemplateName } from "./index";

/** Reads a template's text and its parts from beside this file: the only place in templates/ that touches the disk. */
export function readSources(name: TemplateName): Sources {
  return Object.fromEntries(
    templates[name].sources.map((source) => [source, readFileSync(join(__dirname, `${source}.ejs`), "utf8")]),
  );
}
