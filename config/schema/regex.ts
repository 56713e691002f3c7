// Regular expressions that requests are compared with: PCRE, without regard to case. JavaScript's engine is the judge at hand.
import { type Fault, text } from "./check";
import { lineFault } from "./values";

/** What JavaScript says of an expression that does not compile; undefined of one that does. */
function reasonOf(expression: string): string | undefined {
  try {
    new RegExp(expression, "i");
    return undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return said.slice(said.lastIndexOf(": ") + 2).toLowerCase();
  }
}

/** The character, counted from 1, from which on the expression fails for this reason whatever follows. */
function whereFails(expression: string, reason: string): number {
  let length = expression.length;
  while (length > 1 && reasonOf(expression.slice(0, length - 1)) === reason) length -= 1;
  return length;
}

/** What PCRE reads otherwise than JavaScript, or not at all. */
const foreign: readonly (readonly [RegExp, string, string])[] = [
  [/\[\^?\]/, "an empty class []", "Write the characters into it, or (?!) for what never matches."],
  [/\\[uULlN]/, "an escape unknown to PCRE", "Write \\x{20ac} for a character by its number."],
  [/\\c(?![A-Za-z])/, "\\c without its letter", "Write the character itself, or \\x and its number."],
];

/** What is wrong with a regular expression: it does not compile, or it matches everything. */
export function regexFault(expression: string): Fault | undefined {
  const fault = lineFault(expression);
  if (fault) return fault;
  const reason = reasonOf(expression);
  if (reason !== undefined) {
    const at = whereFails(expression, reason);
    return {
      message: `This is not a regular expression: ${reason}, at character ${at} (${expression.slice(at - 1, at + 9)}).`,
      next: "Correct it there; a character that is meant as such has a backslash in front.",
    };
  }
  const pairs = expression.replaceAll(/\\\\/g, "__");
  for (const [form, what, next] of foreign) if (form.test(pairs)) return { message: `There is ${what} in it.`, next };
  const matches = new RegExp(expression, "i");
  // "^$" means the empty text alone and is right; "a*" is in every text.
  if (matches.test("") && matches.test("\u{1f9c5}"))
    return { message: "It matches everything.", next: "Say what it must contain, e.g. ^/admin(/|$)." };
  return undefined;
}

export const regex = text(regexFault, {
  description: "A regular expression, found anywhere in the text unless it has ^ and $; capitals do not matter.",
  examples: ["^/admin(/|$)"],
});
