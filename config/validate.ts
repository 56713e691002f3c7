// The rules for components that somebody uses without a stack's config: the same rules, on the arguments of one component.
import { isDeepStrictEqual } from "node:util";
import { formatDuration } from "./duration";
import { problemsOf } from "./issues";
import { isRecord, once, problemAt } from "./place";
import type { Problem } from "./problems";
import { hostsRules } from "./rules/hosts";
import { projectsRules } from "./rules/projects";
import { hostSchema, projectSchema } from "./schema";
import { hostNameFault } from "./schema/names";
import { torNetwork as torNetworkSchema } from "./schema/network";

/**
 * Every problem of the arguments of one project, its name among them; empty when it is right.
 * As with a component: nginxTimeout may be a number of seconds, `protectKeys` and each site's `key` are left to others.
 * @example validateProject({ name: "news", sites: [{ domain: "www.example.org" }] }) // []
 */
export function validateProject(args: unknown): Problem[] {
  const project = isRecord(args) ? asConfig(args) : args;
  const raw = { projects: [project] };
  const parsed = projectSchema.safeParse(project);
  const keyNext = "Give the site's `key`, or remove `onion` for a new address.";
  return once([
    ...problemsOf(parsed.error?.issues ?? [], raw, ["projects", 0]),
    ...projectsRules(raw, { siteKeyDomains: domainsWithKey(args), keyNext, pool: ["worker"] }),
  ]);
}

function asConfig(args: Record<string, unknown>): unknown {
  const { nginxTimeout, sites, ...rest } = args;
  delete rest["protectKeys"];
  const seconds = typeof nginxTimeout === "number" && Number.isSafeInteger(nginxTimeout) && nginxTimeout >= 0;
  return {
    ...rest,
    ...(nginxTimeout === undefined ? {} : { nginxTimeout: seconds ? formatDuration(nginxTimeout) : nginxTimeout }),
    ...(sites === undefined ? {} : { sites: Array.isArray(sites) ? sites.map(withoutKey) : sites }),
  };
}

function withoutKey(site: unknown): unknown {
  if (!isRecord(site)) return site;
  const rest = { ...site };
  delete rest["key"];
  return rest;
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
 * Every problem of projects that share workers, given the machines' names: names, doubles, the introduction budget.
 * What is wrong with a project alone is {@link validateProject}'s.
 */
export function validatePool({
  workers,
  projects,
}: {
  workers: readonly string[];
  projects: readonly PooledProject[];
}): Problem[] {
  // Only these: a component carries much else, and outputs may not be touched.
  const raw = {
    workers,
    balancers: [],
    projects: projects.map(({ name, softmapTorWorkers, sites }) => {
      return { name, softmapTorWorkers, sites: sites.map(({ domain }) => ({ domain })) };
    }),
  };
  const names = workers.flatMap((name, i) => {
    const fault = hostNameFault(name);
    return fault ? [problemAt(raw, ["workers", i], fault)] : [];
  });
  const hosts = hostsRules(raw).filter(({ path }) => path?.[0] === "workers");
  return once([...names, ...hosts, ...projectsRules(raw, { pool: workers })]);
}

/**
 * Every problem of machines reachable by ssh: each by itself, then doubles, then the lines of their private Tor network. A
 * machine that stands in both lists, the same in each, does both.
 */
export function validateHosts({
  component,
  balancers,
  workers,
  torNetwork,
}: {
  component: string;
  balancers: readonly unknown[];
  workers: readonly unknown[];
  torNetwork?: readonly string[] | undefined;
}): Problem[] {
  const raw = { balancers, workers };
  const single = (["balancers", "workers"] as const).flatMap((kind) =>
    raw[kind].flatMap((host, i) => problemsOf(hostSchema.safeParse(host).error?.issues ?? [], raw, [kind, i])),
  );
  const others = workers.filter((worker) => !balancers.some((balancer) => isDeepStrictEqual(balancer, worker)));
  const both = hostsRules({ balancers, workers: others, workersOnBalancers: others.length < workers.length });
  const network = torNetwork === undefined ? undefined : torNetworkSchema.safeParse(torNetwork);
  const lines = problemsOf(network?.error?.issues ?? [], { hosts: { torNetwork } }, ["hosts", "torNetwork"]);
  return once([...single, ...both, ...lines]).map((problem) =>
    problem.component === "stack" || problem.path?.[0] === "hosts" ? { ...problem, component } : problem,
  );
}
