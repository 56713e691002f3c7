/**
 * Images that lab test files need, built beside the tests that need no host. A process of its own, at the lowest priority, so that whoever
 * runs meanwhile has the cores: `node -r ./cli/register.js tests/images.ts FILE...`. Says what it does on stderr.
 */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import { ensureCloudImage } from "../lab/cloudHost";
import { ensureDerivedImage, ensureLabImage, stopwatch, type Say } from "../lab/lab";
import { monitoringImage } from "./lab/monitoringImage";
import { sitesImage } from "./lab/sites/image";

type Build = (say: Say) => Promise<string>;

/** What is needed beside the host image, by test file. A file that is missing here makes its image itself, and waits for it. */
export const EXTRAS: Readonly<Record<string, Build>> = {
  "tests/lab/aws.e2e.test.ts": ensureCloudImage,
  "tests/lab/map.e2e.test.ts": (say) => ensureDerivedImage(sitesImage, say),
  "tests/lab/monitoring.e2e.test.ts": (say) => ensureDerivedImage(monitoringImage, say),
  "tests/lab/release13.e2e.test.ts": (say) => ensureLabImage(say, "trixie"),
  "tests/lab/sites.e2e.test.ts": (say) => ensureDerivedImage(sitesImage, say),
};

/** The builds that these files wait for, the host image first: others are made from it. None for no file. */
export function buildsFor(files: readonly string[]): Build[] {
  const extras = Object.entries(EXTRAS).filter(([file]) => files.includes(file));
  return files.length === 0 ? [] : [ensureLabImage, ...extras.map(([, build]) => build)];
}

/** Starts to build what these lab test files need. Resolves, never rejects, when it is done: a test that needs what failed tries it again, and reports it. */
export function startImages(files: readonly string[]): Promise<void> {
  if (files.length === 0) return Promise.resolve();
  const child = spawn(process.execPath, ["-r", "./cli/register.js", __filename, ...files], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve) => child.once("error", () => resolve()).once("close", () => resolve()));
}

/** One after the other: two at once take as long on few cores, and more memory. */
async function main(files: readonly string[]): Promise<void> {
  setPriority(constants.priority.PRIORITY_LOW);
  const say = stopwatch();
  for (const build of buildsFor(files)) await build((line) => say(`images: ${line}`));
}

if (require.main === module) {
  main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
