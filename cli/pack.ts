// Run by `npm pack` before it packs (prepack): compiles the components and the desk into dist/, which is what strangers install. Pulumi compiles no
// TypeScript below node_modules, so a package has JavaScript and its types. The clone itself runs without: see docs/package.md.
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import ts from "typescript";
import { commands } from "./main";

const root = join(__dirname, "..");

/**
 * What the providers of this package use of other packages. A provider travels in the state as text, and whoever runs it requires these by name
 * from the program's folder. There may be another version of them, or none: so they are required as `softmap/provider/NAME`, a file of this
 * package that hands its own on. The names are in states, therefore they stay.
 */
export const providerPackages = { ejs: "ejs", ssh2: "ssh2", ed25519: "@noble/ed25519" } as const;

/** What people import: left as it is, so that a closure of theirs requires it by name. */
const entry = "components/index.js";

/** Compiles into `folder`, emptied before. Throws with what the compiler says. */
export function build(folder = join(root, "dist")): void {
  rmSync(folder, { recursive: true, force: true });
  compile(folder);
  for (const file of globSync("**/*.js", { cwd: folder })) finish(folder, file);
  // A program's types are those of the components; the desk has none to offer.
  for (const file of globSync("cli/**/*.d.ts", { cwd: folder })) rmSync(join(folder, file));
  copyData(folder);
  mkdirSync(join(folder, "provider"));
  for (const [name, other] of Object.entries(providerPackages)) {
    writeFileSync(join(folder, "provider", `${name}.js`), `module.exports = require("${other}");\n`);
  }
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
  const modules = ["components/index", "cli/main", ...commands.map(({ module }) => `cli/${module}`)];
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
function finish(folder: string, file: string): void {
  if (file === entry || file.startsWith("cli/")) return;
  const path = join(folder, file);
  let text = readFileSync(path, "utf8");
  for (const [name, other] of Object.entries(providerPackages)) {
    const to = relative(dirname(path), join(folder, "provider", name));
    text = text.replaceAll(`require("${other}")`, `require("${to}")`);
  }
  writeFileSync(path, `${text.trimEnd()}\nexports.deploymentOnlyModule = true;\n`);
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
