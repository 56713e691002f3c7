// A program on this machine, for the desk: Pulumi's CLI, the operator's own ssh.
import { spawn } from "node:child_process";
import type { Ran } from "../host/ssh";

/** How it is run. */
export interface ProcessOptions {
  /** Seconds that it may run. @default no end */
  readonly seconds?: number;
  /** Called with each line of stdout as it arrives. */
  readonly onLine?: (line: string) => void;
  /** The folder that it runs in. @default this process's */
  readonly cwd?: string;
}

/**
 * Runs a program, no shell, with `stdin` on its standard input. One that fails is no error: see `code`; it may also end before it has read.
 * host/runOn.ts has these lines once more for a shell's command: it travels in the state with dynamic providers, whose size has a bound.
 * @throws as `spawn` of node:child_process does, when no process can be made
 */
export function runProcess(
  program: string,
  args: readonly string[],
  stdin: string,
  { seconds, onLine, cwd }: ProcessOptions = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const timeout = seconds === undefined ? undefined : seconds * 1000;
    const child = spawn(program, args, { stdio: "pipe", timeout, cwd });
    let [stdout, stderr, line] = ["", "", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const each of lines) onLine?.(each);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 255, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}
