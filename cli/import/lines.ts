// Lines of an Onionspray or EOTK config: comments, continued lines, words, %NAME%.
import type { At, Fault } from "./entry";
import { shown } from "./entry";

/** One directive, its continued lines joined. `line` is where it begins. */
export interface Directive extends At {
  readonly line: number;
  readonly words: readonly string[];
  /** Whether there is a %NAME% in it that could not be filled, so that its words are not what would run. */
  readonly open: boolean;
}

/** Stands where `%NEW_V3_ONION%` asks for a new address. */
export const newOnion = "%NEW_V3_ONION%";

/** In characters, with the lines that continue it. */
const longestLine = 1 << 16;

/** What `%NAME%` stands for: only a `.tconf` has it filled. */
export interface Names {
  readonly template: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The directives of a text, and what is wrong with its form. Never throws. */
export function directivesOf(text: string, file: string, names: Names): { directives: Directive[]; faults: Fault[] } {
  const directives: Directive[] = [];
  const faults: Fault[] = [];
  let begun: { line: number; parts: string[] } | undefined;
  const end = (): void => {
    if (begun === undefined) return;
    const { line } = begun;
    const length = begun.parts.reduce((sum, part) => sum + part.length + 1, 0);
    if (length > longestLine) {
      const why = `It has ${length} characters; no directive has more than ${longestLine}.`;
      faults.push({ file, line, what: "long line", why, next: "Split it, or remove what does not belong there." });
      begun = undefined;
      return;
    }
    const filled = fill(begun.parts.join(" "), { file, line }, names);
    faults.push(...filled.faults);
    const words = filled.text.split(/[ \t\v\f]+/).filter((word) => word !== "");
    if (words.length > 0) directives.push({ file, line, words, open: filled.faults.length > 0 });
    begun = undefined;
  };
  text.split(/\r\n|\n|\r/).forEach((whole, i) => {
    const part = whole.trim();
    // A comment that stands between continued lines is none there: only a line of its own is.
    if (begun === undefined && (part === "" || part.startsWith("#"))) return;
    begun ??= { line: i + 1, parts: [] };
    let backslashes = 0;
    while (part.at(-1 - backslashes) === "\\") backslashes += 1;
    const goesOn = backslashes % 2 === 1;
    begun.parts.push(goesOn ? part.slice(0, -1).trim() : part);
    if (!goesOn) end();
  });
  if (begun !== undefined) {
    const { line } = begun as { line: number };
    faults.push({
      file,
      line,
      what: "hanging backslash",
      why: "The file ends in a backslash: the line goes on and does not.",
      next: "Remove the backslash at the end, or add what is missing. Onionspray does not read this file either.",
    });
    end();
  }
  return { directives, faults };
}

const old = ["NEW_ONION", "NEW_HARD_ONION", "NEW_SOFT_ONION"];

/** `%NAME%` filled as `onionspray config` does it. */
function fill(text: string, at: At, { template, env }: Names): { text: string; faults: Fault[] } {
  const faults: Fault[] = [];
  const filled = text.replaceAll(/%([A-Za-z_][A-Za-z0-9_]*)%/g, (whole, name: string) => {
    if (name === "NEW_V3_ONION") {
      if (template) return newOnion;
      faults.push({
        ...at,
        what: whole,
        why: "This is no template (.tconf), so that nothing is put in the place of names.",
        next: "Name it .tconf, or write the site's address there.",
      });
      return newOnion;
    }
    if (!template) return whole;
    if (old.includes(name)) {
      const why = "It asks for a v2 address: Tor no longer has those.";
      faults.push({ ...at, what: whole, why, next: `Write ${newOnion}: the site gets a new v3 address.` });
      return whole;
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (value !== undefined && !/[\r\n]/.test(value)) return value;
    faults.push({
      ...at,
      what: shown(whole),
      why: "Onionspray takes it from the environment, and there it is not.",
      next: `Write its value into the file, or set it for this call: ${shown(name)}=... npx softmap import onionspray ...`,
    });
    return whole;
  });
  return { text: filled, faults };
}
