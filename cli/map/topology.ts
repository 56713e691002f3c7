/**
 * What a picture shows: machines, daemons, sites, and how they are. Made from a survey (cli/map/fromSurvey.ts) or from a plan (here), and the only
 * thing that is drawn. Everything in it is in the order of names, so that the same stack is the same picture.
 */
import { introductionBudget, mostPoints } from "../../plan/budget";
import { byName } from "../../plan/order";
import type { Plan } from "../../plan/plan";

/** ok: all that was looked at is well. trouble: something is not. unknown: nobody looked, or nobody could. */
export type Health = "ok" | "trouble" | "unknown";

/** How something is. */
export interface State {
  readonly health: Health;
  /** A word or two for the picture. @example "6 points" */
  readonly fact: string;
  /** Sentences without a full stop on what is wrong or not known; empty when all is well. */
  readonly why: readonly string[];
}

/** One tor daemon: a backend. */
export interface Daemon extends State {
  /** The backend's name, unique. @example "news-worker1-2" */
  readonly name: string;
  readonly project: string;
  readonly worker: string;
  /** What it is called on its worker. @example "tor 2" */
  readonly label: string;
  /** With `.onion`; null in a plan. */
  readonly address: string | null;
  /** Whether a balancer has it among those that it publishes. */
  readonly listed: boolean;
}

/** A project on one worker: its nginx and its daemons. */
export interface Cell {
  readonly project: string;
  /** Its nginx. */
  readonly proxy: State;
  readonly daemons: readonly Daemon[];
}

export interface Worker extends State {
  readonly name: string;
  readonly cells: readonly Cell[];
}

export interface Balancer extends State {
  readonly name: string;
  /** Installed, and not publishing. */
  readonly standby: boolean;
  /** What it publishes. */
  readonly sites: readonly { readonly domain: string; readonly project: string }[];
}

export interface Site extends State {
  readonly domain: string;
  readonly project: string;
  /** With `.onion`; null in a plan. */
  readonly address: string | null;
  /** Introduction points in its descriptor; null: not looked at. */
  readonly points: number | null;
  /** Introduction points that it has when every listed backend is in it: 2 a backend. */
  readonly planned: number;
  /** The most that clients accept. */
  readonly limit: number;
}

/** A project with its sites. */
export interface Project {
  readonly name: string;
  readonly sites: readonly Site[];
}

/** All of it. */
export interface Topology {
  /** @example "organization/softmap/prod" */
  readonly stack: string;
  readonly source: "survey" | "plan";
  /** When it was looked at, ISO 8601, UTC; null for a plan. */
  readonly taken: string | null;
  readonly balancers: readonly Balancer[];
  readonly projects: readonly Project[];
  readonly workers: readonly Worker[];
}

/** What is called a trouble, and of what. */
export interface Trouble {
  /** Name of the machine, daemon or site. */
  readonly name: string;
  readonly why: string;
}

/** Introduction points of a site's descriptor with so many backends in it. */
export const pointsOf = (backends: number): number => introductionBudget(1, backends).points;

/** A backend's daemon as its worker's box calls it. @example labelOf("news-worker1-2") // "tor 2" */
export function labelOf(backend: string): string {
  const number = /-(\d+)$/.exec(backend)?.[1];
  return number === undefined ? backend : `tor ${number}`;
}

/** Everything that has a state, with its name. */
export function statesOf({
  balancers,
  projects,
  workers,
}: Topology): { readonly name: string; readonly state: State }[] {
  return [
    ...balancers.map((state) => ({ name: state.name, state })),
    ...projects.flatMap(({ sites }) => sites.map((state) => ({ name: state.domain, state }))),
    ...workers.flatMap((worker) => [
      { name: worker.name, state: worker },
      ...worker.cells.flatMap(({ project, proxy, daemons }) => [
        { name: `nginx of ${project} on ${worker.name}`, state: proxy },
        ...daemons.map((daemon) => ({ name: daemon.name, state: daemon })),
      ]),
    ]),
  ];
}

/** Everything that is wrong, in words. */
export function troublesOf(topology: Topology): Trouble[] {
  return statesOf(topology).flatMap(({ name, state }) =>
    state.health === "trouble" ? state.why.map((why) => ({ name, why })) : [],
  );
}

/** The picture of a stack before anything of it is there. `stack`: what to call it. */
export function topologyOfPlan({ hosts, projects, backends }: Plan, stack: string): Topology {
  const planned: State = { health: "unknown", fact: "planned", why: [] };
  const named = projects.toSorted((a, b) => byName(a.name, b.name));
  const siteNames = named.flatMap(({ name: project, domains }) =>
    domains.toSorted(byName).map((domain) => ({ domain, project })),
  );
  return {
    stack,
    source: "plan",
    taken: null,
    balancers: hosts
      .filter(({ balancer }) => balancer)
      .map(({ name, publishes }) => ({ name, ...planned, standby: !publishes, sites: publishes ? siteNames : [] }))
      .sort((a, b) => byName(a.name, b.name)),
    projects: named.map(({ name, budget }) => ({
      name,
      sites: siteNames
        .filter(({ project }) => project === name)
        .map((site) => ({
          ...site,
          ...planned,
          address: null,
          points: null,
          planned: budget.points,
          limit: mostPoints,
        })),
    })),
    workers: hosts
      .filter(({ worker }) => worker)
      .map(({ name }) => ({
        name,
        ...planned,
        cells: named.map(({ name: project }) => ({
          project,
          proxy: planned,
          daemons: backends
            .filter((backend) => backend.worker === name && backend.project === project)
            .map((backend) => ({
              ...{ name: backend.name, project, worker: name, label: labelOf(backend.name) },
              ...{ ...planned, address: null, listed: backend.listed },
            }))
            .sort((a, b) => byName(a.name, b.name)),
        })),
      }))
      .sort((a, b) => byName(a.name, b.name)),
  };
}
