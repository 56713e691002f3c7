// The programs that run on hosts, as texts for stdin. What they are given is in payload.ts; where they find their code, in pack.ts.
import { sourcesOf, type Step } from "./modules";
import {
  arrival,
  becomingRoot,
  canonical,
  deflated,
  packedProgram,
  packProgram,
  packId,
  rooted,
  rootless,
  stayingProgram,
} from "./pack";
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
export { packId, packProgram, rooted, rootless };

/**
 * The text of `create`, `update` or `delete` of a Command, the same for every host and step. It is in every error message of that
 * Command, so it is short: stdin brings first the size of a shell script and the script (bootstrap.sh: becomes root, sees that Python
 * is there), then the Python program. A word after it, as in `${bootstrap} everything`, reaches the program.
 */
export const bootstrap = `sh -c 'read -r size; eval "$(head -c "$size")"' softmap`;

/**
 * The program of a release, for stdin: the same payload and the same Node give the same text, byte for byte.
 * Keys are in its last lines alone: wrap the text in `pulumi.secret`.
 */
export function releaseProgram(payload: ReleasePayload): string {
  return packedProgram("release", payload);
}

/** The program that releases Onionbalance's configuration and then proves that every planned backend is published. */
export function publishProgram(payload: PublishPayload): string {
  return packedProgram("publish", payload);
}

/** The program that stops and removes what is planned no longer. */
export function retireProgram(payload: RetirePayload): string {
  return packedProgram("retire", payload);
}

/** The program that proves once more what a balancer published last. */
export function confirmProgram(payload: ConfirmPayload): string {
  return packedProgram("confirm", payload);
}

/** The program that compares a host with what was released there; its last line is JSON, `{"drift": ["finding", ...]}`. */
export function probeProgram(payload: ProbePayload): string {
  return packedProgram("probe", payload);
}

/** The program that takes a worker back to the release before; with the word `look` after the bootstrap text it only says which. */
export function rollbackProgram(payload: RollbackPayload): string {
  return program("rollback", payload);
}

/**
 * The last line of the program that brings a machine its pack, after `packProgram()`. It looks whether the machine can be used, before anything is
 * done to it; after the word `put` it only brings the pack.
 */
export function arrivalProgram(payload: PreflightPayload): string {
  return arrival(payload);
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

/** A file for the machine: the program that restarts what an update has replaced. It has no payload: it reads what was released. */
export const renewalFile = (): string => stayingProgram("renew");

/**
 * A file for the machine: its exporter. With the word `collect` it finds out how the machine is, with `serve port=PORT [from=NETWORK,...]` it tells
 * Prometheus.
 */
export const metricsFile = (): string => stayingProgram("metrics");

/** A file for a balancer: Onionbalance with our layer. It is given its config, its settings and its tor's control socket as options. */
export const publisherFile = (): string => stayingProgram("publisher");

/** A file for a balancer: its watchdog. It is given Onionbalance's config and the publisher's settings as options. */
export const watchdogFile = (): string => stayingProgram("watchdog");

/** A program of the operator's desk, which no state has and which is sent once: bootstrap.sh, its code, the payload in clear. */
function program(step: Step, payload: { readonly host: string }): string {
  const code = `import base64, json, zlib\nexec(compile(zlib.decompress(base64.b64decode("${deflated(sourcesOf(step))}")), "<softmap>", "exec"))`;
  return `${becomingRoot()}${code}\nPAYLOAD = json.loads(${pythonString(canonical(payload))})\nguarded("${step}", PAYLOAD["host"], lambda report: ${step}_main(report, PAYLOAD))\n`;
}

/**
 * A Python string literal of printable ASCII. JSON's escapes are a part of Python's (`\/` apart, which JSON.stringify never writes);
 * escaping the inner text first keeps pairs of surrogates for json.loads to join.
 */
function pythonString(text: string): string {
  return JSON.stringify(text.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`));
}
