import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A path as operators write it: `~/` in front is the home folder. @example homePath("~/.ssh/id_ed25519") */
export function homePath(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}

/** In place of a file's contents that could not be read; what follows is the system's code for why. No key or PEM has a colon there. */
export const unreadable = "unreadable:";

/**
 * The bytes of an operator's file, or {@link unreadable} with the reason: an error thrown while a program runs would reach people as a stack
 * trace, so that a provider's `check` says it instead.
 */
export function readHomeFile(path: string): Buffer | string {
  try {
    return readFileSync(homePath(path));
  } catch (error) {
    return unreadable + ((error as NodeJS.ErrnoException).code ?? "unreadable");
  }
}

/** PEM that was given, or the text of the file that was named instead; nothing of nothing. */
export function pemText(given: string): string {
  return given === "" || given.includes("-----BEGIN") ? given : readHomeFile(given).toString();
}
