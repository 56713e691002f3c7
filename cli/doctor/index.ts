// npx softmap doctor: what is wrong with a stack, what to do about it, and the page that explains it.
import { called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { examine, lookOptions, theWorld, type Tools, withBackups } from "./examine";
import { reportText } from "./report";

const usage = `usage: npx softmap doctor [--stack NAME] [--quick] [--json]

Asks every machine of a stack, all at once, and looks for known faults: each with what to do, and the page that explains it. What follows
from another fault stands under that one. Changes nothing, and waits for no \`pulumi up\`.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --quick        ask the machines alone: no descriptor from the network, no site of its origin
  --json         the findings as JSON (cli/doctor/finding.ts has their form)

Exit code 1 when a finding is red.`;

/** Runs the command. */
export function main(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  const options = { ...stackOption, ...lookOptions };
  return called(args, streams, { usage, options }, async ({ values }) => {
    const { found, findings, backups, exit } = await examine(values, tools);
    const { stack, taken } = found;
    streams.out(
      values.json
        ? JSON.stringify({ stack, taken, findings, backups: backups ?? null }, null, 2)
        : withBackups(reportText(found, findings), backups),
    );
    return exit;
  });
}
