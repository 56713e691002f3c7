// npx softmap logs: the journal of softmap's units, of all machines at once.
import { tailProgram } from "../../host/program";
import { runOn } from "../../host/runOn";
import { CallError, called, type Exit, knownNames, stackOption } from "../call";
import type { Streams } from "../check";
import { readStack } from "../stack";
import { namedBy, tellHost } from "./onHosts";
import type { DeployedStack } from "./survey";

const usage = `usage: npx softmap logs [--stack NAME] [-n LINES] [-f] [HOST|PROJECT...]

Prints what softmap's units wrote into the journals of all machines, or of those that are named; of a project what its tors and its
proxy wrote. Each line begins with its machine.

  -n LINES       lines of each machine from before now (default: 50)
  -f, --follow   and what comes, until you end it
  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)

Exit code 1 when a machine cannot be asked.`;

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly run: typeof runOn;
}

const mostLines = 100_000;
/** Following ends by itself at some time: nobody watches for longer. */
const day = 86_400;

/** Runs the command. */
export function main(
  args: readonly string[],
  streams: Streams,
  tools: Tools = { read: readStack, run: runOn },
): Promise<Exit> {
  const options = {
    ...stackOption,
    follow: { type: "boolean", short: "f" },
    lines: { type: "string", short: "n" },
  } as const;
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const lines = linesOf(values.lines);
    const stack = await tools.read(values.stack);
    const { hosts, projects, known } = namedBy(positionals, stack);
    knownNames(positionals, known, "machine or project");
    const follow = values.follow ?? false;
    const limits = { dialSeconds: 15, seconds: follow ? day : 120 };
    const went = await Promise.all(
      hosts.map((host) =>
        tellHost(host, tailProgram({ host, projects, lines, follow }), { stack, streams, run: tools.run, limits }),
      ),
    );
    return went.every(Boolean) ? 0 : 1;
  });
}

function linesOf(text = "50"): number {
  const lines = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (lines >= 0 && lines <= mostLines) return lines;
  throw new CallError(`-n takes a number of lines from 0 to ${mostLines}.`);
}
