import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

/** A stack of this program with its own config file and state, as `npm run demo` and the tests use one. */
export interface LabStack {
  /** The stack's name, e.g. `dev`. */
  readonly name: string;
  /** The config file; absent: `Pulumi.<name>.yaml` beside the program. */
  readonly configFile?: string;
  /** The folder of the Pulumi program; absent: this project. */
  readonly program?: string;
  /** Where state and passphrase are, and which engine: what `npm run lab -- env` prints. */
  readonly environment: Record<string, string>;
}

/** What a finished `pulumi` said. */
export interface PulumiRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** How to run it. */
export interface PulumiOptions {
  /** Called with every line as it comes, to show that something happens. */
  readonly onLine?: (line: string) => void;
  /** Called with the running process's id, for tests that stop it in the middle. */
  readonly onStart?: (pid: number) => void;
  /** Given on stdin, as `pulumi config set --secret` takes a value that no command line should hold. */
  readonly input?: string;
}

/** `pulumi ARGS` on a stack as an operator types it: the command line, the folder of the program, and what to add to the environment. */
export function commandOf({ name, configFile, program, environment }: LabStack, args: readonly string[]) {
  const without = configFile === undefined || ["stack", "cancel"].includes(args[0] ?? "");
  const file = without ? [] : ["--config-file", configFile];
  const argv = [resolve("node_modules/.bin/pulumi"), ...args, "--non-interactive", "--stack", name, ...file];
  return { argv, folder: program ?? process.cwd(), environment };
}

/** Runs `pulumi ARGS` on a stack, as an operator would, and waits. Never throws for a failed run: look at `code`. */
export async function pulumi(
  stack: LabStack,
  args: readonly string[],
  options: PulumiOptions = {},
): Promise<PulumiRun> {
  const started = performance.now();
  const { argv, folder, environment } = commandOf(stack, args);
  const [program = "", ...words] = argv;
  const env = { ...process.env, ...environment };
  const child = spawn(program, words, { env, cwd: folder, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.on("error", () => undefined); // it ended without reading
  child.stdin.end(options.input ?? "");
  if (child.pid !== undefined) options.onStart?.(child.pid);
  const [stdout, stderr, code] = await Promise.all([
    collect(child.stdout, options.onLine),
    collect(child.stderr, options.onLine),
    new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit) => resolve(exit ?? 1));
    }),
  ]);
  return { code, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}

/** Makes the stack where it does not exist yet. */
export async function ensureStack(stack: LabStack): Promise<void> {
  const backend = stack.environment["PULUMI_BACKEND_URL"] ?? "";
  if (backend.startsWith("file://")) mkdirSync(backend.slice("file://".length), { recursive: true, mode: 0o700 });
  const run = await pulumi(stack, ["stack", "select", "--create"]);
  // It leaves the salt of its secrets beside the program, where a stack with a config file of its own does not look for it.
  if (stack.configFile !== undefined) rmSync(join(stack.program ?? ".", `Pulumi.${stack.name}.yaml`), { force: true });
  if (run.code !== 0) throw new Error(`pulumi stack select ${stack.name} failed:\n${run.stderr}${run.stdout}`);
}

async function collect(stream: NodeJS.ReadableStream, onLine?: (line: string) => void): Promise<string> {
  let all = "";
  let rest = "";
  for await (const chunk of stream) {
    all += String(chunk);
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine?.(line);
  }
  if (rest !== "") onLine?.(rest);
  return all;
}
