import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connectionsOf, connectionsSince, type Lab } from "../../lab/lab";
import { run } from "../../lab/run";
import type { Cost } from "../deployFigures";
import type { Traffic } from "./traffic";

/** What is run, and how. */
export interface Command {
  readonly argv: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** Where it is measured. */
export interface Site {
  readonly lab: Lab;
  /** A folder for what the command says. */
  readonly folder: string;
  /** What a command of the deployer begins with: nothing, or that of a namespace. */
  readonly place: readonly string[];
  readonly traffic: Traffic;
}

/** Seconds within which a deployment must be done. */
const LIMIT = 1200;

interface Result {
  readonly code: number;
  readonly seconds: number;
  readonly cpu: number;
  readonly peak: number;
}

/** Runs it and says what it cost. @throws Error with what it said last when it fails */
export async function measured({ lab, folder, place, traffic }: Site, command: Command): Promise<Cost> {
  const [result, output] = [join(folder, "result.json"), join(folder, "output.txt")];
  const wrapper = ["python3", join(__dirname, "measure.py"), String(LIMIT), result, output];
  const before = await connectionsOf(lab);
  await traffic.begin();
  await run([...place, "env", "-C", command.folder, ...wrapper, ...command.argv], { env: command.environment });
  const { sent, received } = await traffic.read();
  const { code, seconds, cpu, peak } = JSON.parse(readFileSync(result, "utf8")) as Result;
  if (code !== 0) {
    const said = readFileSync(output, "utf8").trimEnd().split("\n").slice(-60).join("\n");
    throw new Error(`\`${command.argv.slice(0, 2).join(" ")}\` ended with ${code}:\n${said}`);
  }
  const logins = Math.max(0, ...Object.values(await connectionsSince(lab, before)));
  return { seconds, cpu, peak, logins, sent, received };
}
