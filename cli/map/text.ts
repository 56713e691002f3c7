// Text in a picture: how wide it will be, how it is shortened, and how it is written so that it is text and nothing else.

/** Widths of DejaVu Sans, thousandths of the font's size: the widest of the fonts that the picture asks for, so that the others fit too. */
const widths: Readonly<Record<string, number>> = {
  ...{ a: 613, b: 635, c: 550, d: 635, e: 615, f: 352, g: 635, h: 634, i: 278, j: 278, k: 579, l: 278, m: 974 },
  ...{ n: 634, o: 612, p: 635, q: 635, r: 411, s: 521, t: 392, u: 634, v: 592, w: 818, x: 592, y: 592, z: 525 },
  ...{ A: 684, B: 686, C: 698, D: 770, E: 632, F: 575, G: 775, H: 752, I: 295, J: 295, K: 656, L: 557, M: 863 },
  ...{ N: 748, O: 787, P: 603, Q: 787, R: 695, S: 635, T: 611, U: 732, V: 684, W: 989, X: 685, Y: 611, Z: 685 },
  ...{ " ": 318, "-": 361, ".": 318, ",": 318, ":": 337, "/": 337, _: 500, "·": 318, "…": 1000, "!": 401, "'": 275 },
  ...{ "(": 390, ")": 390, ";": 337, "?": 531, "|": 337, "[": 390, "]": 390 },
};
const digit = 636;
/** Of any other character of ASCII, and of one that is none: both wider than most are. */
const other = { ascii: 1000, beyond: 1300 };
/** Bold letters are wider. */
const boldness = 1.13;

/** How a text is set. */
export interface Font {
  /** Pixels. */
  readonly size: number;
  /** @default false */
  readonly bold?: boolean;
}

/** Width of a text in pixels, rather too wide than too narrow. */
export function widthOf(text: string, { size, bold = false }: Font): number {
  let sum = 0;
  for (const letter of text) sum += widthOfLetter(letter);
  return (sum / 1000) * size * (bold ? boldness : 1);
}

function widthOfLetter(letter: string): number {
  if (letter >= "0" && letter <= "9") return digit;
  return (Object.hasOwn(widths, letter) ? widths[letter] : undefined) ?? (letter <= "~" ? other.ascii : other.beyond);
}

/** Whether all of its characters have a known width; a text that has others is drawn squeezed to what was reckoned. */
export function isPlain(text: string): boolean {
  return /^[ -~·…]*$/.test(text);
}

/**
 * The text, or as much of its beginning and end as there is room for, with an ellipsis between them: of names that are alike the ends differ.
 * @example fitted("averylongname.example.org", 60, { size: 12 }) // "ave…org"
 */
export function fitted(text: string, room: number, font: Font): string {
  const plain = legible(text);
  if (widthOf(plain, font) <= room) return plain;
  const letters = [...plain];
  let low = 0;
  let high = letters.length - 1;
  const cut = (kept: number): string => {
    const tail = Math.floor(kept / 2);
    return `${letters.slice(0, kept - tail).join("")}…${letters.slice(letters.length - tail).join("")}`;
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (widthOf(cut(middle), font) <= room) low = middle;
    else high = middle - 1;
  }
  return widthOf(cut(low), font) <= room ? cut(low) : "";
}

/** The text in one line. What XML cannot hold, or turns the order of what is around it, is shown as U+FFFD. */
export function legible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\p{Cc}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufffe\uffff\ufeff]/gu, "\ufffd");
}

/** For XML and HTML, between tags and in attributes. */
export function escaped(text: string): string {
  return legible(text).replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? "");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
