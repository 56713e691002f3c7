/**
 * `npm test [-- FILTER...]`: every test of the project, from nothing. Each FILTER is a part of a test file's path; without one all run.
 * First what needs no host (types, lint, unit, property, golden, mocks, contract), then the lab end to end, one file after the other.
 * Ends with `N passed, N failed`.
 */
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { globSync } from "node:fs";
import type { EventEmitter } from "node:events";
import { finished } from "node:stream/promises";
import { cpus } from "node:os";
import { ensureEngine } from "../lab/engine/engine";
import { ensureLabImage } from "../lab/lab";
import { stopwatch } from "../lab/progress";

interface Counts {
  passed: number;
  failed: number;
}

async function main(filters: readonly string[]): Promise<number> {
  const files = chosen(globSync("**/*.test.ts", { exclude: (name) => name === "node_modules" }), filters);
  const labFiles = files.filter((file) => file.endsWith(".e2e.test.ts"));
  const quickFiles = files.filter((file) => !labFiles.includes(file));
  const say = stopwatch();

  // The engine and the host image are built once a machine; the contract test and the lab need them.
  await ensureEngine(say);
  const quick = await stage(`${quickFiles.length} files that need no host`, quickFiles, Math.max(2, cpus().length));
  if (labFiles.length > 0) await ensureLabImage(say);
  const lab = await stage(`${labFiles.length} files in the lab`, labFiles, 1);

  console.log(`${quick.passed + lab.passed} passed, ${quick.failed + lab.failed} failed`);
  return quick.failed + lab.failed === 0 ? 0 : 1;
}

/** The files that run. Throws an Error for a filter that matches none: a test that is misspelt has not passed. */
function chosen(all: readonly string[], filters: readonly string[]): string[] {
  const lost = filters.filter((filter) => !all.some((file) => file.includes(filter)));
  if (lost.length > 0) {
    throw new Error(
      `No test file has ${lost.join(" or ")} in its path.\n  Next: npm test -- FILTER, e.g. config/parse`,
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

/** Runs test files, each in a process of its own, and prints them as they end. */
async function stage(title: string, files: string[], concurrency: number): Promise<Counts> {
  if (files.length === 0) return { passed: 0, failed: 0 };
  console.log(`\n== ${title}`);
  const stream = run({ files, concurrency, execArgv: ["-r", "ts-node/register/transpile-only"], timeout: 30 * 60_000 });
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
