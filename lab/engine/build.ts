/** Building the engine from Go modules: once for a machine's user, whole or not at all. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "./process";
import { builtHome, cli, engineCache, nodeHostLauncher, programs, recipeHash, root, type Program } from "./recipe";

type Say = (line: string) => void;

/** The newest Go that any of the programs asks for, from the `go` lines of their go.mod files. */
export function neededGo(): string {
  const versions = programs.map(({ folder }) => /^go (\S+)$/m.exec(goMod(folder))?.[1] ?? "1.21");
  return versions.reduce((newest, version) => (olderGo(newest, version) ? version : newest));
}

/** Whether Go `left` is older than Go `right`; both like "1.25.11". */
export function olderGo(left: string, right: string): boolean {
  const parts = (version: string) => version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [parts(left), parts(right)];
  const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0));
  return at !== undefined && (a[at] ?? 0) < (b[at] ?? 0);
}

/** The environment that the build adds. Throws, with what to install, when Go is missing or too old to help itself. */
export function goEnvironment(found: string | undefined, work: string): Record<string, string> {
  const needed = neededGo();
  const ways = `Install Go ${needed} or later (a distribution's package will do from 1.21 on: it fetches the rest).`;
  if (found === undefined) throw new Error(`${cause} and Go is not installed. ${ways} ${otherWay}`);
  if (olderGo(found, "1.21")) throw new Error(`${cause} and Go ${found} is too old. ${ways} ${otherWay}`);
  return {
    CGO_ENABLED: "0",
    GOWORK: "off",
    // Three gigabytes that nobody needs afterwards: in a folder of their own, kept only while a build is unfinished.
    GOMODCACHE: join(work, "modules"),
    GOCACHE: join(work, "cache"),
    // An older Go fetches a newer one through the module proxy, unless it is told not to.
    ...(olderGo(found, needed) && { GOTOOLCHAIN: "auto" }),
  };
}

const cause = "Pulumi could not be downloaded";
const otherWay = `Or connect this machine to Pulumi's download site, check with "npx pulumi version" and run again.`;

/** Builds into a folder beside the home and moves it there when it is complete. The caller holds the lock. */
export async function buildEngine(say: Say): Promise<void> {
  const work = join(engineCache(), `build-${recipeHash()}`);
  const env = goEnvironment(await installedGo(), work);
  const next = join(work, "home");
  const bin = dirname(cli(next));
  mkdirSync(bin, { recursive: true });
  say(
    `building Pulumi from its Go modules: once on this machine, about 5 minutes on 2 cores, 4 GB of disk for the time`,
  );
  for (const program of programs) await buildProgram(program, join(bin, program.name), env, say);
  // Dynamic providers are started through a script that the SDK brings, programs through one of ours.
  const dynamic = join(root, "node_modules/@pulumi/pulumi/pulumi-resource-pulumi-nodejs");
  for (const script of [dynamic, nodeHostLauncher]) {
    copyFileSync(script, join(bin, basename(script)));
    chmodSync(join(bin, basename(script)), 0o755);
  }
  rmSync(builtHome(), { recursive: true, force: true });
  renameSync(next, builtHome());
  rmSync(work, { recursive: true, force: true });
}

async function installedGo(): Promise<string | undefined> {
  try {
    // GOTOOLCHAIN=local: which Go is installed, not which one a go.mod would make it fetch.
    const { code, stdout } = await run("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } });
    return code === 0 ? /^go([\d.]+)/.exec(stdout)?.[1] : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function buildProgram(program: Program, out: string, env: Record<string, string>, say: Say): Promise<void> {
  if (existsSync(out)) return;
  const cwd = join(__dirname, program.folder);
  let modules = 0;
  const listed = await go(["list", "-mod=readonly", "-modcacherw", "-deps", program.package], {
    title: `${program.title}: fetching Go modules`,
    progress: () => `${modules} fetched`,
    line: (line) => (modules += line.startsWith("go: downloading") ? 1 : 0),
  });
  const packages = listed.split("\n").length - 1;
  let compiled = 0;
  const args = ["build", "-v", "-mod=readonly", "-modcacherw", "-o", `${out}.part`, ...program.flags, program.package];
  await go(args, {
    title: `${program.title}: compiling`,
    progress: () => `${compiled} of ${packages} packages`,
    line: () => compiled++,
  });
  renameSync(`${out}.part`, out);

  async function go(
    arguments_: string[],
    step: { title: string; progress: () => string; line: (line: string) => void },
  ): Promise<string> {
    say(step.title);
    const { code, stdout, stderr } = await run("go", arguments_, {
      cwd,
      env,
      onStderr: step.line,
      onTick: (seconds) => say(`${step.title}, ${seconds} s, ${step.progress()}`),
    });
    if (code === 0) return stdout;
    throw new Error(
      `${step.title} failed:\n${stderr.split("\n").slice(-15).join("\n")}\n` +
        `What is done is kept: run the same command again to go on. If modules cannot be fetched, look at "go env GOPROXY".`,
    );
  }
}

function goMod(folder: string): string {
  return readFileSync(join(__dirname, folder, "go.mod"), "utf8");
}
