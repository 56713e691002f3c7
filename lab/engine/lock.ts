/** A lock between processes of one user: a file whose owner touches it, so that a dead owner is noticed anywhere. */
import { closeSync, mkdirSync, openSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** Settings for tests. */
export interface LockTimes {
  pollMs?: number;
  touchMs?: number;
  /** An untouched lock older than this belongs to nobody. */
  staleMs?: number;
}

/**
 * Runs `work` while holding the lock `file`; waits for another holder first and calls `waiting` with the seconds so
 * far at every look.
 */
export async function withLock<T>(
  file: string,
  waiting: (seconds: number) => void,
  work: () => Promise<T>,
  { pollMs = 1_000, touchMs = 2_000, staleMs = 20_000 }: LockTimes = {},
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const since = Date.now();
  while (!take(file)) {
    if (age(file) > staleMs) rmSync(file, { force: true });
    else {
      waiting((Date.now() - since) / 1_000);
      await wait(pollMs);
    }
  }
  const touching = setInterval(() => touch(file), touchMs);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    closeSync(openSync(file, "wx"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function age(file: string): number {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function touch(file: string): void {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // Removed by somebody who took us for dead (a suspended machine): the work is put in place atomically anyway.
  }
}
