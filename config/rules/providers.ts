// What each provider of machines needs of the config, and what it cannot use.
import { architectureOf } from "../../plan/instanceTypes";
import { problemsOf } from "../issues";
import { type Path, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { hostSchema } from "../schema/hosts";
import { type Kind, type Raw, kinds, machinesOf } from "./machines";

/** Problems of `hosts` and of how its machines are listed. */
export function providerRules(raw: Raw): Problem[] {
  switch (valueAt(raw, ["hosts", "provider"])) {
    case "ssh":
      return [...loginRules(raw), ...kinds.flatMap((kind) => sshList(raw, kind))];
    case "lab":
      return kinds.flatMap((kind) => labList(raw, kind));
    case "aws":
      return [
        ...reachRules(raw),
        ...networkRules(raw),
        ...typeRules(raw),
        ...kinds.flatMap((kind) => awsList(raw, kind)),
      ];
    case "local":
      return localRules(raw);
    default:
      return [];
  }
}

/** The entries of a list that are objects, with their places. */
function entriesOf(raw: Raw, kind: Kind): { entry: Record<string, unknown>; path: Path }[] {
  const given = raw[kind];
  if (!Array.isArray(given)) return [];
  return given.flatMap((entry: unknown, i) => (isRecord(entry) ? [{ entry, path: [kind, i] }] : []));
}

const isLocal = (entry: Record<string, unknown>): boolean => entry["local"] === true;

function loginRules(raw: Raw): Problem[] {
  const file = valueAt(raw, ["hosts", "privateKeyFile"]) !== undefined;
  const agent = valueAt(raw, ["hosts", "agent"]) === true;
  if (file !== agent) return [];
  const message = file
    ? "privateKeyFile and agent are both given; a login uses one of them."
    : "There is no way to log in: neither privateKeyFile nor agent is given.";
  const next = file
    ? "Remove one of them."
    : "Give privateKeyFile: ~/.ssh/id_ed25519, or agent: true to use the running ssh agent.";
  return [problemAt(raw, ["hosts", "privateKeyFile"], { message, next }, true)];
}

const machineForm =
  'a list of { name, address, hostKey }, e.g. [{ name: w1, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAA..." }]';

function sshList(raw: Raw, kind: Kind): Problem[] {
  const given = raw[kind];
  if (given === undefined || typeof given === "number") {
    const message =
      given === undefined
        ? "It is missing: machines of provider ssh are listed, not made."
        : "A number is for the lab: machines of provider ssh are listed, not made.";
    return [problemAt(raw, [kind], { message, next: `Give ${machineForm}.` })];
  }
  if (!Array.isArray(given)) return [];
  const names = given.flatMap((entry, i) => {
    if (typeof entry !== "string") return [];
    const message = "A name alone is for the lab: with provider ssh a machine has an address and a pinned host key.";
    return [problemAt(raw, [kind, i], { message, next: "Write it as { name, address, hostKey }." })];
  });
  const machines = entriesOf(raw, kind).flatMap(({ entry, path }) => sshMachine(raw, entry, path));
  return [...names, ...machines];
}

function sshMachine(raw: Raw, entry: Record<string, unknown>, path: Path): Problem[] {
  if (isLocal(entry)) {
    const message = "A machine with local: true is this one: nobody dials it.";
    return unwanted(raw, path, ["address", "port", "user", "hostKey", ...ofAws], {
      message,
      next: "Remove it, or remove local.",
    });
  }
  const next = "Remove it, or use provider aws.";
  const stray = unwanted(raw, path, ofAws, { message: "This is for machines of provider aws.", next });
  const known = Object.fromEntries(Object.entries(entry).filter(([key]) => key in hostSchema.shape));
  // A key that the stack's schema has refused already is told once.
  return [...stray, ...problemsOf(hostSchema.safeParse(known).error?.issues ?? [], raw, path)];
}

const ofAws = ["zone", "instanceType"];
const ofSsh = ["address", "port", "user", "hostKey", "local"];

function unwanted(raw: Raw, path: Path, keys: readonly string[], fault: Pick<Problem, "message" | "next">): Problem[] {
  return keys.flatMap((key) => {
    const place = [...path, key];
    return valueAt(raw, place) === undefined ? [] : [problemAt(raw, place, fault)];
  });
}

function labList(raw: Raw, kind: Kind): Problem[] {
  return entriesOf(raw, kind).map(({ entry, path }) => {
    const name = entry["name"];
    const message = "The lab makes its machines: they have no address or host key of their own to give.";
    const next =
      typeof name === "string"
        ? `Write the name alone, ${name}, or use provider ssh.`
        : "Write a number or a list of names, or use provider ssh.";
    return problemAt(raw, path, { message, next });
  });
}

function awsList(raw: Raw, kind: Kind): Problem[] {
  const region = valueAt(raw, ["hosts", "region"]);
  return entriesOf(raw, kind).flatMap(({ entry, path }) => {
    const message = "EC2 gives its machines their addresses, and the stack their host keys.";
    const stray = unwanted(raw, path, ofSsh, { message, next: "Remove it, or use provider ssh." });
    return [
      ...stray,
      ...zoneRule(raw, [...path, "zone"], region),
      ...typeRule(raw, [...path, "instanceType"]),
      ...needsName(raw, entry, path),
    ];
  });
}

function needsName(raw: Raw, entry: Record<string, unknown>, path: Path): Problem[] {
  // The schema says it too; here where a component's machines are checked without one.
  if (typeof entry["name"] === "string") return [];
  return [problemAt(raw, [...path, "name"], { message: "It is missing.", next: 'Give it, e.g. "worker1".' })];
}

function zoneRule(raw: Raw, path: Path, region: unknown): Problem[] {
  const zone = valueAt(raw, path);
  if (typeof zone !== "string" || typeof region !== "string" || zone.startsWith(region)) return [];
  return [problemAt(raw, path, { message: `The zone is not one of ${region}.`, next: `Write e.g. ${region}a.` })];
}

/** sshd must be reached somehow, and not by everybody. */
function reachRules(raw: Raw): Problem[] {
  const at = (key: string): unknown => valueAt(raw, ["hosts", key]);
  const problems: Problem[] = [];
  const say = (key: string, message: string, next: string) =>
    problems.push(problemAt(raw, ["hosts", key], { message, next }));
  const none = Array.isArray(at("sshFrom")) && (at("sshFrom") as unknown[]).length === 0;
  if (none && at("reach") !== "private")
    say(
      "sshFrom",
      "No network may reach sshd, and the machines are reached by their public addresses.",
      "Name the networks that you work from, e.g. [203.0.113.0/24]; or set reach: private, and run from within the VPC or through proxy.",
    );
  if (at("proxy") !== undefined && at("privateKeyFile") === undefined)
    say(
      "privateKeyFile",
      "The jump host is yours, and there is no key for it.",
      "Give the private key that logs in there, e.g. ~/.ssh/id_ed25519.",
    );
  if (isRecord(at("proxy")) && valueAt(raw, ["hosts", "proxy", "user"]) === undefined)
    problems.push(
      problemAt(raw, ["hosts", "proxy", "user"], {
        message: "The jump host is yours, and its user is not told.",
        next: "Give the user that logs in there, e.g. ops.",
      }),
    );
  if (at("proxy") === undefined && at("privateKeyFile") !== undefined)
    say(
      "privateKeyFile",
      "It is the key for a jump host, and there is none.",
      "Remove it; the machines' login key is made by the stack.",
    );
  return problems;
}

function networkRules(raw: Raw): Problem[] {
  const at = (key: string): unknown => valueAt(raw, ["hosts", key]);
  const vpc = at("vpc") ?? "own";
  const problems = (Array.isArray(at("zones")) ? (at("zones") as unknown[]) : []).flatMap((_, i) =>
    zoneRule(raw, ["hosts", "zones", i], at("region")),
  );
  if (at("subnets") !== undefined && (vpc === "own" || vpc === "default"))
    problems.push(
      problemAt(raw, ["hosts", "subnets"], {
        message: "Subnets are named of a VPC that exists.",
        next: "Give the VPC's id as vpc, or remove subnets.",
      }),
    );
  if (at("cidr") !== undefined && vpc !== "own")
    problems.push(
      problemAt(raw, ["hosts", "cidr"], {
        message: "It is the network of an own VPC.",
        next: "Remove it, or set vpc: own.",
      }),
    );
  return problems;
}

function typeRules(raw: Raw): Problem[] {
  return ["balancerType", "workerType"].flatMap((key) => typeRule(raw, ["hosts", key]));
}

/** An instance type runs one architecture alone, and its name says which. */
function typeRule(raw: Raw, path: Path): Problem[] {
  const type = valueAt(raw, path);
  const wanted = valueAt(raw, ["hosts", "architecture"]) ?? "arm64";
  if (typeof type !== "string" || typeof wanted !== "string") return [];
  const own = architectureOf(type);
  if (own === undefined || own === wanted) return [];
  const like = wanted === "arm64" ? "t4g.small" : "t3.small";
  return [
    problemAt(raw, path, {
      message: `It is an ${own} type, and the machines are ${wanted}.`,
      next: `Write one such as ${like}, or set architecture: ${own}.`,
    }),
  ];
}

function localRules(raw: Raw): Problem[] {
  const listed = kinds.flatMap((kind) => entriesOf(raw, kind).map(({ path }) => path));
  const stray = listed.map((path) =>
    problemAt(raw, path, {
      message: "With provider local the machine is this one, and has a name alone.",
      next: "Write its name; for others beside it use provider ssh, with local: true for this one.",
    }),
  );
  const names = new Set(kinds.flatMap((kind) => (machinesOf(raw, kind) ?? []).map(({ name }) => name)));
  if (names.size <= 1) return stray;
  const message = `There is one machine here, and ${names.size} are asked for.`;
  const next =
    "Set balancers: 1, workers: 0 and workersOnBalancers: true; for others beside it use provider ssh, with local: true for this one.";
  return [
    ...stray,
    problemAt(raw, [raw["workers"] === undefined ? "workersOnBalancers" : "workers"], { message, next }),
  ];
}
