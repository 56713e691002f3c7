import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { create, type Service } from "ts-node";

const root = join(__dirname, "..");
const text = `import { join } from "node:path";\n/** Here. */\nexport const here = (name: string): string => join(__dirname, name);\nexport const later = () => import("zod");\n`;
const file = join(root, "cli", "some.ts");
let folder = "";

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "softmap-transpiler-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** ts-node as Pulumi asks for it, with the transpiler or with its own. */
function tsNode(transpiler?: string, kept = folder): Service {
  const options = transpiler === undefined ? { skipProject: true } : { project: join(root, "tsconfig.json") };
  const compilerOptions = { target: "es2023", module: "nodenext", moduleResolution: "nodenext", esModuleInterop: true };
  return create({
    cwd: root,
    transpileOnly: true,
    ...options,
    ...(transpiler === undefined ? { compilerOptions } : { transpiler: [transpiler, { folder: kept }] }),
  });
}

const own = (kept?: string): Service => tsNode(join(root, "cli", "transpiler.js"), kept);
const code = (compiled: string): string => compiled.replace(/\/\/# sourceMappingURL=.*$/s, "").trimEnd();

test("what it makes is what ts-node makes, the second time from what was kept, maps included", () => {
  const first = own().compile(text, file);
  assert.equal(code(first), code(tsNode().compile(text, file)));
  assert.match(first, /import\("zod"\)/, "an import at run time stays one: some packages are modules alone");
  const [kept = "", ...more] = readdirSync(folder);
  assert.equal(more.length, 0);
  assert.equal(own().compile(text, file), first);
  writeFileSync(join(folder, kept), readFileSync(join(folder, kept), "utf8").replaceAll("Here.", "Kept."));
  assert.match(own().compile(text, file), /Kept\./);
});

test("another text is compiled anew, and what is a month old goes", () => {
  const old = join(folder, "old");
  writeFileSync(old, "");
  utimesSync(old, 0, 0);
  const compiler = own();
  compiler.compile(text, file);
  assert.match(compiler.compile(text.replace("Here.", "There."), file), /There\./);
  assert.equal(readdirSync(folder).length, 2);
  assert.ok(!existsSync(old));
});

test("a text that is wrong is an error that names its file, and nothing is kept of it", () => {
  assert.throws(() => own().compile("export const = 1;", file), /cli\/some\.ts/);
  assert.deepEqual(readdirSync(folder), []);
});

test("where nothing can be kept it compiles all the same", () => {
  const nowhere = join(folder, "file");
  writeFileSync(nowhere, "");
  assert.match(own(join(nowhere, "below")).compile(text, file), /exports\.here/);
});

test("Pulumi's promises are spared their stack traces, and errors have theirs, in the lines of the source", () => {
  function debuggablePromise(): string | undefined {
    return new Error("kept").stack;
  }
  own().compile(text, file);
  assert.equal(debuggablePromise(), "Error: kept");
  assert.match(new Error("told").stack ?? "", /transpiler\.test\.ts:\d+:\d+/);
});
