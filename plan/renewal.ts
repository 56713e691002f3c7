// When a machine restarts what an update has replaced: each of a stack at a time of its own, so that a site never loses all backends at once.
import { createHash } from "node:crypto";
import { byName } from "./order";

/** Half hours: a machine restarts its units one by one, some seconds each. */
const slots = 48;

/**
 * The time of day of each machine, `HH:MM`. No two have the same as long as there are no more than 48 of them. A time comes from the name, so
 * that a machine which comes or goes moves no other, unless their names meet in the same half hour.
 * @example renewalTimes(["worker1", "worker2"]).get("worker1") // "14:30"
 */
export function renewalTimes(names: readonly string[]): Map<string, string> {
  const taken = new Map<number, number>();
  return new Map(
    names.toSorted(byName).map((name, place) => {
      const most = Math.floor(place / slots);
      let slot = createHash("sha256").update(name).digest().readUInt16BE(0) % slots;
      while ((taken.get(slot) ?? 0) > most) slot = (slot + 1) % slots;
      taken.set(slot, (taken.get(slot) ?? 0) + 1);
      const hour = String(Math.floor(slot / 2)).padStart(2, "0");
      return [name, `${hour}:${slot % 2 === 0 ? "00" : "30"}`];
    }),
  );
}
