// For tests: the package as `npm pack` makes it of this clone, and an empty folder of a stranger into which it is installed.
import { execFile, execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(__dirname, "..");

/** What stands in a package.json, as far as the tests ask. */
export interface Manifest {
  readonly name: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

/** This clone's package.json. */
export const manifest = JSON.parse(fs.readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** A package, packed. */
export interface Packed {
  /** The tarball. */
  readonly file: string;
  /** The copy of the clone that it was packed from, and the files that the copy has: the clone itself may change meanwhile. */
  readonly copy: string;
  readonly sources: readonly string[];
  /** Sizes in bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  /** What is in it, by path. */
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

/** Files that git knows or would take, as they are now. */
function ownFiles(): string[] {
  const words = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const list = execFileSync("git", words, { cwd: root, encoding: "utf8" });
  return list.split("\0").filter((file) => file !== "" && fs.existsSync(join(root, file)));
}

/**
 * Runs `npm pack` in a copy of this clone, so that nothing appears in the clone while other tests read it. The copy has the clone's
 * dependencies as links and holds them for installed: it never installs any itself.
 */
export async function pack(): Promise<Packed> {
  const copy = fs.mkdtempSync(join(tmpdir(), "softmap-pack-"));
  const sources = ownFiles();
  for (const file of sources) {
    fs.mkdirSync(dirname(join(copy, file)), { recursive: true });
    fs.copyFileSync(join(root, file), join(copy, file));
  }
  const modules = join(copy, "node_modules");
  fs.mkdirSync(modules);
  for (const name of fs.readdirSync(join(root, "node_modules"))) {
    if (name !== ".softmap-lock.json") fs.symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  fs.copyFileSync(join(copy, "package-lock.json"), join(modules, ".softmap-lock.json"));
  const { stdout } = await run("npm", ["pack", "--json", "--loglevel", "error"], { cwd: copy, maxBuffer: 1 << 26 });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as (Omit<Packed, "file" | "copy" | "sources"> & {
    filename: string;
  })[];
  if (packed === undefined) throw new Error(`npm pack named no package: ${stdout}`);
  return { ...packed, file: join(copy, packed.filename), copy, sources };
}

/** A folder that has nothing of this clone: a program, and what it installed. */
export async function stranger(packed: Packed, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = fs.mkdtempSync(join(tmpdir(), "softmap-stranger-"));
  fs.writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "stranger", private: true, main: "index.ts" }));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, name)), { recursive: true });
    fs.writeFileSync(join(folder, name), text);
  }
  const wanted = ["@pulumi/pulumi", "typescript", "@types/node"].map(
    (name) => `${name}@${manifest.devDependencies[name] ?? "latest"}`,
  );
  // Another version of what softmap depends on is at the top: softmap's own lies below it, where the providers must find it.
  wanted.push("ssh2@1.16.0");
  // The clone's own npm ci has filled npm's cache with all else.
  const words = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
  await run("npm", [...words, packed.file, ...wanted], { cwd: folder, maxBuffer: 1 << 26 });
  return folder;
}

/** Runs a program in a folder and waits. Never throws for one that fails: look at `code`. */
export async function runIn(
  folder: string,
  program: string,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd: folder, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}
