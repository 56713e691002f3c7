import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LabError } from "./errors";

/** How to wait for another holder. */
export interface Waiting {
  /** Seconds until waiting ends with an error. @default 300 */
  readonly patience?: number;
  /** Called now and then with the seconds so far. */
  readonly onWait?: (seconds: number) => void;
}

/**
 * Runs `work` while holding a lock file, across processes: Pulumi boots several hosts at once, and two people may start a lab together.
 * A lock whose process is gone is taken over.
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  { patience = 300, onWait }: Waiting = {},
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const since = Date.now();
  while (!taken(file)) {
    const holder = holderOf(file);
    if (holder !== undefined && !alive(holder)) {
      dropStale(file, holder);
      continue;
    }
    const seconds = (Date.now() - since) / 1000;
    onWait?.(seconds);
    if (seconds > patience)
      throw new LabError(
        `Another process (${holder ?? "unknown"}) has held ${file} for ${patience} s.`,
        "wait for it, or end it, and run this again",
      );
    await pause(50);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function taken(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function holderOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return pid > 0 ? pid : undefined; // just created, not yet written
  } catch {
    return undefined; // released in between
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Moves the stale lock away first, so that of two who saw it only one removes it, and never a fresh one. */
function dropStale(file: string, holder: number): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (readFileSync(aside, "utf8") !== String(holder)) {
    try {
      renameSync(aside, file); // somebody had taken it over already: give it back
      return;
    } catch {
      // fall through
    }
  }
  rmSync(aside, { force: true });
}
