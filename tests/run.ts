/**
 * `npm test [-- FILTER...]`: every test of the project, from nothing. Each FILTER is a part of a test file's path; without one all run.
 * First what needs no host (types, lint, unit, property, golden, mocks, contract), then the lab end to end, one file after the other.
 * Ends with `N passed, N failed`.
 */
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { globSync } from "node:fs";
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
  const files = globSync("**/*.test.ts", { exclude: (name) => name === "node_modules" })
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
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

/** Runs test files, each in a process of its own, and prints them as they end. */
async function stage(title: string, files: string[], concurrency: number): Promise<Counts> {
  const counts = { passed: 0, failed: 0 };
  if (files.length === 0) return counts;
  console.log(`\n== ${title}`);
  const stream = run({ files, concurrency, execArgv: ["-r", "ts-node/register/transpile-only"], timeout: 30 * 60_000 });
  stream.on("test:summary", (summary) => {
    if (summary.file !== undefined) return;
    counts.passed = summary.counts.passed;
    counts.failed = summary.counts.tests - summary.counts.passed;
  });
  const printed = stream.compose(spec);
  printed.pipe(process.stdout, { end: false });
  await finished(printed);
  return counts;
}

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
