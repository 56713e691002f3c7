// The docs cannot rot: every example is parsed, type-checked or compared with the program that it calls, every link and path is followed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { componentDocs } from "../cli/docsComponents";
import * as desk from "../cli/main";
import { ensureEngine } from "../lab/engine/engine";
import { callFaults, programs } from "./docsCalls";
import { settingFaults, yamlFaults } from "./docsConfig";
import { allPages, type At, type Block, type Fault, type Page, shown, trackedFiles } from "./docsKit";
import { linkFaults, pathFaults, type Tree, unreached, wordFaults } from "./docsPlaces";
import { examplePieces, typeFaults } from "./docsTypes";

/** Languages of blocks, each with a test below; "" and `text`: what a program prints, a drawing, or commands. */
const languages = new Set(["ts", "yaml", "json", "sh", "text", ""]);

/** What the docs name like files and is none of the repository. */
const others = new Set([
  // Of Onionspray, of Onionbalance
  "make-selfsigned-wildcard-ssl-cert.sh",
  "onionbalance/hs_v3/params.py",
  // What a program imports
  "softmap/package.json",
  // In a backup's archive (cli/backup/)
  "manifest.json",
  "state.json",
  "config.yaml",
  "config.secrets.json",
]);

const pages = allPages();
const tree: Tree = { files: trackedFiles(), pages: new Map(pages.map((page) => [page.path, page])) };

/** All pages together: a test that fails shows every fault there is. */
function none(faults: (page: Page) => Fault[]): void {
  assert.deepEqual(shown(pages.flatMap(faults)), []);
}

const blocksOf = (page: Page, language: string): readonly Block[] =>
  page.blocks.filter((block) => block.language === language);

const each = (page: Page, found: readonly At[], judge: (text: string) => string[]): Fault[] =>
  found.flatMap(({ text, line }) => judge(text).map((message) => ({ page: page.path, line, message })));

test("there are pages, blocks and links to look at", () => {
  assert.ok(pages.length > 10);
  for (const language of ["ts", "yaml", "sh"])
    assert.ok(
      pages.some((page) => blocksOf(page, language).length > 0),
      language,
    );
  assert.ok(pages.flatMap(({ links }) => links).length > 100);
});

test("every block is in a language that is looked at", () =>
  none((page) => {
    const strange = page.blocks.filter(({ language }) => !languages.has(language));
    return strange.map(({ language, line }) => ({ page: page.path, line, message: `nothing looks at ${language}` }));
  }));

test("TypeScript is right, by the components as they are; so are the examples of their arguments", () => {
  const pieces = pages.flatMap((page) =>
    blocksOf(page, "ts").map(({ text, line }) => ({ page: page.path, line, text })),
  );
  assert.deepEqual(shown(typeFaults([...pieces, ...examplePieces(componentDocs().types)])), []);
});

test("YAML is what a stack takes", () => none((page) => each(page, blocksOf(page, "yaml"), yamlFaults)));

test("settings in backticks are what a stack takes", () => none((page) => each(page, page.code, settingFaults)));

test("JSON is JSON", () =>
  none((page) =>
    each(page, blocksOf(page, "json"), (text) => {
      try {
        JSON.parse(text);
        return [];
      } catch (error) {
        return [(error as Error).message];
      }
    }),
  ));

test("commands and their options are there: npm's scripts, softmap's commands, pulumi's own", async () => {
  const { environment } = await ensureEngine(() => undefined);
  const known = await programs(desk, trackedFiles("*.test.ts"), environment);
  none((page) => callFaults(page, known));
});

test("links lead to files and headings that are there", () => none((page) => linkFaults(page, tree)));

test("files and folders in backticks are there", () => {
  none((page) => pathFaults(page, tree, others));
  const named = new Set(pages.flatMap(({ code }) => code.map(({ text }) => text)));
  assert.deepEqual(
    [...others].filter((name) => !named.has(name)),
    [],
    "no page names these any more",
  );
});

test("names in backticks stand in the sources", () => {
  // Bad samples for these tests would be sources of themselves.
  const sources = trackedFiles("*.ts", "*.py", "*.lua", "*.ejs", "*.json", "*.js").filter(
    (file) => !/docs\w*\.test\.ts$/.test(file),
  );
  const words = new Set(sources.flatMap((file) => readIfThere(file).match(/\b[a-z]+[A-Z]\w*/g) ?? []));
  // Those of the stand-ins name properties of the plugins that they stand for.
  none((page) => (page.path.startsWith("lab/") ? [] : wordFaults(page, words)));
});

test("README leads to every page of docs/", () =>
  assert.deepEqual(
    unreached("README.md", tree).filter((path) => path.startsWith("docs/")),
    [],
  ));

/** A file that git knows may be deleted in the working tree. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
