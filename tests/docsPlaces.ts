// Links, anchors and paths that the docs name: whether they are there, and whether every page is reached.
import { basename, dirname, join, normalize } from "node:path";
import type { Fault, Page } from "./docsKit";

/** What is in the repository. */
export interface Tree {
  /** Paths of all files, from the root. */
  readonly files: readonly string[];
  readonly pages: ReadonlyMap<string, Page>;
}

/** Links that lead nowhere. What is on the web is not asked for: only that it is a URL of https. */
export function linkFaults(page: Page, tree: Tree): Fault[] {
  return page.links.flatMap(({ text, line }) => {
    const message = linkFault(page, text, tree);
    return message === undefined ? [] : { page: page.path, line, message };
  });
}

function linkFault(page: Page, target: string, { files, pages }: Tree): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target))
    return target.startsWith("https://") && URL.canParse(target) ? undefined : `${target} is no link to https`;
  const [path = "", anchor] = target.split("#");
  const to = path === "" ? page.path : normalize(join(dirname(page.path), decodeURI(path))).replace(/\/$/, "");
  if (path.startsWith("/")) return `${target} begins at the root of a machine`;
  const folder = to === "." || files.some((file) => file.startsWith(`${to}/`));
  if (!files.includes(to) && !folder) return `${target} is not there`;
  if (anchor === undefined) return undefined;
  const other = pages.get(to);
  if (other === undefined) return `${target} has an anchor, and is no page`;
  return other.anchors.has(anchor) ? undefined : `${target}: the page has no such heading`;
}

/** Pages that no way of links leads to. */
export function unreached(from: string, { pages, files }: Tree): string[] {
  const seen = new Set<string>();
  const queue = [from];
  for (const path of queue) {
    const page = pages.get(path);
    if (page === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const { text } of page.links) {
      if (/^[a-z]+:/i.test(text)) continue;
      const to = normalize(join(dirname(path), text.split("#")[0] ?? "")).replace(/\/$/, "");
      queue.push(to, `${to}/README.md`);
    }
  }
  return [...pages.keys()].filter((path) => !seen.has(path) && files.includes(path));
}

const extensions = "ts|mts|mjs|js|py|lua|ejs|md|yaml|yml|json|sh";
const fileName = new RegExp(`^[\\w.*{},/-]+\\.(${extensions})$`);

/** Names in backticks that look like files or folders of the repository and are none. */
export function pathFaults(page: Page, tree: Tree, others: ReadonlySet<string>): Fault[] {
  return page.code.flatMap(({ text, line }) => {
    const name = text.split(":")[0] ?? "";
    const shaped = fileName.test(name) || isFolder(name, tree);
    if (!shaped || /^(\.\.\.|[~/])|Pulumi\.[A-Za-z]+\.(yaml|backup\.json)$/.test(name) || others.has(name)) return [];
    if (isThere(page, name, tree)) return [];
    return { page: page.path, line, message: `\`${name}\` is no file of the repository` };
  });
}

/** `lab/` or `config/schema/site`: it begins with a folder of the root. */
function isFolder(name: string, { files }: Tree): boolean {
  const [, top = ""] = /^([a-z]+)\/[\w.*{},/-]*$/.exec(name) ?? [];
  return top !== "" && files.some((file) => file.startsWith(`${top}/`));
}

function isThere(page: Page, name: string, { files }: Tree): boolean {
  const places = [name, normalize(join(dirname(page.path), name))].map((path) => path.replace(/\/$/, ""));
  return places.some((path) => {
    const form = new RegExp(`^${globbed(path)}(/|$)`);
    // A bare name is a file somewhere: "hostBase.ts".
    return files.some((file) => form.test(file) || (!name.includes("/") && form.test(basename(file))));
  });
}

function globbed(path: string): string {
  return path
    .replaceAll(/[.+^$()|[\]\\]/g, "\\$&")
    .replaceAll(/\{([^}]*)\}/g, (_, list: string) => `(${list.replaceAll(",", "|")})`)
    .replaceAll(/\*+/g, "[^/]*");
}

/** Words in backticks that look like names of ours, `camelCase`, and stand nowhere in the sources. */
export function wordFaults(page: Page, words: ReadonlySet<string>): Fault[] {
  return page.code.flatMap(({ text, line }) =>
    /^[a-z]+[A-Z]\w*$/.test(text) && !words.has(text)
      ? { page: page.path, line, message: `\`${text}\` is no word of the sources` }
      : [],
  );
}
