// npx softmap ps: the processes of every machine.
import { called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { theWorld, type Tools } from "../doctor/examine";

import { daemonOf, span, tableOf } from "./table";

const usage = `usage: npx softmap ps [--stack NAME] [--json]

Lists every unit of softmap's on every machine with its process, memory, age, and how often systemd had to start it again.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON

Exit code 1 when a machine cannot be asked.`;

/** Runs the command. */
export function main(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  const options = { ...stackOption, json: { type: "boolean" } } as const;
  return called(args, streams, { usage, options }, async ({ values }) => {
    const { machines } = await tools.look(await tools.read(values.stack), { quick: true });
    const rows = machines.flatMap(({ name, seen }) => (seen?.units ?? []).map((unit) => ({ host: name, ...unit })));
    const cells = rows.map(({ host, unit, pid, state, memoryMb, age, restarts }) => [
      host,
      daemonOf(unit),
      pid === null ? "-" : String(pid),
      state,
      memoryMb === null ? "-" : String(memoryMb),
      span(age),
      String(restarts),
    ]);
    const head = ["host", "daemon", "process", "state", "MiB", "up for", "restarts"];
    streams.out(values.json ? JSON.stringify(rows, null, 2) : tableOf(head, cells));
    const lost = machines.filter(({ error }) => error !== undefined);
    for (const { name, error } of lost) streams.err(`${name}: not reached: ${error}.`);
    return lost.length === 0 ? 0 : 1;
  });
}
