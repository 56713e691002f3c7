// How a value is written so that it stays one value. Every template belongs to one language and its `<%= %>` goes
// through that language's `value`, so a template cannot forget to quote. What a language cannot hold is refused.
import { networkOption, networkOptions } from "../plan/torNetwork";

/**
 * Text that is already written in a template's language. A function, because a model comes from JSON and JSON has
 * none: no value of a model can pass itself off as one.
 */
export type Token = () => string;

/** A language that templates are written in. */
export interface Language {
  /** What people call a file in it, for messages. */
  readonly name: string;
  /** A text as one value. Throws {@link unfit} for what the language cannot hold. */
  readonly value: (text: string) => string;
  /** What its templates can call besides. */
  readonly helpers: Readonly<Record<string, (...values: never[]) => Token>>;
}

/** The error for a value that does not fit in its place; the renderer adds where the value is from. */
export function unfit(value: unknown, reason: string): Error {
  return Object.assign(new Error(reason), { unfit: true, value });
}

function noControls(text: string, file: string): string {
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) {
    throw unfit(text, `it has a line break or another control character, which ${file} cannot hold in a value`);
  }
  // A lone surrogate has no UTF-8: it would arrive as another character.
  if (/\p{Cs}/u.test(text)) throw unfit(text, "it is not well-formed Unicode");
  return text;
}

function ascii(text: string, file: string): string {
  if (/[^ -~]/.test(noControls(text, file)))
    throw unfit(text, `it has a character outside ASCII, which ${file} cannot hold`);
  return text;
}

/** A name that becomes part of paths and units: a-z, 0-9 and inner hyphens. */
export function identifier(text: string): string {
  if (typeof text !== "string" || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text)) {
    throw unfit(text, "it is not a name of a-z, 0-9 and hyphens between them");
  }
  return text;
}

/** A host name in lower case ASCII, underscores included: real sites have them. */
export function hostName(text: string): string {
  if (
    typeof text !== "string" ||
    !/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(text)
  ) {
    throw unfit(text, "it is not a host name in lower case (a-z, 0-9, hyphens, dots; other alphabets as xn--)");
  }
  return text;
}

/** A network in CIDR form; whether it is a sensible one is for the config to say. */
export function network(text: string): string {
  if (typeof text !== "string" || !/^[0-9a-f.:]+\/[0-9]{1,3}$/i.test(text))
    throw unfit(text, "it is not a network in CIDR form");
  return text;
}

/** `<56 characters>.onion`; whether the checksum is right is for the config to say. */
export function onionName(text: string): string {
  if (typeof text !== "string" || !/^[a-z2-7]{56}\.onion$/.test(text))
    throw unfit(text, "it is not a v3 onion address");
  return text;
}

// nginx: ngx_conf_read_token. In double quotes only \" \\ \t \r \n are special; "$" begins a variable in most
// directives and nothing escapes it, so a value never has one.
function nginxQuoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

function nginxValue(text: string): string {
  noControls(text, "nginx.conf");
  if (text.includes("$")) throw unfit(text, 'it has a "$": nginx takes it for a variable and cannot escape it');
  if (text.startsWith("~")) throw unfit(text, 'it begins with "~": nginx would take it for a regular expression');
  return /^[A-Za-z0-9._/:=,@+-]+$/.test(text) ? text : nginxQuoted(text);
}

/**
 * nginx.conf; templates also have `str` (text with $variables of the template's own), `re` (regular
 * expression), `words` and `lua`.
 */
export const nginx: Language = {
  name: "nginx.conf",
  value: nginxValue,
  helpers: {
    // str`https://\${sub}${domain}`: the template's own text may name variables, a value may not.
    str: (parts: TemplateStringsArray, ...values: string[]): Token => {
      const text = parts.map((part, at) => (at === 0 ? "" : checkedNginx(values[at - 1])) + part).join("");
      return () =>
        /^[A-Za-z0-9._/:=,@+${}-]+$/.test(text) && !/[{}]/.test(text.replaceAll(/\$\{\w+\}/g, ""))
          ? text
          : nginxQuoted(text);
    },
    // re`~^(?<sub>.+\.)?${domain}$`: a value means itself, whatever characters it has.
    re: (parts: TemplateStringsArray, ...values: string[]): Token => {
      const text = parts.raw.map((part, at) => (at === 0 ? "" : regexLiteral(values[at - 1])) + part).join("");
      return () => nginxQuoted(text);
    },
    words: (texts: readonly string[]): Token => {
      const words = texts.map(nginxValue);
      return () => words.join(" ");
    },
    // A text, number, list or object as a value in a *_by_lua_block.
    lua: (value: unknown): Token => {
      const text = luaValue(value, "            ");
      return () => text;
    },
  },
};

/**
 * A value as Lua writes it. Texts byte by byte where they are not ASCII: Lua knows no Unicode, and what is in a block must not
 * depend on how nginx reads the file. The keys of an object keep their order.
 */
function luaValue(value: unknown, indent: string): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "string") return luaString(value);
  if (typeof value !== "object" || value === null) throw unfit(value, "it is no value that Lua has");
  const inner = `${indent}    `;
  const entries = Array.isArray(value)
    ? value.map((each) => luaValue(each, inner))
    : Object.entries(value).map(([key, each]) => `${luaKey(key)} = ${luaValue(each, inner)}`);
  if (entries.length === 0) return "{}";
  // By what it is and not by its length: a longer text is then a diff of one line.
  const short =
    entries.length <= (Array.isArray(value) ? 1 : 3) && Object.values(value).every((each) => typeof each !== "object");
  return short ? `{ ${entries.join(", ")} }` : `{\n${entries.map((entry) => `${inner}${entry},\n`).join("")}${indent}}`;
}

/** Plain where it is a name; Lua's words and all else in brackets. */
function luaKey(key: string): string {
  const word =
    /^(and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|then|true|until|while)$/;
  return /^[A-Za-z_]\w*$/.test(key) && !word.test(key) ? key : `[${luaString(key)}]`;
}

function luaString(text: string): string {
  if (/\p{Cs}/u.test(text)) throw unfit(text, "it is not well-formed Unicode");
  const bytes = [...Buffer.from(text)].map((byte) =>
    byte < 32 || byte > 126 ? `\\${String(byte).padStart(3, "0")}` : String.fromCharCode(byte).replace(/["\\]/, "\\$&"),
  );
  return `"${bytes.join("")}"`;
}

function checkedNginx(text: unknown): string {
  if (typeof text !== "string") throw unfit(text, "it is missing");
  nginxValue(text.replace(/^~/, ""));
  return text;
}

/** A text as a PCRE that matches that text alone. */
export function regexLiteral(text: unknown): string {
  if (typeof text !== "string") throw unfit(text, "it is missing");
  return noControls(text, "nginx.conf").replaceAll(/[.*+?^${}()|[\]\\/#-]/g, "\\$&");
}

// torrc: tor's parse_config_line_from_str_verbose. A value that begins with a double quote is a C string to its
// closing quote; any other ends at "#" or the end of the line.
function torrcValue(text: string): string {
  ascii(text, "torrc");
  return /^[A-Za-z0-9._/:=,+@*-]+( [A-Za-z0-9._/:=,+@*-]+)*$/.test(text)
    ? text
    : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** torrc and ob_config: `<%= %>` writes the whole value of an option; `option` a line of a private network. */
export const torrc: Language = {
  name: "torrc",
  value: torrcValue,
  helpers: {
    // One more option, but only those that say which network this is: never one that would open a port or a file.
    option: (line: string): Token => {
      const option = networkOption(ascii(line, "torrc"));
      if (option === undefined) {
        throw unfit(line, `it is not one of the options of a private network (${networkOptions})`);
      }
      return () => `${option.keyword} ${torrcValue(option.value)}`;
    },
    onion: (text: string): Token => {
      const address = onionName(text);
      return () => address;
    },
  },
};

/** YAML as PyYAML reads it: every text a double-quoted scalar in ASCII. */
export const yaml: Language = {
  name: "YAML",
  value: (text) => {
    if (/\p{Cs}/u.test(text)) throw unfit(text, "it is not well-formed Unicode");
    if (text.includes("\0")) throw unfit(text, "it has a NUL character");
    const hex = (character: string, digits: number): string =>
      (character.codePointAt(0) ?? 0).toString(16).padStart(digits, "0");
    return JSON.stringify(text).replaceAll(/[^ -~]/gu, (character) =>
      character.length > 1 ? `\\U${hex(character, 8)}` : `\\u${hex(character, 4)}`,
    );
  },
  helpers: {},
};

/** A Python program: a value is a string literal. JSON's escapes mean the same there, and so do YAML's \u and \U. */
export const python: Language = { name: "Python", value: yaml.value, helpers: {} };

/** systemd units, systemd.syntax(7) and systemd.service(5): one word of an Exec line; `spec` keeps %i and its like. */
export const systemd: Language = {
  name: "a systemd unit",
  value: (text) => {
    const escaped = ascii(text, "a systemd unit")
      .replaceAll("\\", "\\\\")
      .replaceAll("%", "%%")
      .replaceAll("$", "$$$$");
    return /^[A-Za-z0-9._/:@%+-][A-Za-z0-9._/:=,@%+-]*$/.test(escaped)
      ? escaped
      : `"${escaped.replaceAll('"', '\\"')}"`;
  },
  helpers: {
    // For our own paths with %i in them, never for a value of a config.
    spec: (text: string): Token => {
      if (!/^[a-z0-9_./@%-]+$/.test(text)) throw unfit(text, "it is not a path of ours");
      return () => text;
    },
  },
};

/** Files of the machine's own programs, in languages of their own: a value is one word of harmless characters, else it is refused. */
export const plain: Language = {
  name: "a file of the machine",
  value: (text) => {
    if (!/^[A-Za-z0-9._/:@*-]+$/.test(text)) throw unfit(text, "it is not one plain word");
    return text;
  },
  helpers: {},
};
