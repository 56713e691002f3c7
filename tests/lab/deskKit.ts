// The operator's desk in a lab: `npx softmap ...` as its operator runs it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Survey } from "../../cli/desk/survey";
import type { Rehearsal } from "./fixture";

/** How a command ended, and what it printed. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command under way. */
export interface Running {
  readonly ended: Promise<Said>;
  /** Ends it as Ctrl-C does. */
  readonly interrupt: () => void;
}

/** Starts a command of the desk on the rehearsal's stack; `onLine` hears its stdout. */
export function startDesk(
  { stack }: Rehearsal,
  args: readonly string[],
  { onLine, input = "" }: { readonly onLine?: (line: string) => void; readonly input?: string } = {},
): Running {
  const child = spawn(process.execPath, ["cli/softmap.js", ...args], {
    env: { ...process.env, ...stack.environment },
  });
  const lines = { out: "", err: "" };
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.out += `${line}\n`;
    onLine?.(line);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (lines.err += text));
  child.stdin.end(input);
  const ended = new Promise<Said>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 255, ...lines }));
  });
  return { ended, interrupt: () => child.kill("SIGINT") };
}

/** Runs a command of the desk on the rehearsal's stack, whichever is selected. */
export function desk(rehearsal: Rehearsal, ...words: readonly string[]): Promise<Said> {
  const [command = "help", ...rest] = words;
  return startDesk(rehearsal, [command, "--stack", rehearsal.stack.name, ...rest]).ended;
}

/** The same, and it must end well. */
export async function deskOk(rehearsal: Rehearsal, ...words: readonly string[]): Promise<string> {
  const said = await desk(rehearsal, ...words);
  assert.equal(said.code, 0, `softmap ${words.join(" ")}:\n${said.out}${said.err}`);
  return said.out;
}

/** `softmap status --json`, whatever it finds. */
export async function surveyed(rehearsal: Rehearsal, ...words: readonly string[]): Promise<Survey> {
  const { out, err } = await desk(rehearsal, "status", "--json", ...words);
  assert.notEqual(out, "", err);
  return JSON.parse(out) as Survey;
}

/**
 * Makes its assertions again until they hold. The lab's Tor network has a new time period every eight minutes, in which every introduction point and descriptor
 * changes: a look may fall between.
 * @throws what they threw last, after `seconds`
 */
export async function settled(work: () => Promise<void>, seconds = 120): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || Date.now() > end) throw error;
    }
  }
}
