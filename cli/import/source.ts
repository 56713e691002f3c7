// Reading files of somebody else's installation: bounded, regular files only, and what is wrong is said in words.
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import type { Fault } from "./entry";
import { shown } from "./entry";

/** The largest file that is read, in bytes: a config has some hundred lines, a chain of certificates some ten kilobytes. */
export const largest = { config: 1 << 18, certificate: 1 << 20, key: 1 << 16 } as const;

const codes: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "you may not read it",
  EPERM: "you may not read it",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is no folder",
  ELOOP: "its links go in a circle",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is no regular file",
};

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
  return codes[code] ?? code;
}

const next: Readonly<Record<string, string>> = {
  [codes["EACCES"] ?? ""]:
    "Run this as the user that Onionspray runs as, or copy the installation to a place that you may read.",
  [codes["ELOOP"] ?? ""]: "Replace the link by the file that is meant.",
};

/** The fault of what cannot be read. */
export function unreadable(file: string, reason: string): Fault {
  return {
    file,
    what: "unreadable",
    why: `It cannot be read: ${reason}.`,
    next: next[reason] ?? "Correct the path, or put the file there.",
  };
}

/** The bytes of a regular file of at most `most` bytes, or what is wrong with it. Never waits, whatever the file is. */
export function readBytes(file: string, most: number): Buffer | Fault {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return unreadable(file, reasonOf(error));
  }
  try {
    const stat = fstatSync(handle);
    if (stat.isDirectory()) return unreadable(file, "it is a folder");
    if (!stat.isFile()) return unreadable(file, "it is no regular file");
    const bytes = Buffer.alloc(Math.min(stat.size, most) + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      got = readSync(handle, bytes, length, bytes.length - length, null);
    if (stat.size > most || length > most) return tooLarge(file, Math.max(stat.size, length), most);
    return bytes.subarray(0, length);
  } catch (error) {
    return unreadable(file, reasonOf(error));
  } finally {
    closeSync(handle);
  }
}

function tooLarge(file: string, size: number, most: number): Fault {
  return {
    file,
    what: "too large",
    why: `It has ${size} bytes; no such file has more than ${most}.`,
    next: "Name the file that is meant, or remove what does not belong in it.",
  };
}

/** Whether something is a fault and not what was asked for. */
export function isFault(found: unknown): found is Fault {
  return typeof found === "object" && found !== null && "why" in found && "next" in found;
}

/** The text of a file: UTF-8 without its byte order mark. */
export function readText(file: string, most: number = largest.config): string | Fault {
  const bytes = readBytes(file, most);
  if (isFault(bytes)) return bytes;
  const zero = bytes.indexOf(0);
  if (zero >= 0) return notText(file, bytes, zero, "There is a zero byte in it: it is no text.");
  try {
    // It takes a byte order mark away.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return notText(file, bytes, firstWrong(bytes), "It is not UTF-8.");
  }
}

function notText(file: string, bytes: Buffer, at: number, why: string): Fault {
  const line = bytes.subarray(0, at).filter((byte) => byte === 10).length + 1;
  return { file, line, what: "not text", why, next: "Save it as UTF-8 text, or name the file that is meant." };
}

/** Where bytes stop being UTF-8: the longest beginning that is. */
function firstWrong(bytes: Buffer): number {
  const text = bytes.toString("utf8");
  const replaced = text.indexOf("\u{fffd}");
  return replaced < 0 ? 0 : Buffer.byteLength(text.slice(0, replaced));
}

/** More names than this in one folder are not looked at: no installation has them. */
const mostNames = 20_000;

/** Names in a folder, in order; what is wrong with it otherwise. */
export function namesIn(folder: string): string[] | Fault {
  try {
    const names = readdirSync(folder).toSorted();
    if (names.length <= mostNames) return names;
    const why = `There are ${names.length} files in it; no installation has more than ${mostNames}.`;
    return { file: folder, what: "too many files", why, next: "Name the folder that is meant." };
  } catch (error) {
    return unreadable(folder, reasonOf(error));
  }
}

/** A path as a word of a shell. */
export function quoted(path: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** A path as it may be printed. */
export const shownPath = (path: string): string => shown(path, 200);
