// How many backends one site can have at a time. Clients refuse a descriptor with more than 20 introduction points (tor, hs_config.h
// HS_CONFIG_V3_MAX_INTRO_POINTS), and then the whole site is gone. Onionbalance lists N_INTROS_PER_INSTANCE = 2 a backend (hs_v3/params.py) and
// gives all directories the same; where each directory has its own, a backend has one point there, and clients ask six directories.
import type { Problem } from "../config/problems";
import { anyOf, count } from "../config/words";
import { mostDaemons } from "./names";
import type { PublisherMode } from "./publisher";

/** Introduction points that Onionbalance takes from each backend. */
const pointsPerBackend = 2;
/** Introduction points that a client accepts in one descriptor. */
export const mostPoints = 20;
/** Backends that one descriptor for all directories has room for, over every host. */
export const mostBackends = mostPoints / pointsPerBackend;
/** Directories that clients ask for a descriptor: the first 3 of each of 2 replicas (rend-spec-v3, hsdir_spread_fetch). It is stored at 4 of each. */
export const askedDirectories = 6;
/** Backends that one site can have published at once with distinct descriptors: each is in one that clients ask for. */
export const mostDistinct = askedDirectories * mostPoints;

/** The arithmetic of one project: every site in it is published with the project's backends on every listed worker. */
export interface IntroductionBudget {
  /** Of this project: up to ten backends it is Onionbalance's, whatever the balancer's is. */
  readonly mode: PublisherMode;
  /** Listed ones: what runs unpublished needs no introduction point of a site. */
  readonly workers: number;
  /** tor daemons per worker. */
  readonly daemons: number;
  readonly backends: number;
  /** Introduction points in each descriptor of a site. */
  readonly points: number;
  readonly limit: number;
  /** In how many of the six descriptors that clients ask for a backend is: some in the least, `many` of them in the most. */
  readonly share: { readonly least: number; readonly most: number; readonly many: number };
}

/**
 * The introduction points a project needs with so many listed workers; `mode` is the balancer's, absent: the one that the plan chooses.
 * @example introductionBudget(2, 2).points // 8
 */
export function introductionBudget(workers: number, daemons: number, mode?: PublisherMode): IntroductionBudget {
  const backends = workers * daemons;
  const its = { workers, daemons, backends, limit: mostPoints };
  if (mode === "onionbalance" || backends <= mostBackends) {
    const share = { least: askedDirectories, most: askedDirectories, many: backends };
    return { mode: "onionbalance", ...its, points: backends * pointsPerBackend, share };
  }
  const points = Math.min(mostPoints, backends);
  const places = askedDirectories * points;
  const least = Math.floor(places / backends);
  const rest = places - least * backends;
  const share = { least, most: rest > 0 ? least + 1 : least, many: rest > 0 ? rest : backends };
  return { mode: "distinct", ...its, points, share };
}

/** `8 of 20 introduction points`; with distinct descriptors also `each backend in 2 or 3 of 6`. */
export function describeBudget({ mode, points, limit, share }: IntroductionBudget): string {
  const places = anyOf([...new Set([share.least, share.most])].map(String));
  const own = mode === "distinct" ? `, each backend in ${places} of ${askedDirectories}` : "";
  return `${points} of ${limit} introduction points${own}`;
}

/**
 * What visitors notice of a number of backends that the directories cannot share evenly; undefined when there is nothing.
 * @example shareAdvice("news", introductionBudget(25, 2))
 */
export function shareAdvice(project: string, { mode, backends, share }: IntroductionBudget): string | undefined {
  if (mode === "onionbalance" || backends > mostDistinct) return undefined;
  const { least, most, many } = share;
  const sentences = [
    ...(most > least
      ? [
          `${many} of the ${backends} backends of project ${project} are in ${most} of the ${askedDirectories} descriptors that clients ask for at a time, the others in ${least}: ` +
            `they get ${most} visitors for ${least} of the others. Next: nothing if they bear it; ${evenNumbers(backends)} backends are shared evenly.`,
        ]
      : []),
    ...(least < 2
      ? [
          `With more than ${mostDistinct / 2} backends some of project ${project} are at one directory alone: visitors lose them while that one is away. ` +
            `Next: nothing if the others bear the visitors; or list ${mostDistinct / 2} backends at most.`,
        ]
      : []),
  ];
  return sentences.length === 0 ? undefined : sentences.join(" ");
}

/** The nearest numbers of backends that all descriptors share evenly: below and above. */
function evenNumbers(backends: number): string {
  const even = Array.from({ length: mostDistinct }, (_, at) => at + 1).filter(
    (n) => n <= mostPoints || mostDistinct % n === 0,
  );
  const near = [even.findLast((n) => n < backends), even.find((n) => n > backends)];
  return anyOf(near.flatMap((n) => (n === undefined ? [] : String(n))));
}

/**
 * What is wrong with so many backends for one site, with the arithmetic and the ways out; empty when nothing is.
 * `workers` are the listed ones; `chosen` says that the config names them (the setting `listed`), `publisher` is the config's.
 */
export function budgetProblems(
  project: { name: string; softmapTorWorkers: number },
  workers: number,
  { chosen = false, publisher }: { chosen?: boolean; publisher?: PublisherMode | undefined } = {},
): Problem[] {
  const { daemons, backends, points } = introductionBudget(workers, project.softmapTorWorkers, publisher);
  const together = publisher === "onionbalance";
  const most = together ? mostBackends : mostDistinct;
  if (backends <= most) return [];
  const sum = `${count(workers, chosen ? "listed worker" : "worker")} x ${count(daemons, "tor daemon")} = ${backends} backends`;
  const message = together
    ? `${sum} x ${pointsPerBackend} introduction points = ${points} for each site; clients refuse a descriptor with more than ${mostPoints}, and the site would be gone.`
    : `${sum} for each site; clients ask ${askedDirectories} directories for a descriptor and take ${mostPoints} introduction points from each, so more than ` +
      `${askedDirectories} x ${mostPoints} = ${mostDistinct} backends would not all be found.`;
  // More daemons than a worker can have are refused by themselves: what leaves them is no way out.
  const fits = daemons <= mostDaemons;
  const fewerDaemons = Math.min(mostDaemons, Math.floor(most / workers));
  const fewerWorkers = fits ? Math.floor(most / daemons) : 0;
  const ways = [
    ...(together && fits && backends <= mostDistinct ? ["remove `publisher` or set it to distinct"] : []),
    ...(fewerDaemons > 0 ? [`set softmapTorWorkers to ${fewerDaemons}`] : []),
    ...(fewerWorkers > 0
      ? [`${chosen ? "list" : "run this on"} ${fewerWorkers === 1 ? "1 worker" : `at most ${fewerWorkers} workers`}`]
      : []),
    "move sites to a second stack with workers of its own",
  ];
  const next = `${capital(ways[0] ?? "")}${ways
    .slice(1)
    .map((way) => `, or ${way}`)
    .join("")}.`;
  return [
    {
      component: `project ${project.name}`,
      property: "softmapTorWorkers",
      value: project.softmapTorWorkers,
      message,
      next,
    },
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
