// For tests of the desk: a command's output, and machines that answer as told.
import assert from "node:assert/strict";
import type { runOn } from "../../host/runOn";
import type { Ran } from "../../host/ssh";
import type { Streams } from "../check";
import { stack } from "./samples";
import type { BackendKnown } from "./survey";

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

/** Which step a program on stdin is, and what it is given. */
export function stepOf(stdin: string): { readonly step: string; readonly payload: Readonly<Record<string, unknown>> } {
  const step = /\nguarded\("(\w+)"/.exec(stdin)?.[1] ?? "";
  const literal = /\nPAYLOAD = json\.loads\((".*")\)\n/.exec(stdin)?.[1] ?? '"{}"';
  return { step, payload: JSON.parse(JSON.parse(literal) as string) as Record<string, unknown> };
}

/** What each machine was told, in order. @example "worker1 restart", "balancer1 out" */
export const stepsOf = (told: readonly { readonly host: string; readonly stdin: string }[]): string[] =>
  told.map(({ host, stdin }) => `${host} ${String(stepOf(stdin).payload["action"])}`);

/**
 * A balancer of one site that has these backends: answers for host/leave.py, and for nothing else. It remembers who is left out and by which command;
 * `more` is added to what it says of a change.
 */
export function doorOf(backends: readonly BackendKnown[] = stack.backends, more: object = {}) {
  const bare = ({ address }: BackendKnown): string => address.replace(/\.onion$/, "");
  const known = backends.map((each) => ({ ...each, address: bare(each) }));
  const left = new Map<string, string>();
  const answer = (_host: string, stdin: string): Ran | undefined => {
    const { step, payload } = stepOf(stdin);
    if (step !== "leave") return undefined;
    const asked = (payload["backends"] as string[]).map((each) => each.replace(/\.onion$/, ""));
    const listed = asked.filter((each) => known.some(({ address }) => address === each));
    const rest = known.filter(({ address }) => !asked.includes(address) && !left.has(address));
    const marks = known.flatMap(({ address, name }) =>
      left.has(address)
        ? [{ address, name, by: "operator", kind: left.get(address), why: "olga: x", age: 60, kept: false }]
        : [],
    );
    const last = rest.length > 0 ? {} : Object.fromEntries(listed.map((each) => [each, "www.daily.test"]));
    const changed = { standby: false, why: null, stuck: {}, changed: asked, seconds: 4.1, ...more };
    if (payload["action"] === "out") for (const each of listed) left.set(each, String(payload["kind"]));
    if (payload["action"] === "back") for (const each of listed) left.delete(each);
    const look = { standby: false, quiet: null, mode: "distinct", listed, last, marks, seconds: 0 };
    const told = payload["action"] === "look" ? look : changed;
    return { ...good, stdout: `${JSON.stringify(told)}\n` };
  };
  return Object.assign(answer, { left: () => [...left.keys()] });
}

/** A machine that nobody answers on. */
export const silent = Object.assign(new Error("nobody answers at 203.0.113.2:22 within 15 s"), { reached: false });
