// npx softmap doctor: what is wrong with a stack, what to do about it, and the page that explains it.
import { backupWarning } from "../backup/warning";
import { called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { survey } from "../desk/look";
import type { DeployedStack } from "../desk/survey";
import { readStack } from "../stack";
import { diagnose } from "./diagnose";
import { reportText } from "./report";

const usage = `usage: npx softmap doctor [--stack NAME] [--quick] [--json]

Asks every machine of a stack, all at once, and looks for known faults: each with what to do, and the page that explains it. What follows
from another fault stands under that one. Changes nothing, and waits for no \`pulumi up\`.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --quick        ask the machines alone: no descriptor from the network, no site of its origin
  --json         the findings as JSON (cli/doctor/finding.ts has their form)

Exit code 1 when a finding is red.`;

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly look: typeof survey;
  /** What is to be said of the stack's backups. @default cli/backup/warning.ts */
  readonly backups?: typeof backupWarning;
}

/** Runs the command. */
export function main(
  args: readonly string[],
  { out, err }: Streams,
  tools: Tools = { read: readStack, look: survey },
): Promise<Exit> {
  const options = { ...stackOption, quick: { type: "boolean" }, json: { type: "boolean" } } as const;
  return called(args, { out, err }, { usage, options }, async ({ values }) => {
    const found = await tools.look(await tools.read(values.stack), { quick: values.quick ?? false });
    const findings = diagnose(found);
    const { stack, taken } = found;
    const backups = (tools.backups ?? backupWarning)(found);
    const text = [reportText(found, findings), ...(backups === undefined ? [] : [backups])].join("\n\n");
    out(values.json ? JSON.stringify({ stack, taken, findings, backups: backups ?? null }, null, 2) : text);
    return findings.some(({ severity }) => severity === "red") ? 1 : 0;
  });
}
