/** Running a tool with its output by the line and a progress line at least every ten seconds. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const children = new Set<ChildProcess>();
let watching = false;

/** How a tool ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What a run may have. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** Called with each line of stderr. */
  onStderr?: (line: string) => void;
  /** Called every ten seconds with the seconds so far. */
  onTick?: (seconds: number) => void;
  timeoutMs?: number;
}

/** Runs a program; rejects only when it cannot be started (ENOENT) and kills it at the time limit. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  stopWithUs();
  const since = Date.now();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const ticking = setInterval(() => options.onTick?.(Math.round((Date.now() - since) / 1_000)), 10_000);
  const limit = options.timeoutMs ? setTimeout(() => child.kill("SIGKILL"), options.timeoutMs) : undefined;
  let stdout = "";
  const stderr: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  createInterface({ input: child.stderr }).on("line", (line) => {
    stderr.push(line);
    options.onStderr?.(line);
  });
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr: stderr.join("\n") }));
    });
  } finally {
    clearInterval(ticking);
    clearTimeout(limit);
    children.delete(child);
  }
}

/** A build that is interrupted must not run on behind the operator's back. */
function stopWithUs(): void {
  if (watching) return;
  watching = true;
  process.on("exit", () => children.forEach((child) => child.kill()));
}
