import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import type {
  ActPayload,
  AdoptPayload,
  ConfirmPayload,
  LeavePayload,
  MirrorPayload,
  OpenPayload,
  PreflightPayload,
  ProbePayload,
  PublishPayload,
  ReleasePayload,
  RetirePayload,
  RollbackPayload,
  SurveyPayload,
  TailPayload,
} from "./payload";

export type * from "./payload";

/** The Python modules of each step, in the order in which they need one another. */
const shared = ["report", "files", "machine", "watched", "masks", "accounts", "tree", "state", "control", "health"];
const release = [...shared, "packages", "services", "socks", "proving", "release"];
const publish = [...release, "descriptors", "proof", "publication", "grace", "purge", "publish"];
const retire = [...release, "drain", "retire"];
const modules = {
  release,
  publish,
  confirm: publish,
  retire,
  probe: [...retire, "purge", "probe"],
  rollback: [...release, "rollback"],
  preflight: [...retire, "preflight"],
  renew: [...release, "takeover", "told", "renew"],
  survey: [
    ...publish,
    "drain",
    "retire",
    "probe",
    "told",
    "survey_tor",
    "survey_sites",
    "survey_told",
    "survey_publisher",
    "survey",
  ],
  act: [...release, "takeover", "act"],
  leave: [...publish, "told", "leaving", "publisher_settings", "leave"],
  tail: ["report", "tail"],
  mirror: ["report", "files", "machine", "watched", "tree", "mirror"],
  open: ["report", "files", "control", "descriptors", "socks", "open"],
  adopt: [...publish, "drain", "retire", "preflight", "adopt_found", "adopt_boot", "adopt"],
  metrics: ["control", "told", "metrics_page", "metrics_sources", "metrics_told", "metrics"],
  publisher: ["dealing", "leaving", "uploads", "rounds", "publisher_settings", "seams", "publishing", "publisher"],
  watchdog: ["publisher_settings", "socks", "watchdog_settings", "watchdog_marks", "watchdog_pace", "watchdog"],
} as const;

/** A step on a host: its last Python module has a function `<step>_main`. */
export type Step = keyof typeof modules;

const everyModule = [...new Set(Object.values(modules).flat())];

/** Imports between our modules: once they are one text they are all there already. */
const localImport = new RegExp(`^from (?:${everyModule.join("|")}) import .*\n`, "gm");

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
 * The program of a release, for stdin: the same payload and the same Node give the same text, byte for byte.
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

/** The program that proves once more what a balancer published last. */
export function confirmProgram(payload: ConfirmPayload): string {
  return program("confirm", payload);
}

/** The program that compares a host with what was released there; its last line is JSON, `{"drift": ["finding", ...]}`. */
export function probeProgram(payload: ProbePayload): string {
  return program("probe", payload);
}

/** The program that takes a worker back to the release before; with the word `look` after the bootstrap text it only says which. */
export function rollbackProgram(payload: RollbackPayload): string {
  return program("rollback", payload);
}

/** The program that looks whether a machine can be used; the word `now=SECONDS` after the bootstrap text is the time to compare its clock with. */
export function preflightProgram(payload: PreflightPayload): string {
  return program("preflight", payload);
}

/**
 * The program with which a machine says how it is; its last line is JSON, the `MachineSeen` of cli/desk/survey.ts. The word `now=SECONDS` after
 * the bootstrap text is the time to compare its clock with.
 */
export function surveyProgram(payload: SurveyPayload): string {
  return program("survey", payload);
}

/** The program that starts, stops or restarts a machine's units by hand. */
export function actProgram(payload: ActPayload): string {
  return program("act", payload);
}

/** The program that reads and writes the operator's list of backends to leave out; its last line is JSON: cli/desk/door.ts. */
export function leaveProgram(payload: LeavePayload): string {
  return program("leave", payload);
}

/** The program that prints the journal of softmap's units, empty lines between: they only prove that somebody listens. */
export function tailProgram(payload: TailPayload): string {
  return program("tail", payload);
}

/** The program that prints what a machine serves by, and the journal of softmap's units, as lines of JSON: host/mirror.py. */
export function mirrorProgram(payload: MirrorPayload): string {
  return program("mirror", payload);
}

/** The program with which a balancer's tor asks for a site; its last line is JSON, `{"status", "descriptor", "seconds", "error"}`. */
export function openProgram(payload: OpenPayload): string {
  return program("open", payload);
}

/** The program that takes over an Onionspray or EOTK installation, a step at a time; of a look the last line is JSON, the `AdoptSeen` of cli/adopt. */
export function adoptProgram(payload: AdoptPayload): string {
  return program("adopt", payload);
}

/** A file for the machine: the program that restarts what an update has replaced. It runs by itself, so it has no payload: it reads what was released. */
export function renewalFile(): string {
  return `"""Restarts what still runs a program that an update has replaced. Made by softmap: host/renew.py and what it needs, packed."""\n${packed("renew")}guarded("renewal", os.uname().nodename, renew_main)\n`;
}

/**
 * A file for the machine: its exporter. With the word `collect` it finds out how the machine is, with `serve port=PORT [from=NETWORK,...]` it tells
 * Prometheus. It has no payload either.
 */
export function metricsFile(): string {
  return `"""Tells Prometheus how this machine is. Made by softmap: host/metrics.py and what it needs, packed."""\n${packed("metrics")}metrics_main()\n`;
}

/** A file for a balancer: Onionbalance with our layer. It is given its config, its settings and its tor's control socket as options. */
export function publisherFile(): string {
  return `"""Publishes the sites: Onionbalance with another way to deal. Made by softmap: host/publisher.py and what it needs, packed."""\n${packed("publisher")}publisher_main()\n`;
}

/** A file for a balancer: its watchdog. It is given Onionbalance's config and the publisher's settings as options. */
export function watchdogFile(): string {
  return `"""Probes the backends and tells which are silent. Made by softmap: host/watchdog.py and what it needs, packed."""\n${packed("watchdog")}watchdog_main()\n`;
}

/**
 * bootstrap.sh, the code, the payload in clear. Every program is in the state twice, among a Command's inputs and its outputs, for each host
 * and step: therefore the code is compressed, to a quarter of its size. Another Node's zlib may pack it in other bytes; then the steps run once
 * more and change nothing.
 */
function program(step: Step, payload: object): string {
  return `${becomingRoot()}${packed(step)}\nimport json\nPAYLOAD = json.loads(${pythonString(canonical(payload))})\nguarded("${step}", PAYLOAD["host"], lambda report: ${step}_main(report, PAYLOAD))\n`;
}

const packedSteps = new Map<Step, string>();

/** The modules of a step as two lines of Python that define all their names; a place in an error counts the lines of the unpacked text. */
function packed(step: Step): string {
  const known = packedSteps.get(step);
  if (known !== undefined) return known;
  const sources = modules[step].map((name) => source(name)).join("\n\n");
  const base64 = deflateSync(sources, { level: 9 }).toString("base64");
  const text = `import base64, zlib\nexec(compile(zlib.decompress(base64.b64decode("${base64}")), "<softmap>", "exec"))\n`;
  packedSteps.set(step, text);
  return text;
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
