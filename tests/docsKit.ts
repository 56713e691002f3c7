// Pages of Markdown, as far as the tests of the docs look at them: blocks, links, anchors, and words in backticks, each with its line.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A page: its path from the root, and what is on it. */
export interface Page {
  readonly path: string;
  readonly blocks: readonly Block[];
  /** Targets of links and images. */
  readonly links: readonly At[];
  /** What stands in backticks in the text. */
  readonly code: readonly At[];
  /** Anchors of the headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

/** A text, and the line of its page that it begins on. */
export interface At {
  readonly text: string;
  readonly line: number;
}

/** A block of code. */
export interface Block extends At {
  /** The word after the fence; "" without one, and of an indented block. */
  readonly language: string;
}

/** What is wrong on a page. */
export interface Fault {
  readonly page: string;
  readonly line: number;
  readonly message: string;
}

/** Faults as a test shows them, one a line. */
export const shown = (faults: readonly Fault[]): string[] =>
  faults.map(({ page, line, message }) => `${page}:${line}: ${message}`);

/** Paths of all files that git knows or would take, from the root. */
export function trackedFiles(...patterns: string[]): string[] {
  const list = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns],
    {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    },
  );
  return [...new Set(list.split("\0").filter((file) => file !== ""))].sort();
}

/** Every page of the repository. A file that is deleted in the working tree is none. */
export function allPages(): Page[] {
  return trackedFiles("*.md").flatMap((path) => {
    try {
      return parsePage(path, readFileSync(path, "utf8"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}

/** Reads a page. Throws for a fence that is never closed. */
export function parsePage(path: string, text: string): Page {
  const lines = text.replaceAll(/<!--[^]*?-->/g, (comment) => comment.replaceAll(/[^\n]/g, " ")).split("\n");
  const { blocks, prose } = split(path, lines);
  const paragraphs = paragraphsOf(prose);
  return {
    path,
    blocks,
    links: paragraphs.flatMap(linksIn),
    code: paragraphs.flatMap((paragraph) => codeIn(paragraph)),
    anchors: anchorsOf(prose),
  };
}

/** Blocks, and all other lines in their places; those of blocks are empty there. */
function split(path: string, lines: readonly string[]): { blocks: Block[]; prose: string[] } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  for (let at = 0; at < lines.length;) {
    const [, indent = "", fence = "", info = ""] = /^( *)(`{3,}|~{3,})([^`]*)$/.exec(lines[at] ?? "") ?? [];
    const inList = prose.findLast((line) => line.trim() !== "" && !line.startsWith("  "));
    if (fence !== "") {
      const end = lines.findIndex((line, i) => i > at && line.trim().startsWith(fence) && line.trim() === fence);
      if (end < 0) throw new Error(`${path}:${at + 1}: the block is never closed`);
      const body = lines.slice(at + 1, end).map((line) => line.replace(new RegExp(`^ {0,${indent.length}}`), ""));
      blocks.push({ language: info.trim(), text: body.join("\n"), line: at + 2 });
      prose.push(...lines.slice(at, end + 1).map(() => ""));
      at = end + 1;
    } else if (isIndented(lines, at) && !/^([-*+]|\d+\.) /.test(inList ?? "")) {
      let end = at;
      while (/^ {4}/.test(lines[end] ?? "")) end++;
      blocks.push({
        language: "",
        text: lines
          .slice(at, end)
          .map((line) => line.slice(4))
          .join("\n"),
        line: at + 1,
      });
      prose.push(...lines.slice(at, end).map(() => ""));
      at = end;
    } else prose.push(lines[at++] ?? "");
  }
  return { blocks, prose };
}

const isIndented = (lines: readonly string[], at: number): boolean =>
  /^ {4}\S/.test(lines[at] ?? "") && (lines[at - 1] ?? "").trim() === "";

/** Lines up to an empty one; each row of a table, since a backtick never reaches over it. */
function paragraphsOf(prose: readonly string[]): At[] {
  const found: { text: string; line: number }[] = [];
  let open = false;
  for (const [i, line] of prose.entries()) {
    const row = line.startsWith("|");
    const last = found.at(-1);
    if (line.trim() === "") open = false;
    else if (open && !row && last) last.text += `\n${line}`;
    else {
      found.push({ text: line, line: i + 1 });
      open = !row;
    }
  }
  return found;
}

const spans = /(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/gs;

function codeIn({ text, line }: At): At[] {
  return [...text.matchAll(spans)].map((match) => ({
    text: (match[2] ?? "")
      .replaceAll(/\s*\n\s*/g, " ")
      .replaceAll("\\|", "|")
      .trim(),
    line: line + linesIn(text.slice(0, match.index)),
  }));
}

function linksIn({ text, line }: At): At[] {
  const plain = text.replaceAll(spans, (code) => code.replaceAll(/[^\n]/g, "x"));
  const inline = plain.matchAll(/\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s]*)?)>?(?:\s+"[^"]*")?\s*\)/g);
  const named = plain.matchAll(/^ {0,3}\[[^\]]+\]:\s*(\S+)/gm);
  const html = plain.matchAll(/<[a-z]+ [^>]*?\b(?:src|srcset|href)="([^"\s]+)"/g);
  return [...inline, ...named, ...html].map((match) => ({
    text: match[1] ?? "",
    line: line + linesIn(plain.slice(0, match.index)),
  }));
}

const linesIn = (text: string): number => text.split("\n").length - 1;

function anchorsOf(prose: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const line of prose) {
    for (const [, id = ""] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
    const heading = /^#{1,6} +(.*?)(?: +#+)? *$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    let free = slug;
    for (let n = 1; found.has(free); n++) free = `${slug}-${n}`;
    found.add(free);
  }
  return found;
}

/** A heading's anchor as GitHub makes it. @example slugOf("What `up` does, in order") // "what-up-does-in-order" */
export function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
}
