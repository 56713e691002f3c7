import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PublishPayload, ReleasePayload, RetirePayload } from "./payload";

export type * from "./payload";

/** The Python modules of each step, in the order in which they need one another. */
const shared = ["report", "files", "machine"];
const release = [
  ...shared,
  "masks",
  "packages",
  "accounts",
  "tree",
  "state",
  "control",
  "health",
  "services",
  "release",
];
const modules = {
  release,
  publish: [...release, "descriptors", "socks", "proof", "publish"],
  retire: [...shared, "masks", "retire"],
} as const;

/** A step on a host; each has a Python module of its name with a function `<step>_main`. */
export type Step = keyof typeof modules;

/** Imports between our modules: once they are one text they are all there already. */
const localImport = new RegExp(`^from (?:${modules.publish.join("|")}|retire) import .*\n`, "gm");

/**
 * The text of `create`, `update` or `delete` of a Command, the same for every host and step. It is in every error message of that
 * Command, so it is short: stdin brings first the size of a shell script and the script (bootstrap.sh: becomes root, sees that Python
 * is there), then the Python program. A word after it, as in `${bootstrap} everything`, reaches the program.
 */
export const bootstrap = `sh -c 'read -r size; eval "$(head -c "$size")"' softmap`;

/** bootstrap.sh with its size in bytes in front. */
function becomingRoot(): string {
  const script = readFileSync(join(__dirname, "bootstrap.sh"), "utf8");
  return `${Buffer.byteLength(script)}\n${script}`;
}

/**
 * The program of a release, for stdin: the same payload gives the same text, byte for byte.
 * Keys are in its last lines alone: wrap the text in `pulumi.secret`.
 */
export function releaseProgram(payload: ReleasePayload): string {
  return program("release", payload);
}

/** The program that releases Onionbalance's configuration and then proves that every planned backend is published. */
export function publishProgram(payload: PublishPayload): string {
  return program("publish", payload);
}

/** The program that stops and removes what is planned no longer. */
export function retireProgram(payload: RetirePayload): string {
  return program("retire", payload);
}

function program(step: Step, payload: object): string {
  const sources = modules[step].map((name) => source(name)).join("\n\n");
  return `${becomingRoot()}${sources}\n\nimport json\nPAYLOAD = json.loads(${pythonString(canonical(payload))})\nguarded("${step}", PAYLOAD["host"], lambda report: ${step}_main(report, PAYLOAD))\n`;
}

function source(name: string): string {
  return readFileSync(join(__dirname, `${name}.py`), "utf8")
    .replace(localImport, "")
    .trimEnd();
}

/** JSON with sorted keys, so that the order in which a caller writes an object is not a change. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/**
 * A Python string literal of printable ASCII. JSON's escapes are a part of Python's (`\/` apart, which JSON.stringify never writes);
 * escaping the inner text first keeps pairs of surrogates for json.loads to join.
 */
function pythonString(text: string): string {
  return JSON.stringify(text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`));
}
