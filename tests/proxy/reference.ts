/**
 * What the proxy's matcher means, written a second time and with other means: over a whole text, character by character, without any
 * thought of speed or of pieces. Texts are bytes as latin1.
 */

export interface NameRule {
  readonly from: string;
  readonly to: string;
  readonly scheme?: "plain" | "tls";
}

export interface Rules {
  readonly hosts?: readonly NameRule[];
  readonly keep?: readonly string[];
  readonly texts?: readonly { readonly from: string; readonly to: string }[];
  readonly emails?: boolean;
}

/** How the dots of a name may be written. */
export const DOTS = [".", "\\.", "\\\\.", "\\\\\\.", "%2e", "%252e", "\\u002e"];

// a name with its labels, and a user with password, that are longer than this are none
const HOST_MAX = 400;
const USER_MAX = 128;

const HOST = /^[A-Za-z0-9_-]$/;
/** Labels that a script fills in, as {s} or ${zone}, are names all the same. */
const PLACE = /^[A-Za-z0-9_{}$-]$/;
const ALNUM = /^[A-Za-z0-9]$/;
const USER = /^[A-Za-z0-9_.~!$&*+=:%-]$/;

/** Expression for all spellings of a character. */
const spellings = (raw: string, hex: string): string =>
  String.raw`(?:\\{0,3}${raw}|%(?:25){0,4}${hex}|\\{1,3}u00${hex}|\\{1,3}x${hex})`;
const DOT = spellings("\\.", "2e");
const COLON = spellings(":", "3a");
const CLOSED = new RegExp(`^(?:${DOT})?[A-Za-z0-9_-]`, "i");
const PORT = {
  plain: new RegExp(`^${COLON}443(?![0-9])`, "i"),
  tls: new RegExp(`^${COLON}80(?![0-9])`, "i"),
};
const SCHEME = { plain: /^(https|wss)$/i, tls: /^(http|ws)$/i };

const HEX = "[0-9A-Fa-f]";
// the last character of a text in any spelling; the expression finds the longest, because it finds the first
const LAST = new RegExp(
  String.raw`(?:%(?:25){0,4}(${HEX}{2})|\\{1,3}[uU](${HEX}{4})|\\{1,3}[xX](${HEX}{2})|\\{1,3}([nrt])|\\{0,3}([./:@])|(&#64;|&#[xX]40;|&[cC][oO][mM][mM][aA][tT];)|([^]))$`,
);

interface Last {
  readonly char: string;
  readonly start: number;
}

/** The character in front of a place, decoded, and where its spelling begins; empty at the text's start. */
function last(text: string, end: number): Last {
  const found = LAST.exec(text.slice(Math.max(0, end - 11), end));
  if (!found) return { char: "", start: end };
  const [all, percent, unicode, hex, control, raw, at, other] = found;
  const code = percent ?? unicode ?? hex;
  const char = code !== undefined ? String.fromCharCode(parseInt(code, 16)) : control ? " " : at ? "@" : (raw ?? other);
  return { char: char ?? "", start: end - all.length };
}

/** Where the whole host name begins whose last labels begin at `start`; undefined when it is too long for one. */
function hostStart(text: string, start: number): number | undefined {
  let begin = start;
  let previous = "label";
  for (;;) {
    const { char, start: next } = last(text, begin);
    const isDot = char === "." && previous !== ".";
    const isStar = char === "*" && previous === ".";
    if (!PLACE.test(char) && !isDot && !isStar) return begin;
    if (start - next > HOST_MAX) return undefined;
    begin = next;
    if (isStar) return begin;
    previous = char;
  }
}

/** Where user and password begin in front of an @, when two slashes stand before them: else it is an e-mail address. */
function userStart(text: string, at: number): number | undefined {
  let begin = at;
  for (;;) {
    const { char, start } = last(text, begin);
    if (char === "/") return last(text, start).char === "/" ? begin : undefined;
    if (!USER.test(char) || at - start > USER_MAX) return undefined;
    begin = start;
  }
}

/** The scheme to change in front of a URL's host or user. */
function schemeAt(text: string, begin: number, kind: "plain" | "tls"): { start: number; end: number } | undefined {
  let end = begin;
  for (const wanted of "//:") {
    const { char, start } = last(text, end);
    if (char !== wanted) return undefined;
    end = start;
  }
  for (let length = 2; length <= 5; length++) {
    const start = end - length;
    if (start >= 0 && SCHEME[kind].test(text.slice(start, end)) && !ALNUM.test(last(text, start).char))
      return { start, end };
  }
  return undefined;
}

const opens = (text: string, start: number) => !HOST.test(last(text, start).char);
const closes = (text: string, end: number) => !CLOSED.test(text.slice(end, end + 16));
const startsWith = (text: string, start: number, part: string) =>
  text.slice(start, start + part.length).toLowerCase() === part.toLowerCase();

/** What replaces the text from `start` to `end`; undefined: the rule does not hold here. */
interface Replaced {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Where the last replacement ended: no scheme is looked for in it. */
  readonly floor: number;
}

function replaceName({ text, start, end, floor }: Place, rule: NameRule, emails: boolean): Replaced | undefined {
  if (!opens(text, start) || !closes(text, end)) return undefined;
  const matched = text.slice(start, end);
  const dot = new RegExp(DOT, "i").exec(matched)?.[0] ?? ".";
  const by = rule.to.split(".").join(dot);

  let begin = hostStart(text, start);
  if (begin !== undefined) {
    const front = last(text, begin);
    if (front.char === "@") {
      begin = userStart(text, front.start);
      if (begin === undefined && !emails) return undefined;
    }
  }
  const scheme = begin !== undefined && rule.scheme ? schemeAt(text, begin, rule.scheme) : undefined;
  if (!rule.scheme || !scheme || scheme.start < floor) return { start, end, by };
  const written = text.slice(scheme.start, scheme.end);
  const changed = rule.scheme === "plain" ? written.slice(0, -1) : written + (/[A-Z]$/.test(written) ? "S" : "s");
  const port = PORT[rule.scheme].exec(text.slice(end))?.[0].length ?? 0;
  return { start: scheme.start, end: end + port, by: changed + text.slice(scheme.end, start) + by };
}

/** Rewrites a whole text. */
export function reference(rules: Rules, text: string, html: boolean): string {
  type Try = (floor: number) => Replaced | undefined;
  const at = (start: number): Try[] => {
    const found: { length: number; rank: number; attempt: Try }[] = [];
    const add = (part: string, rank: number, attempt: Try) => {
      if (startsWith(text, start, part)) found.push({ length: part.length, rank, attempt });
    };
    for (const keep of rules.keep ?? []) {
      const end = start + keep.length;
      add(keep, 1, () => {
        const open = !HOST.test(keep[0] ?? "") || opens(text, start);
        const close = !HOST.test(keep.at(-1) ?? "") || closes(text, end);
        return open && close ? { start, end, by: text.slice(start, end) } : undefined;
      });
    }
    for (const rule of rules.hosts ?? []) {
      for (const dot of rule.from.includes(".") ? DOTS : ["."]) {
        const part = rule.from.split(".").join(dot);
        add(part, 2, (floor) =>
          replaceName({ text, start, end: start + part.length, floor }, rule, rules.emails ?? false),
        );
      }
    }
    for (const { from, to } of html ? (rules.texts ?? []) : []) {
      add(from, 3, () => ({ start, end: start + from.length, by: to }));
    }
    return found.sort((a, b) => b.length - a.length || a.rank - b.rank).map(({ attempt }) => attempt);
  };

  let out = "";
  let floor = 0;
  for (let i = 0; i < text.length;) {
    let replaced: Replaced | undefined;
    for (const attempt of at(i)) {
      replaced = attempt(floor);
      if (replaced) break;
    }
    if (replaced) {
      out += text.slice(floor, replaced.start) + replaced.by;
      floor = i = replaced.end;
    } else {
      i++;
    }
  }
  return out + text.slice(floor);
}
