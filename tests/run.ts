/**
 * `npm test [-- FILTER...]`: every test of the project but the long ones, from nothing. Each FILTER is a part of a test file's path;
 * without one all run. First what needs no host (types, lint, unit, property, golden, mocks, contract), then the lab end to end, two
 * files at a time.
 * `npm run test:faults [-- FILTER...]`: the long ones (`*.long.test.ts`), every change and fault under load in the lab, for an hour or two.
 * Prints the table of all changes that were measured, and ends with `N passed, N failed`.
 */
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import type { EventEmitter } from "node:events";
import { finished } from "node:stream/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEngine } from "../lab/engine/engine";
import { ensureLabImage } from "../lab/lab";
import { stopwatch } from "../lab/progress";
import { startImages } from "./images";
import { changeTable, readChanges, TABLE_VARIABLE } from "./lab/table";

interface Counts {
  passed: number;
  failed: number;
}

async function main(args: readonly string[]): Promise<number> {
  const long = args.includes("--long");
  const filters = args.filter((arg) => arg !== "--long");
  const all = globSync("**/*.test.ts", { exclude: (name) => name === "node_modules" });
  const files = chosen(ofLength(all, long), filters, long ? "npm run test:faults" : "npm test");
  const labFiles = files.filter((file) => /\.(e2e|long)\.test\.ts$/.test(file));
  const quickFiles = files.filter((file) => !labFiles.includes(file));
  const say = stopwatch();
  const folder = mkdtempSync(join(tmpdir(), "softmap-tests-"));
  const table = join(folder, "changes");
  process.env[TABLE_VARIABLE] = table;

  try {
    // The engine and the images are built once a machine. The contract test needs the engine; only the lab waits for the images.
    const images = startImages(labFiles);
    await ensureEngine(say);
    const quick = await stage(`${quickFiles.length} files that need no host`, quickFiles, Math.max(2, cpus().length));
    await images;
    if (labFiles.length > 0) await ensureLabImage(say);
    const lab = await stage(`${labFiles.length} files in the lab`, labFiles, long ? 1 : LABS);
    if (existsSync(table)) console.log(`\n== changes under load\n${changeTable(readChanges(table))}\n`);

    console.log(`${quick.passed + lab.passed} passed, ${quick.failed + lab.failed} failed`);
    return quick.failed + lab.failed === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The long test files, or all others. */
export function ofLength(files: readonly string[], long: boolean): string[] {
  return files.filter((file) => file.endsWith(".long.test.ts") === long);
}

/** The files that run. Throws an Error for a filter that matches none: a test that is misspelt has not passed. */
function chosen(all: readonly string[], filters: readonly string[], command: string): string[] {
  const lost = filters.filter((filter) => !all.some((file) => file.includes(filter)));
  if (lost.length > 0) {
    throw new Error(
      `No test file has ${lost.join(" or ")} in its path.\n  Next: ${command} -- FILTER, e.g. ${all[0] ?? "config/parse"}`,
    );
  }
  return all.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter))).sort();
}

/** What a run's overall summary says, once it is there. Until then, and if it never comes, the run has failed. */
export function countsOf(stream: EventEmitter): Counts {
  const counts = { passed: 0, failed: 1 };
  stream.on("test:summary", (summary: { file?: string; counts: { tests: number; passed: number } }) => {
    if (summary.file !== undefined) return;
    counts.passed = summary.counts.passed;
    counts.failed = summary.counts.tests === 0 ? 1 : summary.counts.tests - summary.counts.passed;
  });
  return counts;
}

/**
 * Labs side by side: each file has one of its own, and waits for Tor more than it computes. The long files measure what readers notice: one
 * after the other.
 */
const LABS = 2;

/** A file's tests may take so long: the long ones have every change of a stack in one lab. */
const fileLimit = 3 * 60 * 60_000;

/** Runs test files, each in a process of its own, and prints them as they end. */
async function stage(title: string, files: string[], concurrency: number): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  console.log(`\n== ${title}`);
  const stream = run({ files, concurrency, execArgv: ["-r", "./cli/register.js"], timeout: fileLimit });
  const counts = countsOf(stream);
  const printed = stream.compose(spec);
  printed.pipe(process.stdout, { end: false });
  await finished(printed);
  return counts;
}

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      console.log("0 passed, 1 failed");
      process.exitCode = 1;
    },
  );
}
