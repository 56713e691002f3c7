// npx softmap mirror [--stack NAME] DIR: what every machine serves by and what its units wrote, pulled here. Keys stay where they are.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isRecord } from "../config/place";
import { bootstrap, mirrorProgram } from "../host/program";
import { runOn } from "../host/runOn";
import { plainPath } from "./backup/tar";
import { CallError, called, type Exit, stackOption } from "./call";
import type { Streams } from "./check";
import { machineNames } from "./desk/look";
import { isSshError } from "./desk/onHosts";
import type { DeployedStack } from "./desk/survey";
import { readStack } from "./stack";

const usage = `usage: npx softmap mirror [--stack NAME] [--hours N] [--most MB] DIR

Pulls from every machine, all at once, what it serves by and what softmap's units wrote: DIR/HOST/releases/ROLE/... are the files of the
serving releases, DIR/HOST/journal.log is the journal. What was mirrored before is replaced, machine by machine; of one that cannot be asked it stays.
Keys are in no release, and a file that holds one is left where it is and named. All files are yours alone (0600).

  --hours N       how far back the journal goes (default: 24)
  --most MB       at most so much of each journal, its newest lines (default: 8)
  --stack NAME    the stack, as pulumi takes it (default: the one that is selected)

Exit code 1 when a machine cannot be asked, or keeps a file back.`;

const options = { ...stackOption, hours: { type: "string" }, most: { type: "string" } } as const;

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly run: typeof runOn;
}

const limits = { dialSeconds: 15, seconds: 300 };

/** Runs the command. */
export function main(
  args: readonly string[],
  streams: Streams,
  tools: Tools = { read: readStack, run: runOn },
): Promise<Exit> {
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const [folder, ...more] = positionals;
    if (folder === undefined || more.length > 0) throw new CallError("One folder is taken: DIR.");
    const hours = numberOf("hours", values.hours ?? "24", 24 * 366);
    const bytes = numberOf("most", values.most ?? "8", 256) * 1_000_000;
    const stack = await tools.read(values.stack);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      streams.err(
        `${folder} cannot be made (${(error as NodeJS.ErrnoException).code}).\n  Next: name a folder of yours.`,
      );
      return 1;
    }
    const went = await Promise.all(
      machineNames(stack).map((host) => mirrorHost(host, stack, { folder, hours, bytes, streams, run: tools.run })),
    );
    return went.every(Boolean) ? 0 : 1;
  });
}

function numberOf(name: string, text: string, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new CallError(`--${name} takes a number from 1 to ${most}.`);
}

interface Job {
  readonly folder: string;
  readonly hours: number;
  readonly bytes: number;
  readonly streams: Streams;
  readonly run: typeof runOn;
}

/** What a machine said. */
interface Answer {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly journal: Buffer;
  readonly cut: boolean;
  readonly refused: readonly string[];
}

async function mirrorHost(host: string, { machines }: DeployedStack, job: Job): Promise<boolean> {
  const { folder, hours, bytes, streams, run } = job;
  const { out, err } = streams;
  try {
    const program = mirrorProgram({ host, hours, bytes });
    const { code, stdout, stderr } = await run(machines.get(host), bootstrap, program, limits);
    if (code !== 0) {
      err(stderr.trimEnd() || `${host}: ended with ${code} and said nothing.`);
      return false;
    }
    const { files, journal, cut, refused } = answerOf(stdout);
    put(join(folder, host), files, journal);
    const older = cut ? `, older lines left out (--most)` : "";
    out(`${host}: ${files.size} files, ${journal.length} bytes of journal${older}`);
    if (refused.length === 0) return true;
    err(
      `${host}: kept back, there is a private key in it: ${refused.join(", ")}.\n  Next: find out who put it there; regard it as seen.`,
    );
  } catch (error) {
    if (error instanceof AnswerError) err(`${host}: ${error.message}\n  Next: find out what runs there.`);
    else if (isSshError(error)) err(`${host}: ${error.message}.`);
    else if (error instanceof Error && "code" in error)
      err(`${host}: ${join(folder, host)} cannot be written (${String(error.code)}).\n  Next: see to the folder.`);
    else throw error;
  }
  return false;
}

/** A machine's answer that is none of our program's: a machine may be in other hands. */
class AnswerError extends Error {}

// The same as host/mirror.py looks for: nothing of it is written here, whatever a machine sends.
const keyMarks = [
  "PRIVATE KEY-----",
  "== ed25519v1-secret",
  "PT0gZWQyNTUxOXYxLXNlY3JldDog",
  "ED25519-V3:",
  "AGE-SECRET-KEY-",
];

/** Reads an answer, line by line; lines that are no JSON are the bootstrap's. @throws {AnswerError} */
export function answerOf(stdout: string): Answer {
  const files = new Map<string, Buffer>();
  const pieces: Buffer[] = [];
  const refused: string[] = [];
  let end: { readonly cut: boolean; readonly refused: readonly string[] } | undefined;
  for (const line of stdout.split("\n").filter((each) => each.startsWith("{"))) {
    const said = parsed(line);
    if (typeof said["file"] === "string" && typeof said["base64"] === "string") {
      const path = said["file"];
      if (!plainPath(path, 1000)) throw new AnswerError("it names a file that no release has.");
      const data = Buffer.from(said["base64"], "base64");
      if (holdsKey(data)) refused.push(path);
      else files.set(path, data);
    } else if (typeof said["journal"] === "string") pieces.push(Buffer.from(said["journal"], "base64"));
    else if (Array.isArray(said["refused"]))
      end = { cut: said["cut"] === true, refused: said["refused"].map((each) => String(each).slice(0, 200)) };
  }
  if (end === undefined) throw new AnswerError("its answer has no end.");
  let journal = Buffer.concat(pieces);
  if (holdsKey(journal)) {
    refused.push("the journal");
    journal = Buffer.alloc(0);
  }
  return { files, journal, cut: end.cut, refused: [...end.refused, ...refused] };
}

const holdsKey = (data: Buffer): boolean => keyMarks.some((mark) => data.includes(mark));

function parsed(line: string): Record<string, unknown> {
  try {
    const said: unknown = JSON.parse(line);
    if (isRecord(said)) return said;
  } catch {
    // said below
  }
  throw new AnswerError("its answer cannot be read.");
}

/** Writes what a machine said beside what is there, then puts it in its place: nothing else in the machine's folder is touched. */
function put(folder: string, files: ReadonlyMap<string, Buffer>, journal: Buffer): void {
  const place = (name: string): string => join(folder, name);
  const fresh = place(".softmap-new");
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(join(fresh, "releases"), { recursive: true, mode: 0o700 });
  for (const [path, data] of files) {
    const file = join(fresh, "releases", path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, data, { mode: 0o600 });
  }
  writeFileSync(join(fresh, "journal.log"), journal, { mode: 0o600 });
  for (const name of ["releases", "journal.log"]) {
    rmSync(place(name), { recursive: true, force: true });
    renameSync(join(fresh, name), place(name));
  }
  rmSync(fresh, { recursive: true, force: true });
}
