// Programs of the take-over on the stack's machines, and on machines that are no part of it: by the operator's own ssh.
import { bootstrap, adoptProgram, confirmProgram } from "../../host/program";
import type { AdoptPayload } from "../../host/program";
import { runOn } from "../../host/runOn";
import type { Ran, SshLimits } from "../../host/ssh";
import type { Streams } from "../check";
import { machineNames, survey } from "../desk/look";
import { isSshError, tellHost } from "../desk/onHosts";
import type { DeployedStack, Survey } from "../desk/survey";
import { runProcess } from "../process";
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
  return runProcess("ssh", args, stdin, limits).catch((error: Error) => {
    throw Object.assign(new Error(`ssh: ${error.message}`), { reached: false });
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

/** The machines of one call: those besides the stack's by the operator's own ssh. */
function runnerOf({ stack, tools, also }: Call, host: string): typeof runOn {
  if (!also.includes(host) || stack.machines.has(host)) return tools.run;
  return (_, command, stdin, given) => tools.ssh(host, command, stdin, given);
}

function payload(call: Call, host: string, action: AdoptPayload["action"]): AdoptPayload {
  return { host, stack: call.stack.stack, action, home: call.home, drainSeconds: call.drainSeconds };
}

/** What a machine says of theirs; text when it cannot be asked. */
export async function lookOn(call: Call, host: string): Promise<AdoptSeen | string> {
  let ran: Ran;
  try {
    const program = adoptProgram(payload(call, host, "look"));
    ran = await runnerOf(call, host)(call.stack.machines.get(host), bootstrap, program, limits);
  } catch (error) {
    if (isSshError(error)) return `${host}: ${error.message}.`;
    throw error;
  }
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

function shown(call: Call, host: string, program: string): Promise<boolean> {
  const { stack, streams } = call;
  return tellHost(host, program, { stack, streams, run: runnerOf(call, host), limits });
}
