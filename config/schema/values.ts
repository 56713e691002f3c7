// Values that several settings have in common: texts, paths, URLs, sizes, MIME types, headers.
import { z } from "zod";
import { type Fault, type KeyMeta, text } from "./check";
import { domainFault } from "./domain";

/** A list of one kind of value. */
export function list<Item extends z.ZodType>(item: Item, meta: Omit<KeyMeta, "pattern">) {
  return z.array(item).meta({ ...meta });
}

/** true or false. */
export function flag(description: string, example: boolean) {
  return z.boolean().meta({ description, examples: [example] });
}

/** One of a few words or numbers. */
export function choice<const Values extends readonly [string | number, ...(string | number)[]]>(
  values: Values,
  meta: Omit<KeyMeta, "pattern">,
) {
  return z.literal(values).meta({ ...meta });
}

/** What is wrong with a text that stands in one line. */
export function lineFault(value: string): Fault | undefined {
  if (value === "") return { message: "The text is empty.", next: "Write it, or remove the entry." };
  if (/\p{Cc}/u.test(value))
    return { message: "There is a line break or another control character in it.", next: "Remove it." };
  if (/\p{Cs}/u.test(value)) return { message: "It is not Unicode: half a character is in it.", next: "Correct it." };
  return undefined;
}

/** What is wrong with a text that is sent as an answer: it may have several lines. */
export function bodyFault(value: string): Fault | undefined {
  return lineFault(value.replaceAll(/[\n\t]/g, " "));
}

/** What is wrong with a path that requests are compared with. */
export function pathFault(path: string): Fault | undefined {
  const fault = lineFault(path);
  if (fault) return fault;
  if (path.startsWith("/")) return undefined;
  const url = URL.canParse(path) ? new URL(path).pathname : undefined;
  return { message: "A path begins with /.", next: `Write ${url ?? `/${path}`}.` };
}

/** What is wrong with a path that the proxy answers itself: no query, nothing that a browser would write otherwise. */
export function ownPathFault(path: string): Fault | undefined {
  const fault = pathFault(path);
  if (fault) return fault;
  if (path === "/") return { message: "This is the whole site.", next: "Choose a path of its own, e.g. /enter." };
  if (/^[A-Za-z0-9/._~!$&'()*+,;=:@%-]+$/.test(path)) return undefined;
  return {
    message: "A path here has the characters of a URL's path only, without ? and #.",
    next: "Write it as it stands in the address bar, e.g. /.well-known/pki-validation/.",
  };
}

/** What is wrong with an absolute URL of the web. */
export function urlFault(given: string): Fault | undefined {
  const fault = lineFault(given);
  if (fault) return fault;
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) {
    return { message: "This is not an absolute URL.", next: "Write it with its scheme, e.g. https://www.example.org." };
  }
  const url = new URL(given);
  if (url.username !== "" || url.password !== "")
    return { message: "There is a login in the URL.", next: "Remove what stands before the @." };
  if (/[^\x21-\x7e]|["\\^`{|}<>]/.test(given))
    return { message: "There is a character in it that a URL cannot have.", next: `Write ${url.href}` };
  return undefined;
}

/** What is wrong with the value of an Origin header: scheme and host, nothing after them. */
export function originFault(given: string): Fault | undefined {
  if (given === "null") return undefined;
  const fault = urlFault(given);
  if (fault) return fault;
  const { origin } = new URL(given);
  if (origin === given) return undefined;
  return { message: "An origin is a scheme and a host only.", next: `Write ${origin}.` };
}

/** What is wrong with a header's value, besides that it is empty. */
export function headerValueFault(value: string): Fault | undefined {
  const fault = value === "" ? undefined : lineFault(value);
  if (fault) return fault;
  if (value !== value.trim()) return { message: "It begins or ends with a blank.", next: "Remove the blank." };
  return undefined;
}

const mime = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

/** What is wrong with a MIME type, e.g. `Text/HTML; charset=utf-8`. */
export function mimeFault(type: string): Fault | undefined {
  if (mime.test(type)) return undefined;
  const bare = (type.split(";")[0] ?? "").trim().toLowerCase();
  if (mime.test(bare)) {
    const what = type.includes(";") ? "A type stands here without parameters." : "A type is written in small letters.";
    return { message: what, next: `Write ${bare}.` };
  }
  return { message: "This is not a MIME type: type/subtype, no wildcards.", next: "Write e.g. text/vtt." };
}

export const mimeType = text(mimeFault, {
  description: "A MIME type.",
  examples: ["text/vtt"],
  pattern: "^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
});

export const hostText = text(domainFault, {
  description: "A domain: of a site, or below it.",
  examples: ["live.example.org"],
  pattern: "^[a-z0-9_-]+(\\.[a-z0-9_-]+)+$",
});

const bytesPer = { "": 1, k: 1024, m: 1024 * 1024 } as const;
const sizeForm = /^([0-9]{1,9})([km]?)$/;

/** Bytes of a size such as `16k`; undefined where it is none. */
export function bytesOf(size: string): number | undefined {
  const [, number, unit] = sizeForm.exec(size) ?? [];
  return number === undefined ? undefined : Number(number) * bytesPer[unit as keyof typeof bytesPer];
}

/** A size as nginx has it, between two sizes. */
export function size(least: string, most: string, meta: Omit<KeyMeta, "pattern" | "unit">) {
  const check = (given: string): Fault | undefined => {
    const bytes = bytesOf(given);
    if (bytes === undefined) {
      return {
        message: "A size is a whole number of bytes, or of k or m.",
        next: `Write it like ${String(meta.examples[0])}.`,
      };
    }
    if (bytes >= (bytesOf(least) ?? 0) && bytes <= (bytesOf(most) ?? Infinity)) return undefined;
    return {
      message: `It must be from ${least} to ${most}.`,
      next: `Choose a size there, e.g. ${String(meta.examples[0])}.`,
    };
  };
  return text(check, { unit: "bytes", ...meta, pattern: "^[0-9]{1,9}[km]?$" });
}
