/** Kinds of page, by the name of their file: bytes, and in how many paragraphs of how many there is a link. */
export const PAGES = {
  "1k": { size: 1e3, links: [3, 10] },
  "100k": { size: 1e5, links: [3, 10] },
  "100k-few": { size: 1e5, links: [1, 17] },
  "10m": { size: 1e7, links: [3, 10] },
} as const;
export type Page = keyof typeof PAGES;
export const pages = Object.keys(PAGES) as Page[];

/** What 200 readers download at a time: with ordinary lines, and all in one line. */
export const LONG = { "100m": "lines", "100m-line": "one single line" } as const;

/** HTML of words, some paragraphs with a link to one of the domains. The same text in every run. */
export function page(name: Page, domains: readonly string[]): string {
  const { size, links } = PAGES[name];
  const [some, of] = links;
  let seed = 4;
  // the lower bits of such a sequence repeat early
  const next = (below: number): number => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 8) % below;
  const words = "the of and news page article section header link class div span example world wide web".split(" ");
  let text = "<!doctype html><html><body>";
  while (text.length < size) {
    const said = Array.from({ length: 25 }, () => words[next(words.length)]).join(" ");
    const domain = domains[next(domains.length)] ?? "";
    const link = next(of) < some ? `<a href="https://${domain}/x/${next(999)}">link</a>` : "";
    text += `<div class="c${next(99)}"><p>${said}</p>${link}</div>\n`;
  }
  return text.slice(0, size);
}

/** Shell that makes the pages of 100 MB from the one of 10 MB, in its folder. */
export const longPages =
  "for n in 0 1 2 3 4 5 6 7 8 9; do cat 10m.html; done >100m.html; tr '\\n' ' ' <100m.html >100m-line.html";
