import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { transpileModule, ModuleKind, ScriptTarget } from "typescript";

interface Compiler {
  compile: (text: string, fileName: string) => string;
  mapOf: (fileName: string) => { readonly map: { readonly sources: readonly string[] } } | null;
}
const root = join(__dirname, "..");
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a program in JavaScript, which has no types
const { Compiler } = require("./register.js") as { Compiler: new (folder: string) => Compiler };

const text = `import { join } from "node:path";\n/** Here. */\nexport const here = (name: string): string => join(__dirname, name);\nexport const later = () => import("zod");\n`;
const file = join(root, "cli", "some.ts");
let folder = "";

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "softmap-register-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const own = (): Compiler => new Compiler(folder);
const programs = (): string[] => readdirSync(folder).filter((name) => name.endsWith(".js"));

/** A program beside others of the tree, by a Node of its own. */
function run(code: string, ...args: string[]): { readonly status: number | null; readonly said: string } {
  const name = join(folder, "some.ts");
  writeFileSync(name, code);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["-r", join(root, "cli", "register.js"), ...args, name],
    {
      encoding: "utf8",
    },
  );
  return { status, said: stdout + stderr };
}

test("what it makes is what the compiler makes of a CommonJS module, the second time from what was kept", () => {
  const first = own().compile(text, file);
  const compilerOptions = { target: ScriptTarget.ES2023, module: ModuleKind.NodeNext, esModuleInterop: true };
  assert.equal(first, transpileModule(text, { fileName: "some.cts", compilerOptions }).outputText);
  assert.match(first, /import\("zod"\)/, "an import at run time stays one: some packages are modules alone");
  const [kept = "", ...more] = programs();
  assert.equal(more.length, 0);
  assert.equal(own().compile(text, file), first);
  writeFileSync(join(folder, kept), first.replaceAll("Here.", "Kept."));
  assert.match(own().compile(text, file), /Kept\./);
});

test("the map of a text names the file that it was read from, made or kept", () => {
  for (const name of ["some.ts", "other.ts"]) {
    const compiler = own();
    compiler.compile(text, join(root, "cli", name));
    assert.deepEqual(compiler.mapOf(join(root, "cli", name))?.map.sources, [name]);
    assert.equal(compiler.mapOf(join(root, "cli", "never.ts")), null);
  }
  assert.equal(programs().length, 1);
});

test("another text is compiled anew, and what is a month old goes", () => {
  const old = join(folder, "old.js");
  writeFileSync(old, "");
  utimesSync(old, 0, 0);
  const compiler = own();
  compiler.compile(text, file);
  assert.match(compiler.compile(text.replace("Here.", "There."), file), /There\./);
  assert.equal(programs().length, 2);
  assert.ok(!existsSync(old));
});

test("a text that is wrong is an error that names its file, line and column, and nothing is kept of it", () => {
  assert.throws(() => own().compile("\nexport const = 1;", file), /cli\/some\.ts:2:14: Variable declaration expected/);
  assert.deepEqual(readdirSync(folder), []);
});

test("where nothing can be kept it compiles all the same", () => {
  const nowhere = join(folder, "file");
  writeFileSync(nowhere, "");
  assert.match(new Compiler(join(nowhere, "below")).compile(text, file), /exports\.here/);
});

test("a start that finds all of its texts compiled loads no compiler; files find each other without their ending", () => {
  const plan = JSON.stringify(join(root, "plan", "names"));
  const code = `import { units } from ${plan};\nconst loaded: string[] = Object.keys(require.cache);\nconsole.log(units.tor("news-1"), loaded.some((name) => name.includes("typescript")));\n`;
  run(code);
  assert.deepEqual(run(code), { status: 0, said: "softmap-tor@news-1.service false\n" });
});

test("an error has the lines of the source", () => {
  const { status, said } = run(
    `interface Some {\n  readonly some: string;\n}\n\nthrow new Error("told" as Some["some"] & string);\n`,
  );
  assert.equal(status, 1);
  assert.match(said, /Error: told\n +at .*some\.ts:5:7\)/);
});

test("Pulumi's promises are spared their stack traces, and errors have theirs", () => {
  function debuggablePromise(): string | undefined {
    return new Error("kept").stack;
  }
  assert.equal(debuggablePromise(), "Error: kept");
  assert.match(new Error("told").stack ?? "", /register\.test\.ts:\d+:\d+/);
});
