// npx softmap start, stop, restart, shutdown: units by hand. The plan stays as it is.
import { actProgram } from "../../host/program";
import { runOn } from "../../host/runOn";
import type { ActPayload } from "../../host/payload";
import { CallError, called, type Exit, knownNames, stackOption } from "../call";
import type { Streams } from "../check";
import { readStack } from "../stack";
import type { DoorKit } from "./door";
import { secondsOf } from "./drain";
import type { Tools } from "./logs";
import { machineNames } from "./look";
import { namedBy, tellHost } from "./onHosts";
import { backAfterStart, partsOf, through, stopThrough } from "./planned";
import type { BackendKnown } from "./survey";

type Action = ActPayload["action"];

const stackLine = "  --stack NAME       the stack, as pulumi takes it (default: the one that is selected)";
const lasting = `The plan is not changed by it. A machine that boots starts everything again, and \`pulumi up --refresh\` does so at once.`;
const doorLines = `  --now              do not leave backends out first: visitors of what goes down are cut off
  --timeout SECONDS  how long to wait for the descriptors (default: 180)`;

const usages: Readonly<Record<Action | "shutdown", string>> = {
  start: `usage: npx softmap start [--stack NAME] --all | HOST|PROJECT...

Starts what was released on the machines that are named, or what serves the projects that are named: proxies, then tors, then
Onionbalance, each healthy before the next. What runs already is left alone. Backends that \`npx softmap stop\` left out are listed again.

  --all              every machine of the stack
${stackLine}`,
  stop: `usage: npx softmap stop [--stack NAME] [--now] [--timeout SECONDS] --all | HOST|PROJECT...

Stops what was released on the machines that are named, or what serves the projects that are named: Onionbalance, then tors, then proxies.
Backends whose sites have others are left out of the descriptors first, as \`npx softmap drain\` does, so that nobody new comes to them;
they stay left out until \`npx softmap start\`. ${lasting}

  --all              every machine of the stack: all sites go
${doorLines}
${stackLine}`,
  restart: `usage: npx softmap restart [--stack NAME] [--now] [--timeout SECONDS] --all | HOST|PROJECT...

Restarts what was released on the machines that are named, or what serves the projects that are named: one machine after the other, one
unit at a time, each healthy before the next. A proxy hands its sockets over, so that no reader notices. The backends of a machine are
left out of the descriptors while their tors are restarted, and are listed again, with their new introduction points, before the next
machine's turn. A site that has backends on that machine alone keeps all but one of them; where there is only one, its visitors notice.

  --all              every machine of the stack
${doorLines}
${stackLine}`,
  shutdown: `usage: npx softmap shutdown [--stack NAME] --yes

Stops everything on every machine of the stack: balancers first, so that nothing new is published of what stops. All sites go, and are
back after \`npx softmap start --all\`. ${lasting}

  --yes              do it
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

/** What a call asks for. */
interface Wanted {
  readonly hosts: readonly string[];
  /** Backends whose tors it is about, by machine. */
  readonly of: (host: string) => readonly BackendKnown[];
  readonly tell: (host: string, part?: Pick<ActPayload, "only" | "without">) => Promise<boolean>;
  readonly now: boolean;
  readonly seconds: number;
}

function acted(action: Action, args: readonly string[], streams: Streams, tools: Tools): Promise<Exit> {
  const options = {
    ...stackOption,
    all: { type: "boolean" },
    ...(action !== "start" && ({ now: { type: "boolean" }, timeout: { type: "string" } } as const)),
  } as const;
  return called(args, streams, { usage: usages[action], options }, async ({ values, positionals }) => {
    if ((values.all ?? false) === positionals.length > 0) {
      throw new CallError("Name machines or projects, or say --all.");
    }
    const seconds = secondsOf("timeout" in values ? String(values.timeout) : "180");
    const stack = await tools.read(values.stack);
    const { hosts, projects, known } = namedBy(positionals, stack);
    knownNames(positionals, known, "machine or project");
    const kit = { stack, streams, run: tools.run };
    const mine = ({ project }: BackendKnown): boolean => projects.length === 0 || projects.includes(project);
    const wanted: Wanted = {
      ...{ hosts, seconds, now: "now" in values && values.now === true },
      of: (host) => stack.backends.filter((each) => each.worker === host && mine(each)),
      tell: (host, part) => tellHost(host, actProgram({ host, stack: stack.stack, action, projects, ...part }), kit),
    };
    if (action === "restart") return oneByOne(kit, wanted);
    const backends = hosts.flatMap(wanted.of);
    if (action === "stop" && !wanted.now && !(await stopThrough(kit, backends, seconds))) return 1;
    const good = (await Promise.all(hosts.map((host) => wanted.tell(host)))).every(Boolean);
    if (action === "start" && good && !(await backAfterStart(kit, backends, seconds))) return 1;
    return good ? 0 : 1;
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
          const payload = { host, stack: stack.stack, action: "stop" as const, projects: [] };
          return tellHost(host, actProgram(payload), { stack, streams, run: tools.run });
        }),
      );
      good &&= went.every(Boolean);
    }
    return good ? 0 : 1;
  });
}

/** One machine after the other: a site may have no other backends. It stops at the first that fails. */
async function oneByOne(kit: DoorKit, wanted: Wanted): Promise<Exit> {
  for (const [i, host] of wanted.hosts.entries()) {
    if (await restarted(kit, host, wanted)) continue;
    const left = wanted.hosts.slice(i + 1);
    if (left.length > 0) kit.streams.err(`Left as they are: ${left.join(", ")}.`);
    return 1;
  }
  return 0;
}

/** Restarts a machine: its backends together where their sites have others, else one after the other. */
async function restarted(kit: DoorKit, host: string, { of, tell, now, seconds }: Wanted): Promise<boolean> {
  const backends = of(host);
  if (now || backends.length === 0) return tell(host);
  const parts = await partsOf(kit, backends);
  if (parts === undefined) return false;
  const [first, ...later] = parts;
  const without = later.flatMap((part) => part.backends.map(({ name }) => name));
  const whole = (): Promise<boolean> => tell(host, without.length === 0 ? {} : { without });
  if (!(first === undefined ? await whole() : await through(kit, first, whole, seconds))) return false;
  for (const part of later) {
    const only = part.backends.map(({ name }) => name);
    if (!(await through(kit, part, () => tell(host, { only }), seconds))) return false;
  }
  return true;
}
