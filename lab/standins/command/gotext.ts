/** Texts as Go writes them: what an operator reads, and searches for, must be what the real plugin says. */
import { constants } from "node:os";

const short: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

/** A string as Go's %q prints it. */
export function quote(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char in short) out += short[char];
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) out += char;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
    else out += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return `"${out}"`;
}

/** The error of a command that failed: why, the whole command, and all that it printed in the order of arrival. */
export function failed(why: string, command: string, output: string): Error {
  return new Error(`${why}: running ${quote(command)}:\n${output}`);
}

/** How a remote command ended, in the words of golang.org/x/crypto/ssh; undefined when it ended well. */
export function remoteEnd(code: number | null | undefined, signal: string | undefined): string | undefined {
  if (code === 0 && signal === undefined) return undefined;
  if (signal !== undefined) {
    const number = constants.signals[`SIG${signal.replace(/^SIG/, "")}` as NodeJS.Signals];
    return `Process exited with status ${128 + (number ?? 0)} from signal ${signal.replace(/^SIG/, "")}`;
  }
  if (code === null || code === undefined) return "wait: remote command exited without exit status or exit signal";
  return `Process exited with status ${code}`;
}

const signalWords: Record<string, string> = { SIGHUP: "hangup", SIGINT: "interrupt", SIGTERM: "terminated" };

/** How a local process ended, in the words of Go's os/exec; undefined when it ended well. */
export function localEnd(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal !== null)
    return `signal: ${signalWords[signal] ?? signal.slice(3).toLowerCase().replace("kill", "killed")}`;
  return code === 0 ? undefined : `exit status ${code}`;
}

const socketWords: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ECONNRESET: "connect: connection reset by peer",
  ENOENT: "connect: no such file or directory",
  ETIMEDOUT: "i/o timeout",
};

/** Why a socket could not be opened, in the words of Go's net package. */
export function dialFailure(network: "tcp" | "unix", address: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") {
    const host = address.replace(/:\d+$/, "");
    return `dial ${network}: lookup ${host}: ${error.code === "ENOTFOUND" ? "no such host" : "server misbehaving"}`;
  }
  return `dial ${network} ${address}: ${socketWords[error.code ?? ""] ?? `connect: ${error.message}`}`;
}
