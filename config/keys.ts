// Unknown keys: what was meant, where it belongs, or why there is no such setting.
import type { Problem } from "./problems";
import { labHostsSchema, sshHostsSchema, hostSchema } from "./schema/hosts";
import { projectSchema, siteSchema } from "./schema/project";
import { rolloutSchema } from "./schema/rollout";
import { stackSchema } from "./schema/stack";
import { nearest } from "./words";

/** The levels of the config that have keys of their own, in the operator's words. */
const levels = {
  stack: { where: "the stack's config", keys: [...Object.keys(stackSchema.shape), "siteKeys"] },
  lab: { where: "hosts with provider lab", keys: Object.keys(labHostsSchema.shape) },
  ssh: { where: "hosts with provider ssh", keys: Object.keys(sshHostsSchema.shape) },
  host: { where: "a machine", keys: Object.keys(hostSchema.shape) },
  rollout: { where: "rollout", keys: Object.keys(rolloutSchema.shape) },
  project: { where: "a project", keys: Object.keys(projectSchema.shape) },
  site: { where: "a site", keys: Object.keys(siteSchema.shape) },
} as const;

export type Level = keyof typeof levels;

const proofOfWork = {
  names: ["torPowEnabled", "torPowQueueRate", "torPowQueueBurst"],
  message:
    "Proof of work does nothing behind Onionbalance: a backend's descriptor asks for it, the site's own descriptor does not, so no client computes one.",
};
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
/** Settings that other tools have and that do nothing, or harm, behind Onionbalance. */
const refused = [proofOfWork, clientAuthorization];

/** Onionspray's settings that softmap sees to by itself. */
const builtIn: Readonly<Record<string, string>> = {
  nginxProxySslTrustedCertificate: "Upstream certificates are always verified against the worker's own CAs.",
  onionVersion: "Every site is v3: Tor has no other version any more.",
};

const plain = (key: string): string => key.toLowerCase().replaceAll(/[_\s-]/g, "");
const same = (a: string, b: string): boolean => plain(a) === plain(b);

/** The key of this level that a misspelt one means, if any. */
export function meant(key: string, level: Level): string | undefined {
  return nearest(key, levels[level].keys);
}

/** The problem of one unknown key; its value is not shown: nobody knows whether it is a secret. */
export function unknownKey(key: string, level: Level, given: readonly string[]): Pick<Problem, "message" | "next"> {
  const remove = "Remove it.";
  const why = refused.find(({ names }) => names.some((name) => same(name, key)))?.message;
  if (why !== undefined) return { message: why, next: remove };
  const done = Object.entries(builtIn).find(([name]) => same(name, key))?.[1];
  if (done !== undefined) return { message: done, next: remove };
  const known = levels[level].keys;
  const message = `There is no such key in ${levels[level].where}.`;
  const near = nearest(key, known);
  if (near !== undefined) {
    return {
      message,
      next: given.includes(near) ? `${near} is given already: remove this one.` : `Did you mean ${near}?`,
    };
  }
  const home = Object.values(levels).find(({ keys }) => keys.some((name) => same(name, key)));
  if (home) return { message, next: `It belongs to ${home.where}: move it there.` };
  return { message, next: `Remove it; the keys there are ${known.join(", ")}.` };
}
