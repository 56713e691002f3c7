import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { madeFiles, staleFiles, writeFiles } from "./docs";
import { commandsMarkdown, type Desk, exampleOf, optionsIn, usageOf } from "./docsCommands";
import { componentDocs, componentsMarkdown } from "./docsComponents";

for (const file of madeFiles) {
  test(`${file.path} says what it is made of`, async () => {
    assert.deepEqual(await staleFiles([file]), [], "a stale file: run `npm run docs`");
  });
}

test("what is stale is written, what is right is left, and one file that cannot be made stops no other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-docs-"));
  try {
    writeFileSync(join(folder, "right"), "1");
    const files = [
      { path: "right", text: () => "1" },
      { path: "broken", text: () => Promise.reject(new Error("no usage")) },
      { path: "deep/new", text: () => Promise.resolve("2") },
    ];
    const good = files.filter(({ path }) => path !== "broken");
    assert.deepEqual(await staleFiles(good, folder), ["deep/new"]);
    const said: string[] = [];
    assert.equal(await writeFiles((line) => said.push(line), files, folder), false);
    assert.deepEqual(said, ["right: was right already", "broken: cannot be made: no usage", "deep/new: written"]);
    assert.equal(readFileSync(join(folder, "deep/new"), "utf8"), "2");
    assert.deepEqual(await staleFiles(good, folder), []);
    assert.equal(await writeFiles(() => undefined, good, folder), true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A desk of commands that only print their usage. */
const deskOf =
  (usages: Readonly<Record<string, string>>, code = 0): Desk =>
  ([name = "", ...words], { out }) => {
    assert.deepEqual(words, ["--help"]);
    out(usages[name] ?? "");
    return Promise.resolve(code);
  };

const listed = (name: string, group: string) => ({ name, group, summary: `what ${name} does` });

test("each command with its usage, under its group, and an example", async () => {
  const desk = deskOf({
    open: "usage: npx softmap open [--json] SITE\n\nFetches it.",
    stop: "usage: npx softmap stop --all | HOST|PROJECT...",
  });
  const text = await commandsMarkdown([listed("open", "Look"), listed("stop", "Act")], desk);
  assert.ok(text.includes("- [`open`](#open): what open does\n- [`stop`](#stop)"), text);
  assert.ok(
    text.includes(
      "## Look\n\n### open\n\nWhat open does.\n\n```text\nusage: npx softmap open [--json] SITE\n\nFetches it.\n```\n\nFor example `npx softmap open www.example.org`.\n\n## Act\n\n### stop",
    ),
    text,
  );
  assert.ok(text.endsWith("For example `npx softmap stop worker1`.\n"), text);
});

test("examples: a usage's own, brackets left out, a word that nobody has a sample for", () => {
  assert.equal(exampleOf("maps", "usage: npx softmap maps [--stack NAME [--x]] [HOST...]"), "npx softmap maps");
  assert.equal(exampleOf("shutdown", "usage: npx softmap shutdown [--stack NAME] --yes"), "npx softmap shutdown --yes");
  const own = "usage: npx softmap map THING\n\nExamples:\n  npx softmap map --html map.html   # a page";
  assert.equal(exampleOf("map", own), "npx softmap map --html map.html");
  // One that begins with the name of another
  assert.equal(exampleOf("map", "npx softmap maps X\nnpx softmap map FILE"), "npx softmap map softmap-backup.age");
  assert.equal(exampleOf("check", "npx softmap check Pulumi.NAME.yaml|FILE..."), "npx softmap check Pulumi.prod.yaml");
  assert.equal(exampleOf("hostkey", "npx softmap hostkey HOST [--port N]"), "npx softmap hostkey 203.0.113.10");
  assert.throws(() => exampleOf("map", "usage: npx softmap map THING"), /no sample for THING/);
});

test("options of a usage, long and short, and no words with dashes in them", () => {
  assert.deepEqual(optionsIn("[--json] [-n LINES] -f, --follow  ob-status well-known --json"), [
    "--json",
    "-n",
    "-f",
    "--follow",
  ]);
});

test("a command without a usage of its own cannot be documented", async () => {
  await assert.rejects(usageOf("a", deskOf({ a: "usage: npx softmap a" }, 2)), /npx softmap a --help ends with 2/);
  await assert.rejects(usageOf("a", deskOf({ a: " " })), /prints ""/);
  await assert.rejects(usageOf("a", deskOf({ a: "usage: npm run a" })), /has no line "npx softmap a/);
});

const sample = `
import { type Other as Renamed } from "./other";
/** What a thing takes. See {@link Thing}. */
export interface ThingArgs extends Base {
  /** How many | how much. @default 3 @example 5 */
  readonly size?: number | undefined;
  /** Where.
   * On two lines.
   * @example { a: 1 } */
  readonly place: Place;
}
export interface Base { readonly base?: string }
/** A place. */
interface Place { readonly a: number }
/**
 * A thing.
 * @example
 * const thing = new Thing("t", { place: { a: 1 } });
 */
export class Thing {
  readonly size: number;
  private readonly hidden = 1;
  constructor(name: string, args: ThingArgs) { this.size = args.size ?? 3; }
}
/** Makes it. @example make({ place: { a: 1 } }) */
export function make({ place }: MakeArgs): Place { return place; }
export interface MakeArgs {
  /** The place. */
  readonly place: Place;
}
`;

test("a component: its doc, its example, its arguments with those of what they extend and the types that they name", () => {
  const folder = mkdtempSync(join(__dirname, "..", "components", "docs-sample-"));
  try {
    const file = join(folder, "thing.ts");
    writeFileSync(file, sample);
    const docs = componentDocs(file);
    assert.deepEqual(docs.types.map(({ name }) => name).sort(), ["Base", "MakeArgs", "Place", "ThingArgs"]);
    const text = componentsMarkdown(docs);
    for (const part of [
      '## Thing\n\nA thing.\n\n```ts\nconst thing = new Thing("t", { place: { a: 1 } });\n```\n\n`ThingArgs`:',
      "| `size` | `number` | How many \\| how much. | `3` | `5` |",
      "| `place` | `Place` [Place](#place) | Where. On two lines. | required | `{ a: 1 }` |",
      "And all of [Base](#base).",
      "## make\n\nMakes it.\n\n```ts\nmake({ place: { a: 1 } })\n```\n\n`MakeArgs`:\n\n| name | type | what |",
      "### Place\n\nA place.\n\n| name | type | what |",
      "| `size` | `number` | How many \\| how much. |",
    ])
      assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
    assert.ok(!text.includes("hidden"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("every component has a doc, and every argument", () => {
  const { components, types } = componentDocs();
  assert.ok(components.length >= 7);
  assert.deepEqual(
    components.filter(({ text, args }) => text === "" || args === undefined).map(({ name }) => name),
    [],
  );
  const args = types.filter(({ name }) => name.endsWith("Args"));
  const bare = args.flatMap(({ name, members }) =>
    // A type that is one value says all.
    members.flatMap((member) => (member.text === "" && member.type !== "true" ? `${name}.${member.name}` : [])),
  );
  assert.deepEqual(bare, []);
});
