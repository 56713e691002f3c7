// In which order workers get a change: a few first, the others only when these have proved it.
import { byName } from "./order";

/** The sizes of the waves. */
export interface Rollout {
  /** Workers in the first wave, from 0; 0 is no wave of its own. */
  readonly canary: number;
  /** Workers in each wave after it, from 1. */
  readonly waveSize: number;
}

/**
 * The waves of some hosts, by name, none of them empty, every host in exactly one. Throws RangeError for a size that is not a
 * whole number in its range: it would never end, or leave hosts out.
 * @example planWaves(["worker1", "worker2", "worker3"], { canary: 1, waveSize: 2 }) // [["worker1"], ["worker2", "worker3"]]
 */
export function planWaves(hosts: readonly string[], { canary, waveSize }: Rollout): string[][] {
  if (!Number.isSafeInteger(canary) || canary < 0) throw new RangeError(`a canary of ${canary} workers`);
  if (!Number.isSafeInteger(waveSize) || waveSize < 1) throw new RangeError(`waves of ${waveSize} workers`);
  const sorted = hosts.toSorted(byName);
  const waves = canary === 0 ? [] : [sorted.slice(0, canary)];
  for (let next = canary; next < sorted.length; next += waveSize) waves.push(sorted.slice(next, next + waveSize));
  return waves.filter((wave) => wave.length > 0);
}

/**
 * The hosts of the wave before that of `host`: its release waits for theirs, and theirs have waited for all waves before.
 * Empty in the first wave. Throws RangeError for a host that is in no wave.
 */
export function waveBefore(waves: readonly (readonly string[])[], host: string): string[] {
  const own = waves.findIndex((wave) => wave.includes(host));
  if (own < 0) throw new RangeError(`${host} is in no wave`);
  return [...(waves[own - 1] ?? [])];
}
