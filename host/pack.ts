// The pack: all Python modules of the steps, and the files that are the same on every machine, as one thing that is put on a machine once for
// each version of softmap. What the state has of a step is then its payload alone: with its code in it, twice for each step and machine, a state
// of thirty machines had 40 MB, and the engine reads, compares, logs and writes all of it at each `up`.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { modules, source, type Step } from "./modules";
import { proxyFiles } from "../proxy";

/** Steps whose programs are in the state; and `store`, which puts the pack on a machine. */
const packedSteps = [
  "release",
  "publish",
  "confirm",
  "retire",
  "probe",
  "preflight",
  "store",
] as const satisfies Step[];
type PackedStep = (typeof packedSteps)[number];

/** Programs that stay on machines by themselves, each with what it says of itself and how it begins. */
const programs = {
  renew: {
    head: `"""Restarts what still runs a program that an update has replaced. Made by softmap: host/renew.py and what it needs."""`,
    call: `guarded("renewal", os.uname().nodename, renew_main)`,
  },
  metrics: {
    head: `"""Tells Prometheus how this machine is. Made by softmap: host/metrics.py and what it needs."""`,
    call: "metrics_main()",
  },
  publisher: {
    head: `"""Publishes the sites: Onionbalance with another way to deal. Made by softmap: host/publisher.py and what it needs."""`,
    call: "publisher_main()",
  },
  watchdog: {
    head: `"""Probes the backends and tells which are silent. Made by softmap: host/watchdog.py and what it needs."""`,
    call: "watchdog_main()",
  },
} as const;

type StayingProgram = keyof typeof programs;

/** A text, or a module of the pack: host/pack.py puts them together as {@link stayingProgram} does. */
type Part = { readonly text: string } | { readonly module: string };

function partsOf(name: StayingProgram): Part[] {
  const { head, call } = programs[name];
  const between = modules[name].flatMap((module): Part[] => [{ text: "\n\n" }, { module }]);
  return [{ text: head }, ...between, { text: `\n\n${call}\n` }];
}

/** The text of a program that stays on a machine. It runs by itself, so it has no payload. */
export function stayingProgram(name: StayingProgram): string {
  return partsOf(name)
    .map((part) => ("text" in part ? part.text : source(part.module)))
    .join("");
}

/** What the payloads of these roles' releases are like. */
const sampled = ["base", "balancer", "publisher", "worker"] as const;

/**
 * What payloads are like, by role: those of a small stack, without its keys (samples/, made by tests/samples.test.ts). zlib takes them for its
 * dictionary (RFC 1950, 2.2): of what is in a payload most is in each, and the state has it twice for each machine.
 */
export const samples = (): Readonly<Record<string, string>> =>
  Object.fromEntries(sampled.map((role) => [role, readFileSync(join(__dirname, "samples", `${role}.txt`), "utf8")]));

interface Pack {
  /** The first 16 hexadecimal digits of the sha256 of what is in it: its name on a machine. */
  readonly id: string;
  /** What is in it. */
  readonly json: string;
  /** Names of the files in it, by their texts. */
  readonly names: ReadonlyMap<string, string>;
  readonly samples: Readonly<Record<string, string>>;
}

let made: Pack | undefined;

function pack(): Pack {
  return (made ??= makePack());
}

function makePack(): Pack {
  const staying = Object.keys(programs) as StayingProgram[];
  const names = [...packedSteps.flatMap((step) => modules[step]), ...staying.flatMap((name) => modules[name]), "pack"];
  const lua = proxyFiles();
  const content = {
    modules: Object.fromEntries([...new Set<string>(names)].sort().map((name) => [name, source(name)])),
    steps: Object.fromEntries(packedSteps.map((step) => [step, modules[step]])),
    samples: samples(),
    files: Object.fromEntries([
      ...lua.map(({ path, text }): [string, Part[]] => [path, [{ text }]]),
      ...staying.map((name): [string, Part[]] => [name, partsOf(name)]),
    ]),
  };
  const json = JSON.stringify(content);
  return {
    id: createHash("sha256").update(json).digest("hex").slice(0, 16),
    json,
    names: new Map([
      ...lua.map(({ path, text }): [string, string] => [text, path]),
      ...staying.map((name): [string, string] => [stayingProgram(name), name]),
    ]),
    samples: content.samples,
  };
}

/** The pack's name, another one for every change of what is in it. */
export const packId = (): string => pack().id;

let first: string | undefined;
let again: string | undefined;

/** What a program begins with that may be the first one on its machine: bootstrap.sh becomes root and sees that Python is there. */
export const becomingRoot = (): string => (first ??= sized(join(__dirname, "bootstrap.sh")));

/** What a step begins with: its pack is on the machine, which bootstrap.sh has seen to. The state has again.sh twice for each step and machine: it is short. */
const becomingRootAgain = (): string => (again ??= sized(join(__dirname, "again.sh")));

/** A shell script with its size in bytes in front. */
function sized(file: string): string {
  const script = readFileSync(file, "utf8");
  return `${Buffer.byteLength(script)}\n${script}`;
}

let carrier: string | undefined;

/**
 * A program that has the pack, without its last line: {@link arrival} is one. Some 100 kB, and no secret. Only who brings a pack deflates it: the
 * program that plans wants its name alone.
 */
export function packProgram(): string {
  return (carrier ??= `${becomingRoot()}import base64, json, zlib
RAW = base64.b64decode("${deflated(pack().json)}")
PACK = json.loads(zlib.decompress(RAW))
exec(compile(PACK["modules"]["pack"], "<softmap>", "exec"))
`);
}

/** The last line of a program that brings the pack: what the machine is asked before anything is put there. */
export function arrival(payload: object): string {
  return `arrive(PACK, RAW, "${deflated(canonical(payload))}")\n`;
}

const head = "import json, os, sys, zlib\n";

/** A packed program without its shell script, for which who sends it puts bootstrap.sh before it by {@link rooted}: so the state has it shorter. */
export const rootless = (program: string): string => program.replace(becomingRootAgain(), "");

/** Of an earlier version's state a program may have bootstrap.sh already. */
export const rooted = (program: string): string => (program.startsWith(head) ? becomingRoot() + program : program);

/**
 * A step's program that finds its code in the pack on its machine. Where that is gone, a removal has nothing to remove if softmap's folder is
 * gone too; everything else fails with what to do.
 */
export function packedProgram(step: PackedStep, payload: { readonly host: string }): string {
  const removed = `    if "everything" in sys.argv and not os.path.isdir("/etc/softmap"):
        sys.exit(print("${payload.host}: nothing of softmap is here any more"))
`;
  return `${becomingRootAgain()}${head}try:
    PACK = json.loads(zlib.decompress(open("/var/lib/softmap/programs/${pack().id}", "rb").read()))
except (OSError, ValueError, zlib.error):
${step === "retire" ? removed : ""}    sys.exit("softmap ${step} on ${payload.host} failed: softmap's programs are not on this host any more. Next: run \`pulumi refresh\`, then \`pulumi up\`: it puts them there again.")
exec(compile(PACK["modules"]["pack"], "<softmap>", "exec"))
run_step(PACK, "${step}", ${travelling(payload)})
`;
}

/** A payload as an expression of Python that gives it. */
function travelling(payload: object): string {
  const role = "role" in payload ? String(payload.role) : "";
  const sample = pack().samples[role];
  const text = deflated(canonical(withoutKnownTexts(payload)), sample);
  return sample === undefined ? `unpacked("${text}")` : `unpacked("${text}", PACK["samples"]["${role}"])`;
}

/** JSON with sorted keys, so that the order in which a caller writes an object is not a change. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** As Python reads it: base64 of the deflated text, with zlib's dictionary or without. Another Node's zlib may make other bytes of it; then a step runs once more and changes nothing. */
export function deflated(text: string, dictionary = ""): string {
  return deflateSync(text, { level: 9, ...(dictionary && { dictionary: Buffer.from(dictionary) }) }).toString("base64");
}

/** Files that the pack has are named and not sent. */
function withoutKnownTexts<Payload extends object>(payload: Payload): object {
  if (!("files" in payload)) return payload;
  const files = (payload.files as readonly { readonly text: string }[]).map(({ text, ...file }) => {
    const packed = pack().names.get(text);
    return packed === undefined ? { ...file, text } : { ...file, packed };
  });
  return { ...payload, files };
}
