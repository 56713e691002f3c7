// Programs of the take-over on the stack's machines, and on machines that are no part of it: by the operator's own ssh.
import { spawn } from "node:child_process";
import { bootstrap, adoptProgram, confirmProgram } from "../../host/program";
import type { AdoptPayload } from "../../host/program";
import { runOn } from "../../host/runOn";
import type { Ran, SshLimits } from "../../host/ssh";
import type { Streams } from "../check";
import { survey } from "../desk/look";
import { machineNames } from "../desk/look";
import type { DeployedStack, Survey } from "../desk/survey";
import { readStack } from "../stack";
import { seenOf, type AdoptSeen } from "./seen";

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly run: typeof runOn;
  /** Runs a command on a machine that is no part of the stack, `target` as ssh(1) takes it. */
  readonly ssh: (target: string, command: string, stdin: string, limits: SshLimits) => Promise<Ran>;
  readonly survey: (stack: DeployedStack) => Promise<Survey>;
  readonly wait: (seconds: number) => Promise<void>;
  /** Unix seconds. */
  readonly now: () => number;
}

/** The operator's own ssh: their config, keys and known hosts. A machine whose key is not known is refused. */
export function operatorsSsh(target: string, command: string, stdin: string, limits: SshLimits): Promise<Ran> {
  const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", `ConnectTimeout=${limits.dialSeconds ?? 15}`];
  const args = [...options.flatMap((option) => ["-o", option]), "--", target, command];
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", args, { stdio: "pipe", timeout: limits.seconds * 1000 });
    let [stdout, stderr, line] = ["", "", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const each of lines) limits.onLine?.(each);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", (error) => reject(Object.assign(new Error(`ssh: ${error.message}`), { reached: false })));
    child.on("close", (code) => resolve({ code: code ?? 255, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}

/** The world as it is. */
export const theWorld: Tools = {
  read: readStack,
  run: runOn,
  ssh: operatorsSsh,
  survey: (stack) => survey(stack),
  wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
  now: () => Date.now() / 1000,
};

/** What all steps of one call share. */
export interface Call {
  readonly stack: DeployedStack;
  readonly streams: Streams;
  readonly tools: Tools;
  /** Their folder; empty: wherever it is. */
  readonly home: string;
  /** Machines besides the stack's, as ssh takes them. */
  readonly also: readonly string[];
  readonly graceSeconds: number;
  readonly drainSeconds: number;
}

const limits = { dialSeconds: 15, seconds: 3600 };

/** Every machine that is asked: the stack's, then the others. */
export function placesOf({ stack, also }: Call): string[] {
  return [...machineNames(stack), ...also];
}

/** Runs a program on one machine. The error is a sentence for people. */
async function on(call: Call, host: string, program: string, onLine?: (line: string) => void): Promise<Ran | string> {
  const { stack, tools, also } = call;
  const given = { ...limits, ...(onLine !== undefined && { onLine }) };
  try {
    if (also.includes(host) && !stack.machines.has(host)) return await tools.ssh(host, bootstrap, program, given);
    return await tools.run(stack.machines.get(host), bootstrap, program, given);
  } catch (error) {
    if (error instanceof Error && "reached" in error) return `${host}: ${error.message}.`;
    throw error;
  }
}

function payload(call: Call, host: string, action: AdoptPayload["action"]): AdoptPayload {
  return { host, stack: call.stack.stack, action, home: call.home, drainSeconds: call.drainSeconds };
}

/** What a machine says of theirs; text when it cannot be asked. */
export async function lookOn(call: Call, host: string): Promise<AdoptSeen | string> {
  const ran = await on(call, host, adoptProgram(payload(call, host, "look")));
  if (typeof ran === "string") return ran;
  if (ran.code !== 0) return ran.stderr.trim() || `${host}: the look ended with ${ran.code} and said nothing.`;
  try {
    return seenOf(ran.stdout);
  } catch {
    return `${host}: its answer cannot be read.`;
  }
}

/** Does one step on a machine, its lines shown as they come. True when it ended well. */
export function stepOn(call: Call, host: string, action: AdoptPayload["action"]): Promise<boolean> {
  return shown(call, host, adoptProgram(payload(call, host, action)));
}

/** Has a balancer of ours prove once more what it publishes. */
export function confirmOn(call: Call, host: string): Promise<boolean> {
  return shown(call, host, confirmProgram({ host, stack: call.stack.stack, publishing: [host] }));
}

async function shown(call: Call, host: string, program: string): Promise<boolean> {
  const { out, err } = call.streams;
  const ran = await on(call, host, program, (line) => {
    if (line !== "") out(line.startsWith(`${host}: `) ? line : `${host}: ${line}`);
  });
  if (typeof ran !== "string" && ran.code === 0) return true;
  err(typeof ran === "string" ? ran : ran.stderr.trimEnd() || `${host}: ended with ${ran.code} and said nothing.`);
  return false;
}
