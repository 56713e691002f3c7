// For tests of the desk: a command's output, and machines that answer as told.
import assert from "node:assert/strict";
import type { runOn } from "../../host/runOn";
import type { Ran } from "../../host/ssh";
import type { Streams } from "../check";
import { stack } from "./samples";

/** What a command printed, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command and keeps what it prints. */
export async function said(work: (streams: Streams) => Promise<number>): Promise<Said> {
  const lines = { out: "", err: "" };
  const code = await work({
    out: (text) => (lines.out += `${text}\n`),
    err: (text) => (lines.err += `${text}\n`),
  });
  assert.doesNotMatch(lines.out + lines.err, /a private key/, "no key is printed");
  return { code, ...lines };
}

/** Reads the sample stack. */
export const read = () => Promise.resolve(stack);
/** A program that ended well and said nothing. */
export const good: Ran = { code: 0, stdout: "", stderr: "" };

/** Machines that answer as told; what each was given is in `told`, in order. */
export function machines(answer: (host: string, stdin: string) => Ran | Error) {
  const told: { host: string; command: string; stdin: string }[] = [];
  const run: typeof runOn = async (connection, command, stdin, { onLine }) => {
    const host = [...stack.machines].find(([, each]) => each === connection)?.[0] ?? "nobody";
    told.push({ host, command, stdin });
    const ran = answer(host, stdin);
    if (ran instanceof Error) throw ran;
    ran.stdout.split("\n").forEach((line) => onLine?.(line));
    return ran;
  };
  return { told, run };
}

/** A machine that nobody answers on. */
export const silent = Object.assign(new Error("nobody answers at 203.0.113.2:22 within 15 s"), { reached: false });
