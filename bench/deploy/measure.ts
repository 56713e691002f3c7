import { connectionsOf, connectionsSince, type Lab } from "../../lab/lab";
import type { Cost } from "../deployFigures";
import { spentOn, type Command } from "../spent";
import type { Traffic } from "./traffic";

/** Where it is measured. */
export interface Site {
  readonly lab: Lab;
  /** A folder for the tools' files. */
  readonly folder: string;
  /** What a command of the deployer begins with: nothing, or that of a namespace. */
  readonly place: readonly string[];
  readonly traffic: Traffic;
}

/** Seconds within which a deployment must be done. */
const LIMIT = 1200;

/** Runs it and says what it cost. @throws Error with what it said last when it fails */
export async function measured({ lab, place, traffic }: Site, command: Command): Promise<Cost> {
  const before = await connectionsOf(lab);
  await traffic.begin();
  const { output: _said, ...cost } = await spentOn(command, LIMIT, place);
  const sentReceived = await traffic.read();
  const logins = Math.max(0, ...Object.values(await connectionsSince(lab, before)));
  return { ...cost, ...sentReceived, logins };
}
