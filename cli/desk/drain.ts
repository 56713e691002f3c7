// npx softmap drain, undrain: backends out of the sites' descriptors by hand, and back. The plan stays as it is.
import { readStack } from "../stack";
import { runOn } from "../../host/runOn";
import { CallError, called, type Exit, knownNames, stackOption } from "../call";
import type { Streams } from "../check";
import { some } from "../doctor/view";
import { type DoorKit, type DoorSeen, bare, lastOf, leaveOut, listedOf, lookAtDoor, takeBack } from "./door";
import type { Tools } from "./logs";
import type { BackendKnown, DeployedStack } from "./survey";
import { span, tableOf } from "./table";

const drainUsage = `usage: npx softmap drain [--stack NAME] [--reason TEXT] [--timeout SECONDS] [--json] [HOST|BACKEND...]

Leaves backends out of their sites' descriptors, all of a worker or single ones, and waits until every directory that clients ask has
descriptors without them: then nobody new comes to them, and those who are there go on. They run on. Without a name it lists who is left
out now, by whom and since when. It lasts until \`npx softmap undrain\`, reboots and \`pulumi up\` included.

  --reason TEXT      what for; others read it (default: drained by hand)
  --timeout SECONDS  how long to wait (default: 60); the backends are left out as soon as it can be, also after that
  --stack NAME       the stack, as pulumi takes it (default: the one that is selected)
  --json             of the list, as JSON

Exit code 1 when it is not so in time, a balancer cannot be asked, or a site would have no backend left: then nothing is changed.`;

const undrainUsage = `usage: npx softmap undrain [--stack NAME] [--timeout SECONDS] --all | HOST|BACKEND...

Lists backends again that \`npx softmap drain\` (or a stop or restart that was cut off) has left out: the balancers fetch their descriptors
anew first, then publish them, and it waits until clients find each. What the watchdog leaves out comes back by itself when it answers.

  --all              every backend that was left out by hand
  --timeout SECONDS  how long to wait (default: 60)
  --stack NAME       the stack, as pulumi takes it (default: the one that is selected)

Exit code 1 when it is not so in time, or a balancer cannot be asked.`;

const theWorld: Tools = { read: readStack, run: runOn };
const options = { ...stackOption, timeout: { type: "string" } } as const;

/** Runs `drain`. */
export function main(args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> {
  const own = { ...options, reason: { type: "string" }, json: { type: "boolean" } } as const;
  return called(args, streams, { usage: drainUsage, options: own }, async ({ values, positionals }) => {
    const seconds = secondsOf(values.timeout);
    const stack = await tools.read(values.stack);
    const kit = { stack, streams, run: tools.run };
    if (positionals.length === 0) return list(kit, values.json ?? false);
    const backends = backendsNamed(positionals, stack);
    const { told: seen, lost } = await lookAtDoor(kit, backends);
    if (lost.length > 0) return failed(kit, lost, "Nothing was changed.");
    const listed = listedOf(seen, backends);
    if (listed.length === 0)
      return failed(kit, [], `No site lists ${some(positionals)}: there is nothing to leave out.`);
    const last = lastOf(seen, listed);
    if (last.length > 0) return failed(kit, [], refusal(last));
    const reason = values.reason ?? "drained by hand";
    return (await leaveOut(kit, { backends: listed, kind: "drain", reason, seconds }, seen)) ? 0 : notYet(kit);
  });
}

/** Runs `undrain`. */
export function undrain(args: readonly string[], streams: Streams, tools = theWorld): Promise<Exit> {
  const own = { ...options, all: { type: "boolean" } } as const;
  return called(args, streams, { usage: undrainUsage, options: own }, async ({ values, positionals }) => {
    if ((values.all ?? false) === positionals.length > 0)
      throw new CallError("Name workers or backends, or say --all.");
    const seconds = secondsOf(values.timeout);
    const stack = await tools.read(values.stack);
    const kit = { stack, streams, run: tools.run };
    const named = values.all ? stack.backends : backendsNamed(positionals, stack);
    const { told: seen, lost } = await lookAtDoor(kit, named);
    if (lost.length > 0) return failed(kit, lost, "Nothing was changed.");
    const byHand = new Set(seen.flatMap(({ marks }) => marks.filter(({ by }) => by === "operator")).map(addressOf));
    const backends = named.filter(({ address }) => byHand.has(bare(address)));
    if (backends.length === 0) {
      streams.out(values.all ? "Nobody is left out by hand." : `Nobody of ${some(positionals)} is left out by hand.`);
      return 0;
    }
    return (await takeBack(kit, { backends, kind: "drain", seconds }, seen)) ? 0 : 1;
  });
}

const addressOf = ({ address }: { readonly address: string }): string => address;

/** Seconds of `--timeout`. @throws {CallError} */
export function secondsOf(text = "60"): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CallError("--timeout takes whole seconds, at most 9999.");
}

/** Backends by their names and by their workers'. @throws {CallError} for a name that is neither */
function backendsNamed(words: readonly string[], { workers, backends }: DeployedStack): BackendKnown[] {
  knownNames(words, [...workers, ...backends.map(({ name }) => name)], "worker or backend");
  return backends.filter(({ name, worker }) => words.includes(name) || words.includes(worker));
}

/** Why some cannot be left out. */
function refusal(last: ReturnType<typeof lastOf>): string {
  const sites = [...new Set(last.map(({ domain }) => domain))];
  const names = some(last.map(({ backend }) => backend.name));
  return `${names} cannot be left out: ${some(sites)} would have no backend left that answers. Nothing was changed.\n  Next: name fewer of them; npx softmap drain lists who is left out already.`;
}

function failed({ streams: { err } }: DoorKit, lost: readonly string[], what: string): Exit {
  err([...lost, what].join("\n"));
  return 1;
}

function notYet({ streams: { err } }: DoorKit): Exit {
  err(
    "They stay in the list, and are left out as soon as it can be.\n  Next: npx softmap doctor says what is in the way; npx softmap undrain takes it back.",
  );
  return 1;
}

/** Who is left out now, by balancer where they do not say the same. */
async function list(kit: DoorKit, json: boolean): Promise<Exit> {
  const { told, lost } = await lookAtDoor(kit, []);
  kit.streams.out(json ? JSON.stringify(told, null, 2) : listText(told));
  if (lost.length > 0) kit.streams.err(lost.join("\n"));
  return lost.length > 0 ? 1 : 0;
}

function listText(told: readonly DoorSeen[]): string {
  const rows = new Map<string, { cells: readonly string[]; balancers: string[] }>();
  for (const { balancer, marks } of told)
    for (const { name, by, why, age, kept } of marks) {
      const key = JSON.stringify([name, by, kept]);
      const row = rows.get(key) ?? { cells: [why, name, by, span(age), kept ? "listed" : "left out"], balancers: [] };
      row.balancers.push(balancer);
      rows.set(key, row);
    }
  if (rows.size === 0) return "Nobody is left out.";
  const many = told.length > 1;
  const head = ["backend", "by", "for", "now", ...(many ? ["balancer"] : []), "why"];
  return tableOf(
    head,
    [...rows.values()].map(({ cells: [why = "", ...own], balancers }) => [
      ...own,
      ...(many ? [balancers.join(",")] : []),
      why,
    ]),
  );
}
