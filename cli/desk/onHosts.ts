// One program on several machines of a stack: what each says is shown as it comes, and what fails is said in its place.
import { bootstrap } from "../../host/program";
import type { runOn } from "../../host/runOn";
import type { SshError, SshLimits } from "../../host/ssh";
import type { Streams } from "../check";
import type { DeployedStack } from "./survey";

/** What a program runs with. */
export interface OnHost {
  readonly stack: DeployedStack;
  readonly streams: Streams;
  readonly run: typeof runOn;
  /** What is run there. @default the bootstrap, which runs the program as root */
  readonly command?: string;
  /** What ends, in the message of a program that said nothing. @example "the rollback" */
  readonly what?: string;
  /** @default 15 s for the login, half an hour for the program */
  readonly limits?: SshLimits;
}

/** Whether it is a machine's failure, to be told in its place, and none of ours. */
export const isSshError = (error: unknown): error is SshError => error instanceof Error && "reached" in error;

const patience = { dialSeconds: 15, seconds: 1800 };

/** Runs a program on one machine; its lines begin with the machine's name. True when it ended well. */
export async function tellHost(
  host: string,
  program: string,
  { stack, streams, run, command = bootstrap, what, limits }: OnHost,
): Promise<boolean> {
  const { out, err } = streams;
  // An empty line only proves that somebody listens: host/tail.py.
  const onLine = (line: string): void => {
    if (line !== "") out(line.startsWith(`${host}: `) ? line : `${host}: ${line}`);
  };
  try {
    const { code, stderr } = await run(stack.machines.get(host), command, program, {
      ...(limits ?? patience),
      onLine,
    });
    if (code === 0) return true;
    err(stderr.trimEnd() || `${host}: ${what === undefined ? "" : `${what} `}ended with ${code} and said nothing.`);
  } catch (error) {
    if (!isSshError(error)) throw error;
    err(`${host}: ${error.message}.`);
  }
  return false;
}

/**
 * The machines and projects that words name. Machines with none of the projects are left out; without a word both lists are everything.
 * A word that is both a machine's name and a project's is taken as the machine.
 */
export function namedBy(words: readonly string[], { machines, workers, balancers, sites, backends }: DeployedStack) {
  const hosts = words.filter((word) => machines.has(word));
  const projects = words.filter((word) => !machines.has(word));
  const running = workers.filter(
    (name) => projects.length === 0 || backends.some((each) => each.worker === name && projects.includes(each.project)),
  );
  const all = projects.length > 0 ? running : [...new Set([...workers, ...balancers])];
  return {
    projects,
    hosts: hosts.length > 0 ? hosts.filter((host) => all.includes(host)) : all,
    known: [...machines.keys(), ...new Set(sites.map(({ project }) => project))],
  };
}
