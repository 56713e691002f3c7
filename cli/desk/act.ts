// npx softmap start, stop, restart, shutdown: units by hand. The plan stays as it is.
import { actProgram } from "../../host/program";
import { runOn } from "../../host/runOn";
import { CallError, called, type Exit, knownNames, stackOption } from "../call";
import type { Streams } from "../check";
import { readStack } from "../stack";
import type { Tools } from "./logs";
import { machineNames } from "./look";
import { namedBy, tellHost } from "./onHosts";

type Action = "start" | "stop" | "restart";

const stackLine = "  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)";
const lasting = `The plan is not changed by it. A machine that boots starts everything again, and \`pulumi up --refresh\` does so at once.`;

const usages: Readonly<Record<Action | "shutdown", string>> = {
  start: `usage: npx softmap start [--stack NAME] --all | HOST|PROJECT...

Starts what was released on the machines that are named, or what serves the projects that are named: proxies, then tors, then
Onionbalance, each healthy before the next. What runs already is left alone.

  --all          every machine of the stack
${stackLine}`,
  stop: `usage: npx softmap stop [--stack NAME] --all | HOST|PROJECT...

Stops what was released on the machines that are named, or what serves the projects that are named: Onionbalance, then tors, then proxies.
Readers of a stopped backend are cut off, and the descriptors go on naming it for up to an hour: to take a worker out without
that, drain it with the settings listed or workers (docs/changes.md). ${lasting}

  --all          every machine of the stack: all sites go
${stackLine}`,
  restart: `usage: npx softmap restart [--stack NAME] [--settle SECONDS] --all | HOST|PROJECT...

Restarts what was released on the machines that are named, or what serves the projects that are named: one machine after the other, one
unit at a time, each healthy before the next. A proxy hands its sockets over, so that no reader notices. A tor has other introduction
points after it: SECONDS go by before the next one, in which Onionbalance publishes them.

  --settle SECONDS   between two tors of backends (default: 180)
  --all              every machine of the stack
${stackLine}`,
  shutdown: `usage: npx softmap shutdown [--stack NAME] --yes

Stops everything on every machine of the stack: balancers first, so that nothing new is published of what stops. All sites go, and are
back after \`npx softmap start --all\`. ${lasting}

  --yes          do it
${stackLine}`,
};

const theWorld: Tools = { read: readStack, run: runOn };

/** Runs `start`. */
export const main = (args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> =>
  acted("start", args, streams, tools);
/** Runs `stop`. */
export const stop = (args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> =>
  acted("stop", args, streams, tools);
/** Runs `restart`. */
export const restart = (args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> =>
  acted("restart", args, streams, tools);

function acted(action: Action, args: readonly string[], streams: Streams, tools: Tools): Promise<Exit> {
  const options = {
    ...stackOption,
    all: { type: "boolean" },
    ...(action === "restart" && { settle: { type: "string" } as const }),
  } as const;
  return called(args, streams, { usage: usages[action], options }, async ({ values, positionals }) => {
    if ((values.all ?? false) === positionals.length > 0) {
      throw new CallError("Name machines or projects, or say --all.");
    }
    const settleSeconds = secondsOf("settle" in values ? String(values.settle) : undefined);
    const stack = await tools.read(values.stack);
    const { hosts, projects, known } = namedBy(positionals, stack);
    knownNames(positionals, known, "machine or project");
    const tell = (host: string): Promise<boolean> => {
      const program = actProgram({ host, stack: stack.stack, action, projects, settleSeconds });
      return tellHost(host, program, { stack, streams, run: tools.run });
    };
    return action === "restart"
      ? oneByOne(hosts, tell, settleSeconds, streams)
      : (await Promise.all(hosts.map(tell))).every(Boolean)
        ? 0
        : 1;
  });
}

/** Runs `shutdown`. */
export function shutdown(args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> {
  const options = { ...stackOption, yes: { type: "boolean" } } as const;
  return called(args, streams, { usage: usages.shutdown, options }, async ({ values, positionals }) => {
    if (positionals.length > 0) throw new CallError("shutdown takes no names: it stops everything. For a part: stop.");
    if (values.yes !== true) throw new CallError("This takes all sites of the stack down. Say --yes.");
    const stack = await tools.read(values.stack);
    const balancers = machineNames(stack).filter((name) => stack.balancers.includes(name));
    const others = machineNames(stack).filter((name) => !stack.balancers.includes(name));
    let good = true;
    for (const group of [balancers, others]) {
      const went = await Promise.all(
        group.map((host) => {
          const payload = { host, stack: stack.stack, action: "stop" as const, projects: [], settleSeconds: 0 };
          return tellHost(host, actProgram(payload), { stack, streams, run: tools.run });
        }),
      );
      good &&= went.every(Boolean);
    }
    return good ? 0 : 1;
  });
}

/** One machine after the other: a site may have no other backends. It stops at the first that fails. */
async function oneByOne(
  hosts: readonly string[],
  tell: (host: string) => Promise<boolean>,
  settleSeconds: number,
  { out, err }: Streams,
): Promise<Exit> {
  for (const [i, host] of hosts.entries()) {
    if (i > 0 && settleSeconds > 0) {
      out(`${host} in ${settleSeconds} s, when the new introduction points are published`);
      await new Promise((resolve) => setTimeout(resolve, settleSeconds * 1000));
    }
    if (await tell(host)) continue;
    const left = hosts.slice(i + 1);
    if (left.length > 0) err(`Left as they are: ${left.join(", ")}.`);
    return 1;
  }
  return 0;
}

function secondsOf(text = "180"): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CallError("--settle takes whole seconds, at most 9999.");
}
