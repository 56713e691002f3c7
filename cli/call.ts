// What every command of the desk shares: its words, its usage, and how a call ends that cannot be done.
import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearest } from "../config/words";
import type { Streams } from "./check";
import { StackError } from "./stack";

/** 0: good. 1: something is wrong. 2: a wrong call. */
export type Exit = 0 | 1 | 2;

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What the words of a call mean. */
export type Words<O extends Options> = ReturnType<typeof parseArgs<Asked<O>>>;

interface Asked<O extends Options> {
  readonly args: string[];
  readonly options: O;
  readonly allowPositionals: true;
}

/** A call that cannot be meant so. The message says why. */
export class CallError extends Error {}

/** Words that every command of a deployed stack takes. */
export const stackOption = { stack: { type: "string" } } as const;

/**
 * Reads a call and does its work. `--help` prints the usage; a wrong call prints what is wrong and the usage, and ends with 2; a stack that cannot
 * be read ends with 1.
 */
export async function called<const O extends Options>(
  args: readonly string[],
  { out, err }: Streams,
  { usage, options }: { readonly usage: string; readonly options: O },
  work: (words: Words<O>) => Promise<Exit>,
): Promise<Exit> {
  if (args.includes("--help") || args.includes("-h")) {
    out(usage);
    return 0;
  }
  try {
    return await work(words(args, options));
  } catch (error) {
    if (error instanceof CallError) err(`${error.message}\n\n${usage}`);
    else if (error instanceof StackError) err(error.message);
    else throw error;
    return error instanceof CallError ? 2 : 1;
  }
}

function words<const O extends Options>(args: readonly string[], options: O): Words<O> {
  try {
    const found: Words<O> = parseArgs<Asked<O>>({
      args: [...args],
      allowPositionals: true,
      options,
    });
    const empty = Object.entries(found.values).find(([, value]) => value === "");
    if (empty !== undefined) throw new CallError(`--${empty[0]} takes a value.`);
    return found;
  } catch (error) {
    throw error instanceof CallError ? error : new CallError((error as Error).message);
  }
}

/** Refuses names that are none of the known ones. @throws {CallError} with the nearest known name for each */
export function knownNames(given: readonly string[], known: readonly string[], what: string): void {
  const wrong = given.filter((name) => !known.includes(name));
  if (wrong.length === 0) return;
  const lines = wrong.map((name) => {
    const meant = nearest(name, known);
    const next = meant === undefined ? `there is ${known.join(", ") || "none"}.` : `did you mean ${meant}?`;
    return `There is no ${what} ${name}.\n  Next: ${next}`;
  });
  throw new CallError(lines.join("\n"));
}
