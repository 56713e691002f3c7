// What ts-node compiles our TypeScript with (tsconfig.json): the compiler's own output, kept below node_modules so that the next start has it.
// An output is found by all that it is made of, this file, compiler, options and text: it cannot be stale. Where nothing can be written, nothing is kept.
"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { extname, join } = require("node:path");

const caches = join(__dirname, "..", "node_modules", ".cache");
/** An output that is so old, in milliseconds, goes when a new one is written: the text may be long gone. */
const oldest = 30 * 24 * 3600 * 1000;

/** Options that say where files are and not what becomes of them. */
const places = ["configFilePath", "outDir", "rootDir", "declarationDir"];

// ts-node asks for one of these for each kind of module; without a kind it is as the compiler's options say.
const extensions = { nodecjs: ".cts", nodeesm: ".mts" };

// What V8 makes of the modules that are loaded from here on, found by name and text. Node 20 does without; NODE_COMPILE_CACHE, where it is set, has
// begun before.
enableCompileCache?.(join(caches, "softmap-compiled"));

exports.create = ({ service, nodeModuleEmitKind: kind, folder = join(caches, "softmap-transpiled") }) => {
  const ts = require(service.projectLocalResolveHelper(service.options.compiler ?? "typescript", true));
  const compilerOptions = service.config.options;
  const by = JSON.stringify([readFileSync(__filename, "utf8"), ts.version, kind, compilerOptions], (key, value) =>
    places.includes(key) ? undefined : value,
  );
  return {
    transpile(text, { fileName }) {
      spareStackTraces();
      const extension = extname(fileName);
      const file = join(folder, createHash("sha256").update(`${by}\n${extension}\n${text}`).digest("hex"));
      const kept = read(file);
      if (kept !== undefined) return kept;
      // The extension tells the compiler the kind of module: file by file it sees no package.json.
      const name = extension === ".ts" && kind in extensions ? fileName.slice(0, -3) + extensions[kind] : fileName;
      const compile = (as) => ts.transpileModule(text, { fileName: as, compilerOptions, reportDiagnostics: true });
      const compiled = compile(name);
      // Under its own name, so that the message has it.
      if ((compiled.diagnostics ?? []).length > 0) return compile(fileName);
      const { sourceMapText } = compiled;
      // ts-node writes this line itself.
      const outputText = compiled.outputText.replace(/\n?\/\/# sourceMappingURL=[^\n]*\s*$/, "");
      keep(folder, file, `${sourceMapText}\n${outputText}`);
      return { outputText, sourceMapText };
    },
  };
};

let spared = false;

/**
 * Pulumi's SDK keeps a stack trace of each of its promises, thousands in a big stack, for those who look for promises that never end, and puts that
 * of each resource into the state, where nobody reads it. This leaves them out; errors have theirs. Called late, when ts-node has put its own source
 * maps in place.
 */
function spareStackTraces() {
  if (spared || process.env.PULUMI_DEBUG_PROMISE_LEAKS) return;
  spared = true;
  const prepare = Error.prepareStackTrace;
  if (prepare === undefined) return;
  Error.prepareStackTrace = (error, frames) => {
    const name = frames[0]?.getFunctionName();
    return name === "debuggablePromise" || name === "callsites" ? String(error) : prepare(error, frames);
  };
}

/** The map is one line, the program all others. */
function read(file) {
  let all;
  try {
    all = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const end = all.indexOf("\n");
  return { outputText: all.slice(end + 1), sourceMapText: all.slice(0, end) };
}

function keep(folder, file, text) {
  // Renamed into place: others may be starting at the same time.
  const part = `${file}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(part, text);
    renameSync(part, file);
    tidy(folder);
  } catch {
    // Not kept, then.
  }
}

const tidied = new Set();

function tidy(folder) {
  if (tidied.has(folder)) return;
  tidied.add(folder);
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (Date.now() - statSync(file).mtimeMs > oldest) rmSync(file, { force: true });
  }
}
