import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../lab/run";

/** What is run, and how. */
export interface Command {
  readonly argv: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What a command cost. */
export interface Spent {
  readonly seconds: number;
  /** User and system, of all its processes, in seconds. */
  readonly cpu: number;
  /** The most memory of all its processes together, in bytes, shared pages counted once. */
  readonly peak: number;
}

/**
 * Runs it and says what it cost: see spent.py.
 * @param limit seconds after which it is ended
 * @param place what its command line begins with: nothing, or a command that runs the rest in a network namespace
 * @returns what it cost, and what it said, errors too
 * @throws Error with what it said last when it fails, or that it was late
 */
export async function spentOn(
  command: Command,
  limit: number,
  place: readonly string[] = [],
): Promise<Spent & { readonly output: string }> {
  const folder = mkdtempSync(join(tmpdir(), "softmap-bench-"));
  try {
    const [result, said] = [join(folder, "result.json"), join(folder, "output.txt")];
    const wrapper = ["python3", join(__dirname, "spent.py"), String(limit), result, said];
    await run([...place, "env", "-C", command.folder, ...wrapper, ...command.argv], { env: command.environment });
    const { code, ...cost } = JSON.parse(readFileSync(result, "utf8")) as Spent & { readonly code: number };
    const output = readFileSync(said, "utf8");
    const what = `\`${command.argv.slice(0, 2).join(" ")}\``;
    if (code === LATE) throw new Error(`${what} does not end in ${limit} s`);
    if (code !== 0)
      throw new Error(`${what} ended with ${code}:\n${output.trimEnd().split("\n").slice(-60).join("\n")}`);
    return { ...cost, output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The code of spent.py for a command that it ended, as timeout(1) has it. */
const LATE = 124;
