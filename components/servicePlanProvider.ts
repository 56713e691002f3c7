// The dynamic provider behind ServicePlan; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";
import { unknownValue as unknown } from "./unknownValue";

/** What one unit runs on: paths with a hash of what is in each, hexadecimal. */
export interface ServiceFiles {
  /** What the unit takes over with a reload. */
  readonly reload: Readonly<Record<string, string>>;
  /** What only a restart takes over. */
  readonly restart: Readonly<Record<string, string>>;
  /** Installed and checked, but not running. */
  readonly standby?: boolean;
}

/** Units by their names. */
export type Services = Readonly<Record<string, ServiceFiles>>;

interface Plan {
  /** {@link Services} as JSON. */
  readonly services: string;
  /** The machines that run them, where they are several. */
  readonly hosts?: readonly string[];
  readonly actions: Readonly<Record<string, string>>;
  /** Units and files that have left the plan at some time, and are not in it now. */
  readonly leaving: readonly string[];
}

/** Names that are kept: what left before so many others has long been retired. */
const mostLeaving = 60;

/**
 * Paths that came, went, or have another hash, with the beginning of the new one. A diff leaves out what is written twice in a row:
 * with the hash, the second of two reloads for one file is not the same words. What a preview does not know yet has a key to be made in it,
 * and is another text.
 */
function changes(old: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): string {
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
    .filter((path) => old[path] !== wanted[path])
    .sort()
    .map((path) => `${path} ${wanted[path] === unknown ? "not known yet" : (wanted[path]?.slice(0, 6) ?? "gone")}`)
    .join(", ");
}

function actionOn(old: ServiceFiles | undefined, wanted: ServiceFiles | undefined): string {
  if (wanted === undefined) return "retire";
  if (wanted.standby === true)
    return old === undefined || old.standby === true ? "leave on standby" : "stop, to stand by";
  if (old === undefined || old.standby === true) return "start";
  const restart = changes(old.restart, wanted.restart);
  if (restart !== "") return `restart (${restart})`;
  const reload = changes(old.reload, wanted.reload);
  return reload === "" ? "leave alone" : `reload (${reload})`;
}

function actionsFrom(old: Services, wanted: Services): Record<string, string> {
  const units = [...new Set([...Object.keys(old), ...Object.keys(wanted)])].sort();
  return Object.fromEntries(units.map((unit) => [unit, actionOn(old[unit], wanted[unit])]));
}

/** Of the machines that come or go, where there were some before: what the others do is no news of them. */
function movesOf(old: Partial<Plan>, { hosts: wanted = [] }: Partial<Plan>): Record<string, string> {
  const { hosts = wanted } = old.services === undefined ? {} : old;
  const come = wanted.filter((host) => !hosts.includes(host)).map((host) => [`all on ${host}`, "start"] as const);
  const gone = hosts.filter((host) => !wanted.includes(host)).map((host) => [`all on ${host}`, "retire"] as const);
  return Object.fromEntries([...come, ...gone].sort());
}

function namesIn(services: Services): string[] {
  return Object.entries(services).flatMap(([unit, { reload, restart }]) => [
    unit,
    ...Object.keys(reload),
    ...Object.keys(restart),
  ]);
}

/**
 * What has left and not come back, the newest last. It is kept from plan to plan: a plan does not learn whether the step that retires what
 * left ever ran, and may be made after an `up` that failed before it.
 */
function leavingFrom({ services, leaving = [] }: Partial<Plan>, wanted: Services): string[] {
  const here = new Set(namesIn(wanted));
  const left = [...new Set([...leaving, ...namesIn(servicesIn(services)).sort()])].filter((name) => !here.has(name));
  return left.slice(-mostLeaving);
}

/** What a plan is of; of an earlier version's state it is no text. */
function servicesIn(services: string | Services = {}): Services {
  return typeof services === "string" ? (JSON.parse(services) as Services) : services;
}

/** What is to be done to units, and to whole machines. */
function actionsBetween(old: Partial<Plan>, wanted: Plan): Record<string, string> {
  return { ...actionsFrom(servicesIn(old.services), servicesIn(wanted.services)), ...movesOf(old, wanted) };
}

/** One object for all plans. No `read` and no `delete`: a plan is nowhere but in the state. */
export const servicePlanProvider: pulumi.dynamic.ResourceProvider = {
  // `actions` is an input, so that a preview knows and prints it. The state's are those of the last update.
  async check(olds: Partial<Plan>, news: Plan) {
    // The units and their paths must be known; a hash need not be.
    if (news.services === unknown) return { inputs: { ...news, actions: unknown, leaving: unknown } };
    const actions = actionsBetween(olds, news);
    return { inputs: { ...news, actions, leaving: leavingFrom(olds, servicesIn(news.services)) } };
  },

  // Not `actions` of the state: the plan after an update leaves everything alone, and is no change. Nor the order of units and files.
  async diff(_id: string, old: Plan, wanted: Plan) {
    const changes =
      wanted.services === unknown ||
      Object.values(actionsBetween(old, wanted)).some((action) => !action.startsWith("leave "));
    return { changes };
  },

  async create(plan: Plan) {
    return { id: "service-plan", outs: plan };
  },

  async update(_id: string, _old: Plan, plan: Plan) {
    return { outs: plan };
  },
};
