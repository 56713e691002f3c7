// Lets Node load our TypeScript: `node -r ./cli/register.js FILE.ts`; Pulumi does by program.js. A text is compiled once, file by file, and its output
// is kept below node_modules, found by all that it is made of: this file, compiler, options and text. So it cannot be stale. Where nothing can be
// written, nothing is kept. A start that finds all of it loads no compiler; ts-node always does, 0.2 s and 60 MB for whoever has no other use of it.
// Types are checked by `npm run types` alone.
"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { basename, join } = require("node:path");
const sourceMaps = require("source-map-support");

const root = join(__dirname, "..");
const tsconfig = join(root, "tsconfig.json");
const caches = join(root, "node_modules", ".cache");
/** An output that is so old, in milliseconds, goes when a new one is written: the text may be long gone. */
const oldest = 30 * 24 * 3600 * 1000;

/** Compiles texts to CommonJS, and keeps what becomes of them in a folder. */
class Compiler {
  constructor(folder = join(caches, "softmap-compiled-ts")) {
    this.folder = folder;
    const { version } = JSON.parse(readFileSync(require.resolve("typescript/package.json"), "utf8"));
    this.by = JSON.stringify([readFileSync(__filename, "utf8"), version, readFileSync(tsconfig, "utf8")]);
    this.maps = new Map();
  }

  /** The program. Throws the compiler's words on a text that is wrong. */
  compile(text, fileName) {
    const kept = join(this.folder, createHash("sha256").update(`${this.by}\n${text}`).digest("hex"));
    const program = read(`${kept}.js`);
    if (program !== undefined) {
      this.maps.set(fileName, () => read(`${kept}.map`));
      return program;
    }
    const made = transpile(text, fileName);
    this.maps.set(fileName, () => made.map);
    // The program last: where it is, its map is too.
    this.keep(`${kept}.map`, made.map);
    this.keep(`${kept}.js`, made.program);
    return made.program;
  }

  /** For source-map-support: what leads from a line of a program to that of its text. Read where somebody asks. */
  mapOf(fileName) {
    const text = this.maps.get(fileName)?.();
    // Two files with one text have one map.
    return text === undefined ? null : { url: fileName, map: { ...JSON.parse(text), sources: [basename(fileName)] } };
  }

  keep(file, text) {
    // Renamed into place: others may be starting at the same time.
    const part = `${file}.${process.pid}`;
    try {
      mkdirSync(this.folder, { recursive: true });
      writeFileSync(part, text);
      renameSync(part, file);
      this.tidy();
    } catch {
      // Not kept, then.
    }
  }

  tidy() {
    if (this.tidied) return;
    this.tidied = true;
    for (const name of readdirSync(this.folder)) {
      const file = join(this.folder, name);
      if (Date.now() - statSync(file).mtimeMs > oldest) rmSync(file, { force: true });
    }
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function transpile(text, fileName) {
  const ts = require("typescript");
  const given = ts.parseConfigFileTextToJson(tsconfig, readFileSync(tsconfig, "utf8")).config.compilerOptions;
  const { options } = ts.convertCompilerOptionsFromJson(given, root);
  const compiled = ts.transpileModule(text, {
    // File by file the compiler sees no package.json: the extension tells it the kind of module.
    fileName: fileName.replace(/\.ts$/, ".cts"),
    // Where a text lies is nothing to what becomes of it.
    compilerOptions: { ...options, rootDir: undefined, sourceMap: true, noEmit: false },
    reportDiagnostics: true,
  });
  const wrong = compiled.diagnostics ?? [];
  if (wrong.length > 0) throw new SyntaxError(wrong.map((each) => toldBy(ts, each, fileName)).join("\n"));
  return { program: compiled.outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, ""), map: compiled.sourceMapText };
}

/** @example cli/main.ts:3:14: Variable declaration expected. */
function toldBy(ts, { file, start, messageText }, fileName) {
  const said = ts.flattenDiagnosticMessageText(messageText, "\n");
  if (file === undefined) return `${fileName}: ${said}`;
  const { line, character } = ts.getLineAndCharacterOfPosition(file, start);
  return `${fileName}:${line + 1}:${character + 1}: ${said}`;
}

/**
 * Pulumi's SDK keeps a stack trace of each of its promises, thousands in a big stack, for those who look for promises that never end, and puts that
 * of each resource into the state, where nobody reads it. This leaves them out; errors have theirs.
 */
function spareStackTraces() {
  if (process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  const prepare = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, frames) => {
    const name = frames[0]?.getFunctionName();
    return name === "debuggablePromise" || name === "callsites" ? String(error) : prepare(error, frames);
  };
}

function register() {
  // What V8 makes of the modules that are loaded from here on, found by name and text. Node 20 does without; NODE_COMPILE_CACHE, where it is set, has
  // begun before.
  enableCompileCache?.(join(caches, "softmap-compiled"));
  const compiler = new Compiler();
  sourceMaps.install({
    environment: "node",
    handleUncaughtExceptions: false,
    retrieveSourceMap: (fileName) => compiler.mapOf(fileName),
  });
  spareStackTraces();
  require.extensions[".ts"] = (module, fileName) => {
    module._compile(compiler.compile(readFileSync(fileName, "utf8"), fileName), fileName);
  };
}

register();

exports.Compiler = Compiler;
