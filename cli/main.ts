// npx softmap COMMAND ...: the operator's desk. Every command is a module of its own; this one knows their names.
import type { Streams } from "./check";
import { nearest } from "../config/words";

/** What runs a command: its words, and where it prints. Returns the exit code: 0 good, 1 something is wrong, 2 a wrong call. */
export type Main = (args: readonly string[], streams: Streams) => number | Promise<number>;

/** One command of the desk. */
export interface Command {
  /** @example "ob-status" */
  readonly name: string;
  readonly group: (typeof groups)[number];
  /** A line in the list of commands. */
  readonly summary: string;
  /** Its module, beside this file. */
  readonly module: string;
  /** The function of the module that runs it. @default "main" */
  readonly run?: string;
}

const groups = ["Look", "Explain", "Act", "Keep", "Move in", "Prepare"] as const;

/** Every command, in the order in which people read them. */
export const commands: readonly Command[] = [
  {
    name: "status",
    group: "Look",
    summary: "every machine, daemon and site, and what is wrong",
    module: "desk/status",
  },
  {
    name: "maps",
    group: "Look",
    summary: "which onion stands for which domain, and the backends that answer for it",
    module: "desk/maps",
  },
  {
    name: "ob-maps",
    group: "Look",
    summary: "onion and domain of each site",
    module: "desk/maps",
    run: "obMaps",
  },
  {
    name: "ob-status",
    group: "Look",
    summary: "what Onionbalance says of each site",
    module: "desk/publisher",
  },
  {
    name: "whoserves",
    group: "Look",
    summary: "whose introduction points are in a site's published descriptor",
    module: "desk/publisher",
    run: "whoserves",
  },
  {
    name: "open",
    group: "Look",
    summary: "fetch a site through Tor, and say how long it took",
    module: "desk/open",
  },
  {
    name: "ps",
    group: "Look",
    summary: "the processes of every machine",
    module: "desk/ps",
  },
  {
    name: "logs",
    group: "Look",
    summary: "the journal of softmap's units, of all machines at once",
    module: "desk/logs",
  },
  {
    name: "map",
    group: "Look",
    summary: "a picture of the stack: machines, daemons, sites, and how they are",
    module: "map",
  },
  {
    name: "doctor",
    group: "Explain",
    summary: "known faults, each with what to do and a page that explains it",
    module: "doctor",
  },
  {
    name: "monitoring",
    group: "Explain",
    summary: "configs for Prometheus and onionprobe, of this stack",
    module: "monitoring",
  },
  {
    name: "drain",
    group: "Act",
    summary: "leave backends out of the descriptors, and see who is left out",
    module: "desk/drain",
  },
  {
    name: "undrain",
    group: "Act",
    summary: "list backends again that were left out by hand",
    module: "desk/drain",
    run: "undrain",
  },
  {
    name: "start",
    group: "Act",
    summary: "start what stands",
    module: "desk/act",
  },
  {
    name: "stop",
    group: "Act",
    summary: "stop what serves a project, or a whole machine",
    module: "desk/act",
    run: "stop",
  },
  {
    name: "restart",
    group: "Act",
    summary: "restart unit by unit, each healthy before the next",
    module: "desk/act",
    run: "restart",
  },
  {
    name: "shutdown",
    group: "Act",
    summary: "stop everything on every machine",
    module: "desk/act",
    run: "shutdown",
  },
  {
    name: "rollback",
    group: "Act",
    summary: "take workers back to the release before, without Pulumi",
    module: "rollback",
  },
  {
    name: "backup",
    group: "Keep",
    summary: "state, config and site keys in one encrypted file",
    module: "backup",
  },
  {
    name: "restore",
    group: "Keep",
    summary: "the stack of a backup again, on a machine that has nothing",
    module: "restore",
  },
  {
    name: "mirror",
    group: "Keep",
    summary: "what every machine serves by and its journal, pulled here",
    module: "mirror",
  },
  {
    name: "import",
    group: "Move in",
    summary: "a stack config of Onionspray's or EOTK's, and their keys",
    module: "import",
  },
  {
    name: "adopt",
    group: "Move in",
    summary: "take over from running Onionspray or EOTK machines, without an outage",
    module: "adopt",
  },
  {
    name: "check",
    group: "Prepare",
    summary: "everything that is wrong with a stack's config, or its plan",
    module: "check",
  },
  {
    name: "hostkey",
    group: "Prepare",
    summary: "the host keys that a machine shows, to compare by eye",
    module: "hostkey",
  },
];

/** The function behind a command. Its module is loaded now: what one command needs is not loaded for another. */
export function mainOf({ module: path, run = "main" }: Command): Main {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is Node's own, and does not know cli/register.js
  const found = (require(`./${path}`) as Readonly<Record<string, Main>>)[run];
  if (found === undefined) throw new Error(`cli/${path} has no ${run}`);
  return found;
}

/** The list of all commands, for people. */
function listOf(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const blocks = groups.flatMap((group) => {
    const rows = commands.filter((command) => command.group === group);
    return rows.length === 0
      ? []
      : [[group, ...rows.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join("\n")];
  });
  return [
    "usage: npx softmap COMMAND [--help] ...",
    ...blocks,
    "Of the stack that is selected, or of another one with --stack NAME. Exit code 1: something is wrong. 2: a wrong call.",
  ].join("\n\n");
}

/** Runs a command by its name. */
export async function main(args: readonly string[], streams: Streams): Promise<number> {
  const [name = "help", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) {
    const asked = commands.find((command) => command.name === rest[0]);
    if (asked !== undefined) return mainOf(asked)(["--help"], streams);
    streams.out(listOf());
    return 0;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) {
    const meant = nearest(
      name,
      commands.map((each) => each.name),
    );
    streams.err(
      `There is no command ${name}.\n  Next: ${meant === undefined ? "npx softmap help lists them." : `did you mean ${meant}?`}`,
    );
    return 2;
  }
  return mainOf(command)(rest, streams);
}

if (require.main === module) {
  // Where the operator stands: on the way here lab/setup.sh went to the root of the clone.
  process.chdir(process.env["SOFTMAP_CALLED_IN"] ?? ".");
  main(process.argv.slice(2), { out: console.log, err: console.error }).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      console.error(error instanceof Error ? error.stack : String(error));
      process.exitCode = 1;
    },
  );
}
