// The stack's file: what an import writes, beside what stands there already.
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type Document, isMap, parseDocument, stringify } from "yaml";
import type { Keys } from "./build";
import type { Fault } from "./entry";
import { firstThere } from "./install";
import { isFault, reasonOf, readText } from "./source";

/** As a stack's file has them; texts that older YAML takes for something else are quoted. */
const style = { lineWidth: 0, compat: "yaml-1.1" } as const;

/** The keys of a config with their namespace. */
export const namespaced = (config: Keys): Keys =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [`softmap:${key}`, value]));

/** A stack's file with nothing but this config. */
export function stackText(config: Keys): string {
  return stringify({ config: namespaced(config) }, style);
}

/** The text to write into a file, or why it may not be. What Pulumi keeps there (how secrets are encrypted) stays as it is. */
export function textFor(file: string, config: Keys, force: boolean): string | Fault {
  if (firstThere([file]) === undefined) return stackText(config);
  const text = readText(file);
  if (isFault(text)) return text;
  const document: Document = parseDocument(text);
  const unusable = document.errors.length > 0 || (document.contents !== null && !isMap(document.contents));
  if (unusable) {
    const next = "Name another file with --out, or move this one away.";
    return { file, what: "stack's file", why: "It is there already, and is no YAML of a stack.", next };
  }
  const given = document.toJS({ maxAliasCount: 100 }) as { config?: Keys } | null;
  const own = Object.keys(given?.config ?? {}).some((key) => key.startsWith("softmap:"));
  if (own && !force) {
    const why = "It is there already, with a config of softmap in it.";
    const next = "Name another file with --out; or --force, to replace what is imported and leave the rest.";
    return { file, what: "stack's file", why, next };
  }
  for (const [key, value] of Object.entries(namespaced(config)))
    document.setIn(["config", key], document.createNode(value));
  return document.toString(style);
}

/** Writes a file as a whole or not at all. `force`: one that is there gives way. */
export function writeWhole(file: string, text: string, replace: boolean): Fault | undefined {
  const fresh = `${file}.softmap-new-${process.pid}`;
  try {
    writeFileSync(fresh, text, { flag: "wx" });
    if (replace) renameSync(fresh, file);
    else linkSync(fresh, file);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = code === "EEXIST" ? "It is there already." : `It cannot be written: ${reasonOf(error)}.`;
    return { file, what: "stack's file", why, next: "Name another file with --out." };
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** `Pulumi.NAME.yaml` of a stack named as Pulumi takes it, also `org/project/name`. */
export const fileOfStack = (stack: string): string => `Pulumi.${stack.split("/").at(-1) ?? stack}.yaml`;
