// From what the operator wrote to a checked config: everything that is wrong with it in one report.
import type { z } from "zod";
import { countedHost } from "../plan/names";
import type { SecretNames } from "./input";
import { problemsOf } from "./issues";
import { isRecord, once } from "./place";
import { type Problem, refuse } from "./problems";
import { type CertificateKeys, type KeyNames, setKey } from "./rules/certificates";
import { choicesRules, rawChoice } from "./rules/choices";
import { hostsRules } from "./rules/hosts";
import { rawPool } from "./rules/machines";
import { monitoringRules } from "./rules/monitoring";
import { projectsRules } from "./rules/projects";
import { publisherRules, rawNetwork, rawPublisher } from "./rules/publisher";
import { type StackConfig, secretKeys, stackSchema, workerPool } from "./schema";
import type { machineSchema } from "./schema/hosts";
import { kindOf } from "./words";

/** What is known beside the config. */
export interface ParseOptions {
  /** Domains that the secret siteKeys names; left out when that is not known, and then it is not checked. */
  siteKeyDomains?: readonly string[] | undefined;
  /** Domains whose key stands in the config in plain text: each is a problem. */
  plainSiteKeys?: readonly string[] | undefined;
  /** The same of tlsKeys and upstreamKeys, whose names are domains or projects. */
  certificateKeys?: Readonly<Partial<Record<CertificateKeys, SecretNames>>> | undefined;
}

export {
  validateAws,
  validateBalancer,
  validateChoice,
  validateHosts,
  validateLocal,
  validateMonitoring,
  validatePool,
  validateProject,
  validatePublisher,
  validateRollout,
  validateTimes,
} from "./validate";

type Input = z.output<typeof stackSchema>;

/**
 * The checked config of a stack, every default filled, durations in seconds.
 * `raw` is keyed without `softmap:`; siteKeys is not part of it (of one that is there only the domains are read).
 * Throws a {@link ProblemsError} with every problem; nothing else, whatever `raw` is.
 * @example parseStackConfig({ hosts: { provider: "lab" }, projects: [{ name: "news", sites: [{ domain: "www.example.org" }] }] })
 */
export function parseStackConfig(raw: Readonly<Record<string, unknown>>, options: ParseOptions = {}): StackConfig {
  const { result, problems } = check(raw, options);
  refuse(problems);
  if (!result) throw new Error("the config has no problem and no value");
  return resolve(result) as StackConfig;
}

function check(given: unknown, options: ParseOptions): { result?: Input; problems: Problem[] } {
  if (!isRecord(given)) {
    const message = `It must be an object of keys, but is ${kindOf(given)}.`;
    const next = "Give the keys hosts, balancers, workers and projects.";
    return { problems: [{ component: "stack", property: "config", message, next, path: [] }] };
  }
  const { siteKeys, tlsKeys, upstreamKeys, ...raw } = given;
  const secrets = Object.entries({ siteKeys, tlsKeys, upstreamKeys });
  const certificates = options.certificateKeys ?? {};
  const siteKeyDomains = options.siteKeyDomains ?? (isRecord(siteKeys) ? Object.keys(siteKeys) : undefined);
  const parsed = stackSchema.safeParse(raw);
  const pool = rawPool(raw)?.map(({ name }) => name);
  const listed = rawChoice(raw, "listed");
  const problems = [
    ...problemsOf(parsed.error?.issues ?? [], raw),
    ...hostsRules(raw),
    ...choicesRules(raw),
    ...publisherRules(raw, rawNetwork(raw)),
    ...monitoringRules(raw),
    ...projectsRules(raw, {
      siteKeyDomains,
      keyNames: keyNamesOf(certificates),
      pool,
      listed,
      publisher: rawPublisher(raw),
    }),
    ...secrets.flatMap(([key, value]) => (value === undefined || isRecord(value) ? [] : [secretForm(key)])),
    ...(options.plainSiteKeys ?? []).map((name) => keyInPlainText("siteKeys", name)),
    ...Object.entries(certificates).flatMap(([key, { plain }]) => plain.map((name) => keyInPlainText(key, name))),
  ];
  return { ...(parsed.data ? { result: compact(parsed.data) } : {}), problems: inOrder(once(problems)) };
}

function keyNamesOf(secrets: NonNullable<ParseOptions["certificateKeys"]>): KeyNames {
  return Object.fromEntries(Object.entries(secrets).map(([key, { names }]) => [key, names]));
}

const siteKeyFile = "hs_ed25519_secret_key.base64";

function secretForm(key: string): Problem {
  const set =
    key === "siteKeys"
      ? `pulumi config set --secret --path 'siteKeys["www.example.org"]' < ${siteKeyFile}`
      : setKey(key, "www.example.org");
  return {
    component: "stack",
    property: key,
    message: "It must be an object: a key for each domain.",
    next: `Set each key by its domain: ${set}`,
    path: [key],
  };
}

/** No value here: it is the key. */
function keyInPlainText(secret: string, name: string): Problem {
  const ofSite = secret === "siteKeys";
  const set = ofSite
    ? `pulumi config set --secret --path 'softmap:siteKeys["${name}"]' < ${siteKeyFile}`
    : setKey(secret, name);
  return {
    component: secret,
    property: name,
    message: `The ${ofSite ? "site's" : "certificate's"} key stands here in plain text: whoever reads the file can answer for the site.`,
    next: `Encrypt it: ${set}. If the file was ever committed or shared, regard the key as seen.`,
    path: [secret, name],
  };
}

const order = [...Object.keys(stackSchema.shape), ...secretKeys];

/** In the order of the docs; what belongs to no key of the stack comes first. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ path }: Problem): number => order.indexOf(String(path?.[0]));
  return problems.toSorted((a, b) => rank(a) - rank(b));
}

/** Without keys whose value is undefined, so that an absent key is absent. */
function compact<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(compact) as Value;
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, compact(inner)]])),
  ) as Value;
}

function resolve({ hosts, balancers, workers, publishing, listed, ...rest }: Input) {
  const given = { balancers: machinesOf("balancer", balancers), workers: machinesOf("worker", workers) };
  const all = {
    balancers: given.balancers.map(({ name }) => name),
    workers: given.workers.map(({ name }) => name),
    workersOnBalancers: rest.workersOnBalancers,
  };
  // In one order, whatever the order in which the config names them.
  const chosen = (given: readonly string[] | undefined, machines: readonly string[]): string[] =>
    machines.filter((name) => given?.includes(name) ?? true);
  return {
    ...rest,
    ...all,
    hosts: withMachines(hosts, given),
    publishing: chosen(publishing, all.balancers),
    listed: chosen(listed, workerPool(all)),
  };
}

/** A machine as given, a name at least. */
type Machine = z.output<typeof machineSchema>;
type Machines = Record<"balancers" | "workers", Machine[]>;

function machinesOf(kind: "balancer" | "worker", given: Input["workers"]): Machine[] {
  if (typeof given === "number") return Array.from({ length: given }, (_, i) => ({ name: countedHost(kind, i + 1) }));
  return given.map((machine) => (typeof machine === "string" ? { name: machine } : machine));
}

/** The machines as their provider needs them: rules/providers.ts has seen to it that each has what it must have. */
function withMachines(hosts: Input["hosts"], given: Machines): object {
  const each = <Entry>(shape: (machine: Machine) => Entry) => ({
    balancers: given.balancers.map(shape),
    workers: given.workers.map(shape),
  });
  switch (hosts.provider) {
    case "ssh":
      return { ...hosts, ...each((machine) => (machine.local ? machine : { port: 22, user: hosts.user, ...machine })) };
    case "lab":
    case "local":
    case "aws":
      return { ...hosts, ...each((machine) => machine) };
  }
}
