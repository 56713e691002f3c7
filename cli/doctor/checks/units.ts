// What runs on a machine: units, their tors' ways into the network, what runs and should not.
import { count } from "../../../config/words";
import { daemonOf, span } from "../../desk/table";
import type { MachineSeen, TorSeen, UnitSeen } from "../../desk/survey";
import { follows, type Check, type Told } from "../finding";
import { groupedBy, runs, seenAs, some, unitNamed, younger, type Seen, type View } from "../view";

/** A unit that systemd has begun so lately has not come to everything yet. */
const freshSeconds = 60;
/** What a tor needs to have its first circuits and introduction points after it has come up. */
export const pointSeconds = 180;
/** Restarts of its own since somebody started it, and how lately the last one was: then it keeps falling. */
const fallen = { restarts: 3, seconds: 600 };

/** It does not do what it is planned to. */
const isDown = (unit: UnitSeen): boolean => unit.planned === "run" && !runs(unit);

/** Of these the end is told by the checks "publishing" and "watchdog". */
const toldElsewhere = ({ kind }: UnitSeen): boolean =>
  kind === "onionbalance" || kind === "watchdog" || kind === "prober tor";

/** A machine's tors but the watchdog's own, which no reader comes through. */
const serving = (seen: MachineSeen): readonly TorSeen[] =>
  seen.tors.filter(({ unit: of }) => unitNamed(seen, of)?.kind !== "prober tor");

/** The units of a machine that are down, in one sentence; undefined: none is. */
function downText(name: string, { units }: MachineSeen, among: (unit: UnitSeen) => boolean): string | undefined {
  const down = units.filter((unit) => isDown(unit) && !toldElsewhere(unit) && among(unit));
  if (down.length === 0) return undefined;
  const each = down.map(({ unit, state, sub, restarts }) => {
    const again = restarts > 0 ? `, ${count(restarts, "restart")}` : "";
    return `${daemonOf(unit)} (${state}/${sub}${again})`;
  });
  return `${count(down.length, "unit")} on ${name} ${down.length === 1 ? "does" : "do"} not run: ${some(each)}.`;
}

/** Under way up or down: not yet a fault, but no service either. An auto-restart is one: it has fallen. */
const underWay = ({ state, sub }: UnitSeen): boolean =>
  (state === "activating" && sub !== "auto-restart") || state === "deactivating";

const downTexts = (name: string, seen: MachineSeen) => ({
  red: downText(name, seen, (unit) => !underWay(unit)),
  amber: downText(name, seen, underWay),
});

/** Why a unit does nothing, as the finding says it; undefined: it runs. */
export function unitFault(view: View, name: string, unit: string): string | undefined {
  const seen = seenAs(view, name);
  const its = seen && unitNamed(seen, unit);
  if (seen === undefined || its === undefined || toldElsewhere(its)) return undefined;
  if (isDown(its)) return downTexts(name, seen)[underWay(its) ? "amber" : "red"];
  const tor = seen.tors.find((each) => each.unit === unit);
  return tor && silentText(name, tor, its);
}

/** A tor that runs and does not answer. */
function silentText(name: string, { unit, error }: TorSeen, its: UnitSeen | undefined): string | undefined {
  if (error === null || (its && (isDown(its) || younger(its, freshSeconds)))) return undefined;
  return `${daemonOf(unit)} on ${name} runs and does not answer on its control socket: ${error.replace(/\.$/, "")}.`;
}

export const unit: Check = {
  name: "unit",
  looksFor: "units that are down, keep falling, or do not start at boot",
  find: ({ seen }) => seen.flatMap((machine) => unitsOf(machine)),
};

function unitsOf({ name, seen }: Seen): Told[] {
  const told = (severity: Told["severity"], what: string | undefined, next: string): Told[] =>
    what === undefined ? [] : [{ severity, subject: name, what, next }];
  const named = (text: string, among: (unit: UnitSeen) => boolean): string | undefined => {
    const found = seen.units.filter(among).map((each) => daemonOf(each.unit));
    return found.length === 0 ? undefined : `${text}: ${some(found)}.`;
  };
  const { red, amber } = downTexts(name, seen);
  return [
    ...told(
      "red",
      red,
      `npx softmap logs ${name} says why; then npx softmap start ${name}, or sudo systemctl start there.`,
    ),
    ...told("amber", amber, "Look again in a minute: systemd is at it."),
    ...serving(seen).flatMap((tor) =>
      told(
        "red",
        silentText(name, tor, unitNamed(seen, tor.unit)),
        `On ${name}: sudo systemctl restart ${tor.unit}. npx softmap logs ${name} shows what it said before.`,
      ),
    ),
    ...told(
      "amber",
      named(
        `Units on ${name} have fallen ${fallen.restarts} times and more, the last time in these ${span(fallen.seconds)}`,
        keepsFalling,
      ),
      `npx softmap logs ${name} says why they end.`,
    ),
    ...told(
      "amber",
      named(`Units on ${name} are not started at boot`, (each) => each.planned === "run" && !each.enabled),
      "pulumi up --refresh enables them, or sudo systemctl enable there.",
    ),
    ...told(
      "amber",
      named(`Units on ${name} run and should stand by`, (each) => each.planned === "stand by" && runs(each)),
      "pulumi up --refresh stops them. Two that publish the same site overwrite one another.",
    ),
  ];
}

const keepsFalling = (each: UnitSeen): boolean =>
  each.planned === "run" && runs(each) && each.restarts >= fallen.restarts && younger(each, fallen.seconds);

/** What keeps one tor off the network; undefined: nothing, or it is told elsewhere. */
function guardTrouble(tor: TorSeen, its: UnitSeen | undefined): string | undefined {
  if (tor.error !== null || (its && (!runs(its) || younger(its, freshSeconds)))) return undefined;
  const { bootstrapped, summary, guards, circuits } = tor;
  if (bootstrapped !== null && bootstrapped < 100) return `stands at ${bootstrapped} % (${summary ?? "no summary"})`;
  if (guards !== null && guards.up === 0) return `can use none of its ${count(guards.all, "guard")}`;
  return circuits === false ? "has no circuit that works" : undefined;
}

/** A backend keeps no introduction point, though it had time for one. */
function noPoint({ backend, error }: TorSeen, its: UnitSeen | undefined): boolean {
  if (error !== null || (its && (!runs(its) || younger(its, pointSeconds)))) return false;
  return backend !== null && backend.introductionPoints === 0;
}

/**
 * What keeps tors of a machine off the network: unit -> the sentence. Where it is all of them it is one sentence: it is the machine. A guard counts
 * as up until tor has tried it anew, minutes after a cut; the introduction points of all backends are gone at once.
 */
function guardFaults({ name, seen }: Seen): Map<string, string> {
  const tors = serving(seen);
  const backends = tors.filter(({ backend }) => backend !== null);
  const none = backends.length > 1 && backends.every((tor) => noPoint(tor, unitNamed(seen, tor.unit)));
  const troubled = tors.flatMap((tor) => {
    const trouble = guardTrouble(tor, unitNamed(seen, tor.unit)) ?? (none && tor.backend ? noPointText : undefined);
    return trouble === undefined ? [] : [{ unit: tor.unit, trouble }];
  });
  const each = troubled.map(({ unit: of, trouble }) => `${daemonOf(of)} ${trouble}`);
  const all = none || (troubled.length > 1 && troubled.length === tors.length);
  const text = `None of the ${troubled.length} tors of ${name} gets into the Tor network: ${some(each)}.`;
  return new Map(troubled.map(({ unit: of }, i) => [of, all ? text : `On ${name} ${each[i] ?? ""}.`]));
}

/** What keeps the watchdog's own tor from working; undefined: nothing, or there is none. */
export function proberFault({ name, seen }: Seen): string | undefined {
  const its = seen.units.find(({ kind }) => kind === "prober tor");
  if (its === undefined || its.planned !== "run") return undefined;
  const again = its.restarts > 0 ? `, ${count(its.restarts, "restart")}` : "";
  if (!runs(its)) return `The watchdog's tor on ${name} does not run (${its.state}/${its.sub}${again}).`;
  const tor = seen.tors.find(({ unit: of }) => of === its.unit);
  const trouble = tor && guardTrouble(tor, its);
  return (tor && silentText(name, tor, its)) ?? (trouble && `On ${name} the watchdog's tor ${trouble}.`);
}

const noPointText = "has no introduction point that stands";

/** What keeps a tor off the network, as the finding says it. */
export function guardFault(view: View, name: string, of: string): string | undefined {
  const seen = seenAs(view, name);
  return seen && guardFaults({ name, seen }).get(of);
}

export const guards: Check = {
  name: "guards",
  looksFor: "a tor that has no way into the Tor network",
  find: ({ seen }) =>
    seen.flatMap((machine) =>
      [...new Set(guardFaults(machine).values())].map((what) => ({
        severity: "red",
        subject: machine.name,
        what,
        next: `See whether ${machine.name} gets out at all, to any address and port. If others do: its provider or firewall cuts Tor off.`,
      })),
    ),
};

export const stranger: Check = {
  name: "stranger",
  looksFor: "what runs or is listed, and is not in the stack's state",
  find: (view) => [
    ...listedStrangers(view),
    ...view.seen.flatMap((machine) => [...leaving(machine), ...unknown(machine, view)]),
  ],
};

/** Addresses that Onionbalance lists and that no backend of the plan has. */
function listedStrangers({ publishers, planned }: View): Told[] {
  return publishers.flatMap(({ name, publisher }) => {
    const rows = publisher.sites.flatMap(({ domain, backends }) =>
      backends.filter(({ address }) => !planned.has(address)).map((row) => ({ domain, ...row })),
    );
    return [...groupedBy(rows, ({ address }) => address)].map(([address, of]) => {
      const reached = of.some(({ listed, received }) => (listed ?? 0) > 0 || received !== null);
      return {
        severity: reached ? "red" : "amber",
        subject: name,
        what: `Onionbalance on ${name} lists ${of[0]?.name ?? "a backend"} ${address} for ${some(of.map(({ domain }) => domain))}, which no machine of the stack has${reached ? "; readers are sent there" : ""}.`,
        next: "Find out whose it is before anything else. pulumi up --refresh publishes the plan again, without it.",
      };
    });
  });
}

function leaving({ name, seen }: Seen): Told[] {
  const left = seen.units.filter((each) => each.planned === "leaving" && runs(each)).map((each) => daemonOf(each.unit));
  if (left.length === 0) return [];
  const what = `${count(left.length, "unit")} on ${name} ${left.length === 1 ? "runs and is" : "run and are"} planned no longer: ${some(left)}.`;
  const next = "pulumi up --refresh retires what was left over, once the sites are published without it.";
  return [{ severity: "amber", subject: name, what, next }];
}

/** Daemons of the release that serves, with addresses that the state does not have: a state that was restored, or a step that was cut off. */
function unknown({ name, seen }: Seen, { planned }: View): Told[] {
  const addresses = seen.tors
    .filter(({ unit: of }) => unitNamed(seen, of)?.planned !== "leaving")
    .flatMap(({ backend }) => (backend && !planned.has(backend.address) ? [backend.name ?? backend.address] : []));
  if (addresses.length === 0) return [];
  const what = `${name} serves ${some(addresses)}, which the stack's state does not know.`;
  const next = "See that this is the right stack and state. Then pulumi up --refresh releases the plan again.";
  return [follows(undefined, { severity: "amber", subject: name, what, next })];
}
