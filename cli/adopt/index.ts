// npx softmap adopt look|take|back: takes over machines that run Onionspray or EOTK, without an outage.
import { isDuration, parseDuration } from "../../config/duration";
import { CallError, called, stackOption, type Exit } from "../call";
import type { Streams } from "../check";
import { theWorld, type Call, type Tools } from "./hosts";
import { textOf } from "./seen";
import { back, lookEverywhere, take } from "./take";

const usage = `usage: npx softmap adopt [look] [--stack NAME] [--dir PATH] [--also TARGET]... [--json]
       npx softmap adopt take [--stack NAME] [--dir PATH] [--also TARGET]... [--grace TIME] [--drain TIME]
       npx softmap adopt back [--stack NAME] [--dir PATH] [--also TARGET]...

Takes over what Onionspray or EOTK serves. Before it: the same sites with the same keys in this stack (npx softmap import), and
\`pulumi up\`, which puts ours beside theirs. Both publish then, and either answers.

  look   what runs of theirs on each machine, what it publishes, what starts it, what is in the way. Changes nothing.
  take   their publisher off; ours proves that it publishes alone, else theirs is started again; a grace time; their backends
         drained and off, and what starts them put off. May be interrupted, and run again.
  back   everything of theirs that was taken off runs again.

  --stack NAME    the stack, as pulumi takes it (default: the one that is selected)
  --dir PATH      their folder on the machines (default: looked for where it usually is, and by what runs)
  --also TARGET   a machine of theirs that is none of the stack's, as ssh(1) takes it: your ssh config, keys and known hosts
  --grace TIME    how long their backends go on after ours publishes alone (default: 10m)
  --drain TIME    how long connected readers are waited for (default: 2m)
  --json          look: as JSON, machine by machine`;

const options = {
  ...stackOption,
  dir: { type: "string" },
  also: { type: "string", multiple: true },
  grace: { type: "string" },
  drain: { type: "string" },
  json: { type: "boolean" },
} as const;

/** Runs the command. Returns its exit code: 0 when all went well, 1 when something is wrong or was refused, 2 for a wrong call. */
export function main(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const [action = "look", ...more] = positionals;
    if (!["look", "take", "back"].includes(action) || more.length > 0) {
      throw new CallError(`adopt takes one of look, take and back, not ${positionals.join(" ")}.`);
    }
    const home = values.dir ?? "";
    if (home !== "" && !home.startsWith("/")) throw new CallError("--dir takes an absolute path.");
    const also = [...new Set(values.also ?? [])];
    // A word that ssh would take for an option.
    const odd = also.find((target) => !/^[A-Za-z0-9_[]/.test(target));
    if (odd !== undefined)
      throw new CallError(`--also takes a machine as ssh does, e.g. admin@203.0.113.20, not ${odd}.`);
    if (values.json === true && action !== "look") throw new CallError("--json is for look.");
    const graceSeconds = secondsOf("--grace", values.grace ?? "10m");
    const drainSeconds = secondsOf("--drain", values.drain ?? "2m");
    const stack = await tools.read(values.stack);
    const call: Call = { stack, streams, tools, home, also, graceSeconds, drainSeconds };
    return action === "take" ? take(call) : action === "back" ? back(call) : look(call, values.json ?? false);
  });
}

async function look(call: Call, json: boolean): Promise<Exit> {
  const all = await lookEverywhere(call);
  if (all === undefined) return 1;
  const { out } = call.streams;
  out(
    json
      ? JSON.stringify(Object.fromEntries(all.map(({ name, seen }) => [name, seen])), null, 2)
      : textOf(all, call.stack),
  );
  if (!json) out("\nNothing was changed.");
  return 0;
}

function secondsOf(option: string, text: string): number {
  if (!isDuration(text)) throw new CallError(`${option} takes a time with its unit, e.g. 90s, 10m or 1h, not ${text}.`);
  return parseDuration(text);
}
