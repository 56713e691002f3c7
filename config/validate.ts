// The rules for components that somebody uses without a stack's config: the same rules, on the arguments of one component.
import { isDeepStrictEqual } from "node:util";
import { formatDuration } from "./duration";
import { problemsOf } from "./issues";
import { isRecord, once, problemAt } from "./place";
import type { Problem } from "./problems";
import { type Choice, choiceRules, rawChoice } from "./rules/choices";
import { hostsRules } from "./rules/hosts";
import { certificateKeys, keysInArgs } from "./rules/certificates";
import { monitoringRules } from "./rules/monitoring";
import { projectsRules } from "./rules/projects";
import { type Network, publisherRules } from "./rules/publisher";
import {
  monitoringSchema,
  projectSchema,
  publisherSchema,
  rolloutSchema,
  stackSchema,
  timersSchema,
  watchdogSchema,
} from "./schema";
import type { PublisherMode } from "../plan/publisher";
import { awsHostsSchema } from "./schema/aws";
import { machineSchema } from "./schema/hosts";
import { proxy as proxySchema } from "./schema/proxy";
import { hostNameFault } from "./schema/names";
import { listed as listedSchema, publishing as publishingSchema } from "./schema/rollout";
import { torNetwork as torNetworkSchema } from "./schema/network";

/**
 * Every problem of the arguments of one project, its name among them; empty when it is right.
 * As with a component: nginxTimeout may be a number of seconds, `protectKeys` and every key (of sites, of certificates) are left to others.
 * @example validateProject({ name: "news", sites: [{ domain: "www.example.org" }] }) // []
 */
export function validateProject(args: unknown): Problem[] {
  const project = isRecord(args) ? asConfig(args) : args;
  const raw = { projects: [project] };
  const parsed = projectSchema.safeParse(project);
  const keyNext = "Give the site's `key`, or remove `onion` for a new address.";
  return once([
    ...problemsOf(parsed.error?.issues ?? [], raw, ["projects", 0]),
    ...projectsRules(raw, {
      siteKeyDomains: domainsWithKey(args),
      keyNames: keysInArgs(args),
      keyNext,
      pool: ["worker"],
    }),
  ]);
}

/** Arguments as the config has them: times as durations, no keys. */
function asConfig(args: Record<string, unknown>): unknown {
  const { sites, ...rest } = settingsOf(args, ["protectKeys"]);
  const plain = (site: unknown): unknown => (isRecord(site) ? settingsOf(site, ["key"]) : site);
  return { ...rest, ...(sites === undefined ? {} : { sites: Array.isArray(sites) ? sites.map(plain) : sites }) };
}

const keyArguments: readonly string[] = Object.values(certificateKeys).map(({ argument }) => argument);

function settingsOf(args: Record<string, unknown>, others: readonly string[]): Record<string, unknown> {
  const left = [...keyArguments, ...others];
  const { nginxTimeout, ...rest } = Object.fromEntries(Object.entries(args).filter(([key]) => !left.includes(key)));
  if (nginxTimeout === undefined) return rest;
  const seconds = typeof nginxTimeout === "number" && Number.isSafeInteger(nginxTimeout) && nginxTimeout >= 0;
  return { ...rest, nginxTimeout: seconds ? formatDuration(nginxTimeout) : nginxTimeout };
}

function domainsWithKey(args: unknown): string[] {
  const sites: unknown = isRecord(args) ? args["sites"] : undefined;
  if (!Array.isArray(sites)) return [];
  return sites.flatMap((site: unknown) =>
    isRecord(site) && site["key"] !== undefined && typeof site["domain"] === "string" ? site["domain"] : [],
  );
}

/** A project as far as its workers care. */
export interface PooledProject {
  readonly name: string;
  readonly softmapTorWorkers: number;
  readonly sites: readonly { readonly domain: string }[];
}

/**
 * Every problem of projects that share workers, given the machines' names: names, doubles, the introduction budget, which
 * counts the workers of `listed` alone (all when it is left out) and goes by `publisher` where that is known. What is wrong with a project alone is {@link validateProject}'s.
 */
export function validatePool({
  workers,
  projects,
  listed,
  publisher,
}: {
  workers: readonly string[];
  projects: readonly PooledProject[];
  listed?: readonly string[] | undefined;
  publisher?: PublisherMode | undefined;
}): Problem[] {
  // Only these: a component carries much else, and outputs may not be touched.
  const raw = {
    workers,
    balancers: [],
    projects: projects.map(({ name, softmapTorWorkers, sites }) => {
      return { name, softmapTorWorkers, sites: sites.map(({ domain }) => ({ domain })) };
    }),
  };
  return once([
    ...machineProblems(raw, "workers"),
    ...validateChoice("listed", listed, workers),
    ...projectsRules(raw, { pool: workers, listed: rawChoice({ listed }, "listed"), publisher }),
  ]);
}

/** Names of one kind of machines: each by itself, doubles, none at all. */
function machineProblems(raw: Readonly<Record<string, unknown>>, kind: "balancers" | "workers"): Problem[] {
  const names = raw[kind] as readonly string[];
  const single = names.flatMap((name, i) => {
    const fault = hostNameFault(name);
    return fault ? [problemAt(raw, [kind, i], fault)] : [];
  });
  return [...single, ...hostsRules(raw).filter(({ path }) => path?.[0] === kind)];
}

/**
 * Every problem of a choice among machines, given their names: none chosen, one twice, one that is not there. Undefined is all
 * of them, and right.
 * @example validateChoice("publishing", ["balancer1"], ["balancer1", "balancer2"]) // []
 */
export function validateChoice(choice: Choice, given: unknown, machines: readonly string[]): Problem[] {
  if (given === undefined) return [];
  const raw = { [choice]: given };
  const schema = choice === "publishing" ? publishingSchema : listedSchema;
  return once([
    ...problemsOf(schema.safeParse(given).error?.issues ?? [], raw, [choice]),
    ...choiceRules(raw, choice, machines),
  ]);
}

/**
 * Every problem of a rollout; `pause` is a whole number of seconds. Undefined is the default, and right.
 * @example validateRollout({ canary: 1, waveSize: 5, pause: 60 }) // []
 */
export function validateRollout(args: unknown): Problem[] {
  if (args === undefined) return [];
  const { given, problems } = isRecord(args) ? inDurations(args, ["pause"]) : { given: args, problems: [] };
  const at = (list: readonly Problem[]): Problem[] =>
    list.map((problem) => ({ ...problem, component: "rollout", path: ["rollout", ...(problem.path ?? [])] }));
  return [
    ...problemsOf(rolloutSchema.safeParse(given).error?.issues ?? [], { rollout: given }, ["rollout"]),
    ...at(problems),
  ];
}

/** The stack's times that a component takes in seconds. */
type Times = Readonly<
  Partial<Record<"publishTimeout" | "retireGrace" | "drainTimeout" | "rollbackWindow", number | undefined>>
>;

/** Every problem of times in seconds, with the ranges that the stack's config has; `component` is whose arguments they are. */
export function validateTimes(component: string, times: Times): Problem[] {
  const keys = Object.keys(times) as (keyof Times)[];
  const { given, problems } = inDurations(times, keys);
  const ranges = keys.flatMap((key) =>
    problemsOf(stackSchema.shape[key].safeParse(given[key]).error?.issues ?? [], given, [key]),
  );
  return once([...ranges, ...problems]).map((problem) =>
    problem.component === "stack" ? { ...problem, component } : problem,
  );
}

/** What {@link validateBalancer} looks at. */
export interface BalancerSettings extends Times {
  /** Names of its machines. */
  readonly balancers: readonly string[];
  readonly publishing?: readonly string[] | undefined;
}

/** Every problem of the balancers' machines, of who publishes, and of the times; `component` is whose arguments they are. */
export function validateBalancer(component: string, { balancers, publishing, ...times }: BalancerSettings): Problem[] {
  const names = once([
    ...machineProblems({ balancers, workers: [] }, "balancers"),
    ...validateChoice("publishing", publishing, balancers),
  ]);
  return [
    ...names.map((problem) => (problem.component === "stack" ? { ...problem, component } : problem)),
    ...validateTimes(component, times),
  ];
}

/** What {@link validatePublisher} looks at; times are whole numbers of seconds. */
export interface PublisherArgs {
  readonly publisher?: unknown;
  readonly timers?: unknown;
  readonly watchdog?: unknown;
}

/**
 * Every problem of who makes the descriptors, of the timers and of the watchdog, on the network that the machines are on. What is undefined
 * has defaults, and is right. Whether so many backends can be published is {@link validatePool}'s.
 * @example validatePublisher("balancer", { timers: { fetch: 60 } }, { testnet: false }) // []
 */
export function validatePublisher(component: string, args: PublisherArgs, network: Network): Problem[] {
  const schemas = { publisher: publisherSchema, timers: timersSchema, watchdog: watchdogSchema };
  const times = { publisher: [], timers: Object.keys(timersSchema.shape), watchdog: ["every", "timeout"] };
  const raw: Record<string, unknown> = {};
  const single = (["publisher", "timers", "watchdog"] as const).flatMap((key) => {
    if (args[key] === undefined) return [];
    const { given, problems } = isRecord(args[key])
      ? inDurations(args[key], times[key])
      : { given: args[key], problems: [] };
    raw[key] = given;
    return [
      ...problemsOf(schemas[key].safeParse(given).error?.issues ?? [], { [key]: given }, [key]),
      ...problems.map((problem) => ({ ...problem, component: key, path: [key, ...(problem.path ?? [])] })),
    ];
  });
  return once([...single, ...publisherRules(raw, network)]).map((problem) =>
    problem.component === "stack" ? { ...problem, component } : problem,
  );
}

/** Seconds as the config has them, so that its rules apply; what is no whole number of seconds is told and left out. */
function inDurations(
  args: object,
  keys: readonly string[],
): { given: Readonly<Record<string, unknown>>; problems: Problem[] } {
  const given: Record<string, unknown> = { ...args };
  const problems = keys.flatMap((key): Problem[] => {
    const seconds = given[key];
    if (seconds === undefined) return [];
    const whole = typeof seconds === "number" && Number.isSafeInteger(seconds) && seconds >= 0;
    given[key] = whole ? formatDuration(seconds) : undefined;
    const fault = { message: "It must be a whole number of seconds, 0 or more.", next: "Give e.g. 60." };
    return whole ? [] : [problemAt(args, [key], fault)];
  });
  return { given, problems };
}

/** What the components that provide machines have in common: which machines do what. */
interface ProvidedMachines {
  /** The component's name. */
  readonly component: string;
  readonly balancers: readonly unknown[];
  readonly workers: readonly unknown[];
}

/**
 * Every problem of machines reachable by ssh, of their jump host, and of the lines of their private Tor network. A machine that stands in
 * both lists, the same in each, does both.
 */
export function validateHosts({
  component,
  torNetwork,
  proxy,
  ...lists
}: ProvidedMachines & { torNetwork?: readonly string[] | undefined; proxy?: unknown }): Problem[] {
  const hosts = { provider: "ssh", agent: true, torNetwork, proxy };
  const network = torNetwork === undefined ? undefined : torNetworkSchema.safeParse(torNetwork);
  const jump = proxy === undefined ? undefined : proxySchema.safeParse(proxy);
  return provided(component, hosts, lists, [
    ...problemsOf(network?.error?.issues ?? [], { hosts }, ["hosts", "torNetwork"]),
    ...problemsOf(jump?.error?.issues ?? [], { hosts }, ["hosts", "proxy"]),
  ]);
}

/** Every problem of machines in AWS: of the arguments, and of each machine. `settings` are the arguments without machines and keys. */
export function validateAws({ component, settings, ...lists }: ProvidedMachines & { settings: object }): Problem[] {
  const hosts = { ...settings, provider: "aws" };
  return provided(
    component,
    hosts,
    lists,
    problemsOf(awsHostsSchema.safeParse(hosts).error?.issues ?? [], { hosts }, ["hosts"]),
  );
}

/**
 * Every problem of how machines are monitored, beside what else their firewall lets in. Undefined is not at all, and right.
 * @example validateMonitoring("hosts", { port: 9552, from: ["10.0.0.0/8"] }, {}) // []
 */
export function validateMonitoring(
  component: string,
  monitoring: unknown,
  { openPorts = [] }: { readonly openPorts?: readonly number[] | undefined },
): Problem[] {
  if (monitoring === undefined) return [];
  const raw = { monitoring, hosts: { openPorts } };
  return [
    ...problemsOf(monitoringSchema.safeParse(monitoring).error?.issues ?? [], raw, ["monitoring"]),
    ...monitoringRules(raw),
  ].map((problem) => (problem.component === "stack" ? { ...problem, component } : problem));
}

/** Every problem of this machine's name, and of the lines of its private Tor network. */
export function validateLocal({
  component,
  host,
  torNetwork,
}: {
  component: string;
  host: string;
  torNetwork?: readonly string[] | undefined;
}): Problem[] {
  const name = hostNameFault(host);
  const network = torNetwork === undefined ? undefined : torNetworkSchema.safeParse(torNetwork);
  return [
    ...(name ? [{ component, property: "host", value: host, ...name }] : []),
    ...problemsOf(network?.error?.issues ?? [], { torNetwork }, ["torNetwork"]).map((each) => ({ ...each, component })),
  ];
}

/** Problems of machines by themselves, by their provider, and together; what concerns all of them is the component's. */
function provided(
  component: string,
  hosts: object,
  { balancers, workers }: Pick<ProvidedMachines, "balancers" | "workers">,
  settings: readonly Problem[],
): Problem[] {
  const raw = { hosts, balancers, workers };
  const single = (["balancers", "workers"] as const).flatMap((kind) =>
    raw[kind].flatMap((host, i) => problemsOf(machineSchema.safeParse(host).error?.issues ?? [], raw, [kind, i])),
  );
  const others = workers.filter((worker) => !balancers.some((balancer) => isDeepStrictEqual(balancer, worker)));
  const both = hostsRules({ ...raw, workers: others, workersOnBalancers: others.length < workers.length });
  return once([...single, ...both, ...settings]).map((problem) =>
    problem.component === "stack" || problem.path?.[0] === "hosts" ? { ...problem, component } : problem,
  );
}
