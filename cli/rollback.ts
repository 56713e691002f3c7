// npx softmap rollback [--stack NAME] [--look] [HOST...]: takes workers back to the release before, on the hosts. Pulumi runs nothing.
import { parseArgs } from "node:util";
import { nearest } from "../config/words";
import { bootstrap, rollbackProgram } from "../host/program";
import { runOn } from "../host/runOn";
import type { Streams } from "./check";
import { tellHost } from "./desk/onHosts";
import type { DeployedStack } from "./desk/survey";
import { readStack, StackError } from "./stack";

const usage = `usage: npx softmap rollback [--stack NAME] [--look] [HOST...]

Takes workers back to the release before the one that serves, on the hosts themselves: Pulumi runs nothing. All workers of the
stack, or those that are named. One goes first: when it fails, the others are left as they are; else they all follow at once.
A host finishes what it has begun also when this command is interrupted.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --look         say which release serves on each host and which it would go back to; change nothing`;

const note =
  "The stack's config still asks for what was rolled back: mend it before the next `pulumi up`. `pulumi up --refresh` finds the rollback and releases again.";

/** A host that is there answers at once. A step of `pulumi up` that holds it is waited for 15 minutes (host/release.py); units and proof take a few more. */
const limits = { dialSeconds: 15, seconds: 1800 };

/** What the command reaches the world with. */
export interface Tools {
  /** Reads the stack. Throws a {@link StackError}. */
  readonly read: (stack?: string) => Promise<DeployedStack>;
  /** Runs a command on a host. */
  readonly run: typeof runOn;
}

interface Asked {
  readonly stack: string | undefined;
  readonly look: boolean;
  readonly names: readonly string[];
}

/** Runs the command. Returns its exit code: 0 when every host did as asked, 1 when one did not or the stack cannot be read, 2 for a wrong call. */
export async function main(
  args: readonly string[],
  streams: Streams,
  tools: Tools = { read: readStack, run: runOn },
): Promise<0 | 1 | 2> {
  const asked = parse(args);
  if (typeof asked === "string") {
    if (asked === "help") streams.out(usage);
    else streams.err(`${asked}\n${usage}`);
    return asked === "help" ? 0 : 2;
  }
  let stack: DeployedStack;
  try {
    stack = await tools.read(asked.stack);
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    streams.err(error.message);
    return 1;
  }
  const wrong = asked.names.filter((name) => !stack.workers.includes(name)).map((name) => nameFault(name, stack));
  if (wrong.length > 0) {
    streams.err(`${wrong.join("\n")}\nNothing was done.`);
    return 2;
  }
  const hosts = asked.names.length > 0 ? [...new Set(asked.names)] : stack.workers;
  if (hosts.length === 0) {
    streams.err(`Stack ${stack.stack} has no workers.\n  Next: name another stack with --stack.`);
    return 1;
  }
  const command = asked.look ? `${bootstrap} look` : bootstrap;
  const on = { stack, streams, run: tools.run, command, what: "the rollback", limits };
  const tell = (host: string): Promise<boolean> => tellHost(host, rollbackProgram({ host, stack: stack.stack }), on);
  return asked.look ? look(hosts, tell, streams) : goBack(hosts, asked.stack, tell, streams);
}

/** The words of the call; text when it is wrong, `help` when that is asked for. */
function parse(args: readonly string[]): Asked | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { stack: { type: "string" }, look: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) return "help";
    if (values.stack === "") return "--stack takes a name.";
    return { stack: values.stack, look: values.look ?? false, names: positionals };
  } catch (error) {
    return (error as Error).message;
  }
}

function nameFault(name: string, { stack, machines, workers }: DeployedStack): string {
  const meant = nearest(name, workers);
  const next = meant === undefined ? `the workers are ${workers.join(", ") || "none"}.` : `did you mean ${meant}?`;
  const what = machines.has(name)
    ? `${name} is a balancer of stack ${stack}: only workers are taken back.`
    : `Stack ${stack} has no worker ${name}.`;
  return `${what}\n  Next: ${next}`;
}

type Tell = (host: string) => Promise<boolean>;

async function look(hosts: readonly string[], tell: Tell, { out }: Streams): Promise<0 | 1> {
  const went = await Promise.all(hosts.map(tell));
  out("Nothing was changed.");
  return went.every(Boolean) ? 0 : 1;
}

/** One host proves that the way back is open before all others take it. */
async function goBack(
  hosts: readonly string[],
  stack: string | undefined,
  tell: Tell,
  { out, err }: Streams,
): Promise<0 | 1> {
  const started = performance.now();
  const went = new Map<string, boolean>();
  for (const group of [hosts.slice(0, 1), hosts.slice(1)]) {
    if ([...went.values()].includes(false)) break;
    await Promise.all(group.map(async (host) => went.set(host, await tell(host))));
  }
  const back = hosts.filter((host) => went.get(host) === true);
  const failed = hosts.filter((host) => went.get(host) === false);
  const left = hosts.filter((host) => !went.has(host));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (back.length > 0) out(`rolled back in ${seconds} s: ${back.join(", ")}\n${note}`);
  if (failed.length === 0) return 0;
  // Those that went back are not named again: their release before is the one that they have just left.
  const again = ["npx softmap rollback", ...(stack === undefined ? [] : ["--stack", stack]), ...failed, ...left];
  const untouched = left.length > 0 ? ` Left as they are: ${left.join(", ")}.` : "";
  err(
    `failed after ${seconds} s: ${failed.join(", ")}.${untouched}\n  Next: see to what is named above, add --look to see what serves, then: ${again.join(" ")}`,
  );
  return 1;
}
