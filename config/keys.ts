// Unknown keys: what was meant, where it belongs, or why there is no such setting.
import { fateOf } from "./onionspray";
import type { Problem } from "./problems";
import { certificateKeys, setKey } from "./rules/certificates";
import { awsHostsSchema } from "./schema/aws";
import { labHostsSchema, localHostsSchema, machineSchema, sshHostsSchema } from "./schema/hosts";
import { monitoringSchema } from "./schema/monitoring";
import { projectSchema, siteSchema } from "./schema/project";
import { timersSchema, watchdogSchema } from "./schema/publisher";
import { proxy } from "./schema/proxy";
import { rolloutSchema } from "./schema/rollout";
import { secretKeys, stackSchema } from "./schema/stack";
import { nearest } from "./words";

/** A level of the config that has keys of its own, in the operator's words. */
export interface Level {
  readonly where: string;
  readonly keys: readonly string[];
}

/** The levels that have a place of their own; entries of lists are levels too. */
export const levels = {
  stack: { where: "the stack's config", keys: [...Object.keys(stackSchema.shape), ...secretKeys] },
  lab: { where: "hosts with provider lab", keys: Object.keys(labHostsSchema.shape) },
  ssh: { where: "hosts with provider ssh", keys: Object.keys(sshHostsSchema.shape) },
  aws: { where: "hosts with provider aws", keys: Object.keys(awsHostsSchema.shape) },
  local: { where: "hosts with provider local", keys: Object.keys(localHostsSchema.shape) },
  proxy: { where: "a jump host", keys: Object.keys(proxy.shape) },
  host: { where: "a machine", keys: Object.keys(machineSchema.shape) },
  rollout: { where: "rollout", keys: Object.keys(rolloutSchema.shape) },
  timers: { where: "timers", keys: Object.keys(timersSchema.shape) },
  watchdog: { where: "watchdog", keys: Object.keys(watchdogSchema.shape) },
  monitoring: { where: "monitoring", keys: Object.keys(monitoringSchema.shape) },
  project: { where: "a project", keys: Object.keys(projectSchema.shape) },
  site: { where: "a site", keys: Object.keys(siteSchema.shape) },
} as const satisfies Record<string, Level>;

// More keys than this are no help in a report.
const mostShown = 20;

const clientAuthorization = {
  names: [
    "torClientAuthorization",
    "clientAuthorization",
    "clientAuth",
    "torClientAuth",
    "authorizedClients",
    "torAuthorizedClients",
  ],
  message:
    "Client authorization does not work behind Onionbalance: it cannot read the descriptor of a backend that has it, so the site would not be published.",
};

const plain = (key: string): string => key.toLowerCase().replaceAll(/[_\s-]/g, "");
const same = (a: string, b: string): boolean => plain(a) === plain(b);

/** The key of this level that a misspelt one means, if any. */
export function meant(key: string, level: Level): string | undefined {
  return nearest(key, level.keys);
}

/** The problem of one unknown key; its value is not shown: nobody knows whether it is a secret. */
export function unknownKey(key: string, level: Level, given: readonly string[]): Pick<Problem, "message" | "next"> {
  const special = privateKey(key) ?? ofOnionspray(key, level, given);
  if (special) return special;
  if (clientAuthorization.names.some((name) => same(name, key)))
    return { message: clientAuthorization.message, next: "Remove it." };
  const message = `There is no such key in ${level.where}.`;
  const near = meant(key, level);
  if (near !== undefined) return { message, next: given.includes(near) ? givenAlready(near) : `Did you mean ${near}?` };
  const home = homeOf(key);
  if (home !== undefined) return { message, next: `It belongs to ${home}: move it there.` };
  const known = level.keys.length > mostShown ? "in docs/config.md" : level.keys.join(", ");
  return { message, next: `Remove it; the keys there are ${known}.` };
}

const givenAlready = (key: string): string => `${key} is given already: remove this one.`;

/** Where a key of this name belongs, in words. */
function homeOf(key: string): string | undefined {
  const homes = Object.values(levels).filter(({ keys }) => keys.some((name) => same(name, key)));
  const [first, second] = homes;
  if (!first) return undefined;
  return second && homes.length === 2 ? `${first.where} or ${second.where}` : first.where;
}

/** Keys are arguments of components; in a stack's file they would be in plain text. */
function privateKey(key: string): Pick<Problem, "message" | "next"> | undefined {
  const [name] = Object.entries(certificateKeys).find(([, { argument }]) => same(argument, key)) ?? [];
  if (name === undefined) return undefined;
  return {
    message: "A private key does not belong in a stack's file.",
    next: `Remove it from the file and its history, regard it as seen, and set a new one as a secret: ${setKey(name, "www.example.org")}, by domain or project.`,
  };
}

function ofOnionspray(
  key: string,
  level: Level,
  given: readonly string[],
): Pick<Problem, "message" | "next"> | undefined {
  const fate = fateOf(key);
  if (fate?.kind === "refused") return { message: fate.why, next: "Remove it." };
  // `project` for `projects` is a slip, whatever it is elsewhere.
  if (fate?.kind === "replaced" && fate.by !== `${key}s`) {
    const known = homeOf(fate.by);
    return { message: fate.why, next: known === undefined ? "Remove it." : herePart(fate.by, level, given) };
  }
  if (fate?.kind !== "same" || fate.key === key) return undefined;
  return { message: `This is Onionspray's name of ${fate.key}.`, next: herePart(fate.key, level, given) };
}

function herePart(key: string, level: Level, given: readonly string[]): string {
  if (!level.keys.includes(key)) return `Here it is ${key}, of ${homeOf(key) ?? "another level"}.`;
  return given.includes(key) ? givenAlready(key) : `Here it is ${key}.`;
}
