// Machines: whether they can be asked, and what each has to serve with: clock, disk, lock.
import { span } from "../../desk/table";
import { count } from "../../../config/words";
import type { Check, Told } from "../finding";
import { some, type Seen, type View } from "../view";

/** Why a machine cannot be asked, as the finding says it; undefined: it answered. */
export function unreachableFault({ survey }: View, name: string): string | undefined {
  const error = survey.machines.find((machine) => machine.name === name)?.error;
  return error === undefined ? undefined : `${name} cannot be asked: ${error}.`;
}

export const unreachable: Check = {
  name: "unreachable",
  looksFor: "a machine that cannot be asked",
  find: (view) =>
    view.survey.machines.flatMap(({ name }) => {
      const what = unreachableFault(view, name);
      if (what === undefined) return [];
      const next = `Look at ${name} on its provider's console; ssh to it as the stack does. What is known of it ends here, and its backends go on being listed until their descriptors lapse.`;
      return [{ severity: "red", subject: name, what, next }];
    }),
};

/** Tor takes no descriptor or consensus that is far off: the same bound as host/machine.py, CLOCK_SECONDS. */
const clockSeconds = 300;

export const clock: Check = {
  name: "clock",
  looksFor: "a clock that is five minutes off, or that nothing sets",
  find: ({ seen }) => [...clocksOff(seen), ...clocksUnset(seen)],
};

/** Nobody here can say which clock is right, but when all machines agree with one another it is the operator's that is not. */
function clocksOff(seen: readonly Seen[]): Told[] {
  const ahead = (machine: Seen): number => machine.seen.system.clockAhead;
  const off = seen.filter((machine) => Math.abs(ahead(machine)) >= clockSeconds);
  const spread = Math.max(...seen.map(ahead)) - Math.min(...seen.map(ahead));
  if (off.length > 1 && off.length === seen.length && spread < clockSeconds) {
    const what = `The clocks of all ${off.length} machines are ${offText(ahead(off[0] as Seen))} that of the machine which asks, and agree with one another.`;
    const next = "Set the clock of the machine that you sit at: timedatectl set-ntp true.";
    return [{ severity: "red", subject: "the operator's machine", what, next }];
  }
  return off.map((machine) => ({
    severity: "red",
    subject: machine.name,
    what: `The clock of ${machine.name} is ${offText(ahead(machine))} that of the machine which asks.`,
    next: `Set the wrong one: timedatectl set-ntp true on it. Then npx softmap restart ${machine.name}: its tors may have given their circuits up.`,
  }));
}

/** Why a machine's clock is wrong, as the finding says it; undefined: it is not, or nobody can say whose is. */
export const clockFault = ({ seen }: View, name: string): string | undefined =>
  clocksOff(seen).find(({ subject }) => subject === name)?.what;

const offText = (ahead: number): string => `${span(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"}`;

const clocksUnset = (seen: readonly Seen[]): Told[] =>
  seen
    .filter(({ seen: { system } }) => system.clockSynchronised === false)
    .map(({ name }) => ({
      severity: "amber",
      subject: name,
      what: `Nothing sets the clock of ${name} by the network.`,
      next: `On ${name}: timedatectl set-ntp true, and see that its time server is reached: timedatectl timesync-status.`,
    }));

/** A release needs 50 MB (host/machine.py, ROOM_MB); packages and a journal a few more. Below that, nothing can be changed, and tor cannot write its state. */
const roomRed = 100;
const roomAmber = 500;
/** Small files can use up a file system that has room. */
const inodesRed = 1000;

type Disk = Seen["seen"]["system"]["disks"][number];

export const disk: Check = {
  name: "disk",
  looksFor: "a file system without room, or without inodes",
  find: ({ seen }) =>
    seen.flatMap(({ name, seen: { system } }) => system.disks.flatMap((each) => diskFault(name, each))),
};

function diskFault(name: string, { place, freeMb, totalMb, inodesFree = null }: Disk): Told[] {
  const next = `On ${name}: sudo du -xh --max-depth=2 ${place} | sort -h | tail, and sudo journalctl --vacuum-size=100M.`;
  const inodes = `${place} of ${name} has ${inodesFree ?? 0} inodes left: no file can be made soon.`;
  if (inodesFree !== null && inodesFree < inodesRed)
    return [{ severity: "red", subject: name, what: inodes, next: next.replace("du -xh", "du -x --inodes") }];
  if (freeMb >= roomAmber) return [];
  const what = `${place} of ${name} has ${freeMb} MB free of ${totalMb}; a release needs 50.`;
  return [{ severity: freeMb < roomRed ? "red" : "amber", subject: name, what, next }];
}

/** Another step of an `up` waits for 15 minutes (host/release.py), and then fails: what holds on longer is in the way. */
const lockAmber = 15 * 60;
const lockRed = 2 * 3600;

export const lock: Check = {
  name: "lock",
  looksFor: "a step that has held a machine for longer than others wait",
  find: ({ seen, survey: { taken } }) =>
    seen.flatMap(({ name, seen: { lock: held } }) => {
      if (held === null) return [];
      const age = secondsSince(held.since, taken);
      if (age !== null && age < lockAmber) return [];
      const process = held.process > 0 ? `process ${held.process}` : "a process that did not say which";
      const since = age === null ? "for nobody knows how long" : `for ${span(age)}`;
      const what = `${held.by} from ${held.from} has held ${name} ${since}: ${held.what}, ${process}.`;
      const kill =
        held.process > 0 ? `sudo kill ${held.process}` : "sudo fuser -v /run/softmap/host.lock, then kill it";
      const next = `Ask whether it is still wanted. If nobody is behind it any more, on ${name}: ${kill}. Then pulumi up.`;
      return [{ severity: age !== null && age >= lockRed ? "red" : "amber", subject: name, what, next }];
    }),
};

/** Seconds from a time as host/machine.py writes it, `2026-01-01 12:00:00 UTC`; null when it is none. */
function secondsSince(since: string, taken: string): number | null {
  const age = (Date.parse(taken) - Date.parse(since.replace(" UTC", "Z").replace(" ", "T"))) / 1000;
  return Number.isFinite(age) ? Math.round(age) : null;
}

/** A step that is at work on machines right now, for people: what is found there may pass. */
export function atWork({ seen }: View): string | undefined {
  const held = seen.filter((machine) => machine.seen.lock !== null).map(({ name }) => name);
  if (held.length === 0) return undefined;
  return `A step is at work on ${some(held)} (${count(held.length, "machine")}): what is found there may pass with it.`;
}
