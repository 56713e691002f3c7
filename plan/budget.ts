// How many backends one site can have at a time. Onionbalance lists N_INTROS_PER_INSTANCE = 2 introduction points a backend (hs_v3/params.py);
// clients refuse a descriptor with more than 20 (tor, hs_config.h HS_CONFIG_V3_MAX_INTRO_POINTS), and then the whole site is gone.
import type { Problem } from "../config/problems";
import { count } from "../config/words";

/** Introduction points that Onionbalance takes from each backend. */
const pointsPerBackend = 2;
/** Introduction points that a client accepts in one descriptor. */
export const mostPoints = 20;
/** Backends that one site can have published at once, over every host. */
export const mostBackends = mostPoints / pointsPerBackend;

/** The arithmetic of one project: every site in it is published with the project's backends on every listed worker. */
export interface IntroductionBudget {
  /** Listed ones: what runs unpublished needs no introduction point of a site. */
  readonly workers: number;
  /** tor daemons per worker. */
  readonly daemons: number;
  readonly backends: number;
  /** Introduction points in each site's descriptor. */
  readonly points: number;
  readonly limit: number;
}

/** The introduction points a project needs with so many listed workers. @example introductionBudget(2, 2).points // 8 */
export function introductionBudget(workers: number, daemons: number): IntroductionBudget {
  const backends = workers * daemons;
  return { workers, daemons, backends, points: backends * pointsPerBackend, limit: mostPoints };
}

/** `8 of 20 introduction points`. */
export function describeBudget(budget: IntroductionBudget): string {
  return `${budget.points} of ${budget.limit} introduction points`;
}

/**
 * What is wrong with so many backends for one site, with the arithmetic and the ways out; empty when nothing is.
 * `workers` are the listed ones; `chosen` says that the config names them (the setting `listed`).
 */
export function budgetProblems(
  project: { name: string; softmapTorWorkers: number },
  workers: number,
  { chosen = false }: { chosen?: boolean } = {},
): Problem[] {
  const budget = introductionBudget(workers, project.softmapTorWorkers);
  if (budget.points <= budget.limit) return [];
  const sum =
    `${count(workers, chosen ? "listed worker" : "worker")} x ${count(budget.daemons, "tor daemon")} = ${budget.backends} backends x ` +
    `${pointsPerBackend} introduction points = ${budget.points} for each site`;
  const daemons = Math.floor(mostBackends / workers);
  const fewer = Math.floor(mostBackends / budget.daemons);
  const ways = [
    ...(daemons > 0 ? [`set softmapTorWorkers to ${daemons}`] : []),
    ...(fewer > 0
      ? [`${chosen ? "list" : "run this on"} ${fewer === 1 ? "1 worker" : `at most ${fewer} workers`}`]
      : []),
    "move sites to a second stack with workers of its own",
  ];
  return [
    {
      component: `project ${project.name}`,
      property: "softmapTorWorkers",
      value: project.softmapTorWorkers,
      message: `${sum}; clients refuse a descriptor with more than ${mostPoints}, and the site would be gone.`,
      next: `${capital(ways[0] ?? "")}${ways
        .slice(1)
        .map((way) => `, or ${way}`)
        .join("")}.`,
    },
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
