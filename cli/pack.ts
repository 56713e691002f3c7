// Run by `npm pack` before it packs (prepack): compiles the components and the desk into dist/, which is what strangers install. Pulumi compiles no
// TypeScript below node_modules, so a package has JavaScript and its types. The clone itself runs without: see docs/package.md.
import { appendFileSync, cpSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import ts from "typescript";
import { commands } from "./main";

const root = join(__dirname, "..");

/** The one module of ours whose functions travel in the state, see there. */
const named = "components/providerNamed.js";

/** Compiles into `folder`, emptied before. Throws with what the compiler says. */
export function build(folder = join(root, "dist")): void {
  rmSync(folder, { recursive: true, force: true });
  compile(folder);
  markAsProgram(join(folder, named));
  // A program's types are those of the components; the desk has none to offer.
  for (const file of globSync("cli/**/*.d.ts", { cwd: folder })) rmSync(join(folder, file));
  copyData(folder);
}

/** The clone's own settings but that something is written. That the types are right is for `npm run types` to say. */
function compile(folder: string): void {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (found: ts.Diagnostic) => stop([found]) };
  const config = ts.getParsedCommandLineOfConfigFile(join(root, "tsconfig.json"), {}, host);
  const options = { ...config?.options, noEmit: false, outDir: folder, declaration: true };
  const { diagnostics, emitSkipped } = ts.createProgram(sourceFiles(), options).emit();
  if (emitSkipped || diagnostics.length > 0) stop(diagnostics);
}

function stop(diagnostics: readonly ts.Diagnostic[]): never {
  const lines = diagnostics.map(({ file, messageText }) => {
    const where = file === undefined ? "" : `${relative(root, file.fileName)}: `;
    return `  ${where}${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
  throw new Error(`The package does not compile.\n${lines.join("\n")}\n  Next: npm run types`);
}

/** Where the compiler begins: it finds by itself what these import, but not the commands, which cli/main.ts loads by their names. */
function sourceFiles(): string[] {
  const modules = [
    "components/index",
    "components/providerKinds",
    "cli/main",
    ...commands.map(({ module }) => `cli/${module}`),
  ];
  return [...new Set(modules)].map((module) => {
    const found = [`${module}.ts`, join(module, "index.ts")]
      .map((file) => join(root, file))
      .find((file) => existsSync(file));
    if (found === undefined) throw new Error(`cli/main.ts names ${module}, which is not there.`);
    return found;
  });
}

/**
 * Pulumi puts a function of a program's own modules into the state by value, and requires what is below node_modules by its path there. Such
 * a path in a state would forbid ever to move a file. The mark that Pulumi's SDK puts on itself, `deploymentOnlyModule`, makes it treat
 * a module as one of the program.
 */
function markAsProgram(path: string): void {
  appendFileSync(path, "exports.deploymentOnlyModule = true;\n");
}

/** What the code reads beside itself at run time: everything in its rooms that is neither TypeScript nor for tests. */
function copyData(folder: string): void {
  const rooms = globSync("*", { cwd: folder });
  const isOfTests = (name: string): boolean => ["golden", "testing", "__pycache__"].includes(name);
  for (const room of rooms) {
    for (const file of globSync(`${room}/**/*.*`, { cwd: root, exclude: isOfTests })) {
      if (/\.(ts|js|md|pyc)$/.test(file) || basename(file).startsWith("test_")) continue;
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      cpSync(join(root, file), join(folder, file));
    }
  }
}

if (require.main === module) {
  if (process.argv.includes("--clean")) rmSync(join(root, "dist"), { recursive: true, force: true });
  else build();
}
