// What the tests of this room send to machines, and how a machine reads it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import {
  actProgram,
  adoptProgram,
  arrivalProgram,
  confirmProgram,
  leaveProgram,
  metricsFile,
  mirrorProgram,
  openProgram,
  packProgram,
  probeProgram,
  publisherFile,
  publishProgram,
  releaseProgram,
  renewalFile,
  retireProgram,
  rollbackProgram,
  surveyProgram,
  tailProgram,
  watchdogFile,
  type PublishPayload,
  type ReleasePayload,
} from "../program";

export const secret = "c2VjcmV0IHNlY3JldA==";

export const release: ReleasePayload = {
  stack: "dev",
  role: "worker",
  owner: "workers/worker1",
  host: "worker1",
  packages: ["tor"],
  users: [{ name: "softmap-tor", groups: [] }],
  dirs: [],
  files: [{ path: "tor/news-1/torrc", text: "Log notice stdout\n" }],
  state: [{ path: "/var/lib/softmap/x", base64: secret, owner: "root", group: "root", mode: "0600" }],
  services: [],
  keepReleases: 3,
  timeoutSeconds: 60,
};
export const publish: PublishPayload = {
  ...release,
  frontends: [],
  control: "/c",
  socks: "/s",
  statusSocket: "/t",
  publisherStatus: "/p",
  graceSeconds: 1,
  excused: [],
  warm: [],
  rollbackSeconds: 1,
  publishTimeoutSeconds: 1,
};
export const programs = {
  release: releaseProgram(release),
  publish: publishProgram(publish),
  confirm: confirmProgram({ host: "balancer1", stack: "dev", publishing: ["balancer1"] }),
  retire: retireProgram({
    stack: "dev",
    roles: ["worker"],
    owner: "workers/worker1",
    host: "worker1",
    keepServices: [],
    keepStateDirs: [],
    keepFiles: [],
    proxies: [],
    drainSeconds: 1,
  }),
  probe: probeProgram({ host: "worker1", roles: ["worker"], owner: "workers/worker1" }),
};
/** What brings a machine its pack. */
export const arrival =
  packProgram() + arrivalProgram({ host: "worker1", roles: ["worker"], firewall: true, openPorts: [] });
/** Programs of the operator's desk: no state has them, and each is sent once. */
export const ofTheDesk = {
  rollback: rollbackProgram({ host: "worker1", stack: "dev" }),
  survey: surveyProgram({ host: "worker1", ask: [], quick: false }),
  act: actProgram({ host: "worker1", stack: "dev", action: "stop", projects: [] }),
  leave: leaveProgram({
    ...{ host: "balancer1", action: "look", backends: [], kind: "drain", reason: "", seconds: 1, others: false },
  }),
  tail: tailProgram({ host: "worker1", projects: [], lines: 1, follow: false }),
  open: openProgram({ host: "balancer1", address: "a.onion" }),
  mirror: mirrorProgram({ host: "worker1", hours: 1, bytes: 1 }),
  adopt: adoptProgram({ host: "worker1", stack: "dev", action: "look", home: "", drainSeconds: 1 }),
};
/** What machines run by themselves: without a payload. */
export const stayingFiles = {
  renewal: renewalFile(),
  metrics: metricsFile(),
  publisher: publisherFile(),
  watchdog: watchdogFile(),
};

export const [script, scriptAgain] = ["bootstrap.sh", "again.sh"].map((name) =>
  readFileSync(join(__dirname, "..", name), "utf8"),
) as [string, string];

/** A program without the size and the shell script in front. */
export function pythonOf(program: string): string {
  const [size = ""] = program.split("\n", 1);
  return program.slice(size.length + 1 + Number(size));
}

export const unpacked = (base64: string): string => inflateSync(Buffer.from(base64, "base64")).toString("utf8");

/** Everything deflated in a text, unpacked. */
export const partsOf = (program: string): string[] =>
  [...program.matchAll(/\w+\("([A-Za-z0-9+/=]{40,})"\)/g)].map(([, base64 = ""]) => unpacked(base64));

export interface Pack {
  readonly modules: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, readonly string[]>>;
}
export const pack = JSON.parse(partsOf(arrival)[0] ?? "") as Pack;

/** The code of a packed step as host/pack.py puts it together. */
export const codeOfStep = (step: string): string =>
  (pack.steps[step] ?? []).map((name) => pack.modules[name]).join("\n\n");

/** The code of a program of the desk. */
export const codeOf = (program: string): string => partsOf(program)[0] ?? "";

/** Python's own reading of what a program is given. */
export function payloadAsPythonReadsIt(program: string): unknown {
  const [call = ""] = /unpacked\(.*(?=\)\n$)/.exec(program) ?? [];
  const reading = `${pack.modules["pack"]}\nPACK = json.load(sys.stdin)\nprint(json.dumps(${call}))\n`;
  return JSON.parse(execFileSync("python3", ["-I", "-c", reading], { input: JSON.stringify(pack), encoding: "utf8" }));
}
