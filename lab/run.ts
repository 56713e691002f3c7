import { spawn } from "node:child_process";
import { LabError } from "./errors";

/** What a command did. `stdout` is raw, so that bodies and archives survive; `text` is the same as UTF-8, without the last newline. */
export interface Ran {
  readonly code: number;
  readonly stdout: Buffer;
  readonly text: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Given to the command on stdin; nothing otherwise. */
  readonly input?: string | Buffer;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which the command is ended. */
  readonly timeout?: number;
  /** Return instead of throwing when the command fails. */
  readonly mayFail?: boolean;
  /** What to do next when it fails, for the message. */
  readonly next?: string;
}

/** Runs one command, no shell. Throws a {@link LabError} with the command's own last lines when it fails. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const ran = await spawned(argv, options);
  if (ran.code !== 0 && !options.mayFail) throw failure(argv, ran, options.next);
  return ran;
}

/** The same as root: as it is for root, through sudo (without asking) for everybody else. */
export function runAsRoot(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(asRoot(argv), options);
}

/** The command line that runs `argv` as root on this machine. */
export function asRoot(argv: readonly string[]): string[] {
  return process.getuid?.() === 0 ? [...argv] : ["sudo", "-n", ...argv];
}

/** True when a program of that name is in PATH or in one of the folders where root's programs live. */
export async function hasProgram(name: string): Promise<boolean> {
  const script = `PATH="$PATH:/usr/sbin:/sbin:/usr/local/sbin"; command -v "$1"`;
  return (await run(["sh", "-c", script, "sh", name], { mayFail: true })).code === 0;
}

function spawned(argv: readonly string[], options: RunOptions): Promise<Ran> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    // root's programs (nft, ip) are not in everybody's PATH
    const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
    const child = spawn(program, args, { env: { ...process.env, PATH: path, ...options.env }, stdio: "pipe" });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = options.timeout === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), options.timeout);
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined); // a command that does not read its stdin is no fault
    child.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      const what =
        error.code === "ENOENT" ? `${program} is not installed.` : `${program} did not start: ${error.message}`;
      reject(new LabError(what, "run `npm run lab -- up`, it installs what the lab needs"));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out);
      const late =
        signal === "SIGKILL" && options.timeout !== undefined ? `\nended after ${options.timeout / 1000} s` : "";
      const text = stdout.toString("utf8").replace(/\n$/, "");
      resolve({ code: code ?? 1, stdout, text, stderr: Buffer.concat(err).toString("utf8") + late });
    });
    child.stdin.end(options.input ?? "");
  });
}

function failure(argv: readonly string[], ran: Ran, next: string | undefined): LabError {
  const lines = (ran.stderr.trim() || ran.text.trim() || "it said nothing").split("\n").slice(-8).join("\n    ");
  const shown = argv
    .filter((word) => word.length < 200)
    .slice(0, 6)
    .join(" ");
  if (argv[0] === "sudo" && /password is required|a terminal is required/.test(ran.stderr))
    return new LabError(
      `The lab needs root and sudo asks for a password (${shown}).`,
      "run `sudo -v` first, or run the lab as root",
    );
  return new LabError(
    `\`${shown}\` failed with exit code ${ran.code}:\n    ${lines}`,
    next ?? "see the command's own words above",
  );
}
