// What a config amounts to: machines, backends, introduction points, steps. Pure: the same config gives the same plan.
import { type StackConfig, workerPool } from "../config/schema";
import { type IntroductionBudget, introductionBudget } from "./budget";
import { backendName, daemonName } from "./names";
import { byName } from "./order";
import { type Step, planSteps } from "./steps";

/** One tor daemon of a project on one worker; Onionbalance calls it an instance. */
export interface Backend {
  /** `<project>-<worker>-<n>`, unique in the plan. */
  readonly name: string;
  readonly project: string;
  readonly worker: string;
  /** Number of the daemon on its worker, from 1. */
  readonly index: number;
  /** `<project>-<n>`, the daemon's name on its worker. */
  readonly daemon: string;
}

/** A machine and what it does. */
export interface PlannedHost {
  readonly name: string;
  readonly balancer: boolean;
  readonly worker: boolean;
}

/** A project with the backends of all its sites. */
export interface PlannedProject {
  readonly name: string;
  readonly domains: readonly string[];
  readonly backends: readonly Backend[];
  readonly budget: IntroductionBudget;
}

/** The whole plan of a stack. */
export interface Plan {
  /** The balancers, then the other workers, each by name. */
  readonly hosts: readonly PlannedHost[];
  readonly projects: readonly PlannedProject[];
  /** The backends of all projects. */
  readonly backends: readonly Backend[];
  readonly steps: readonly Step[];
}

/**
 * The backends of one project, by worker and number. The order of `workers` changes nothing; another worker changes no other's backends.
 * @example planBackends({ name: "news", softmapTorWorkers: 2 }, ["worker1"]).map(({ name }) => name) // ["news-worker1-1", "news-worker1-2"]
 */
export function planBackends(
  project: { name: string; softmapTorWorkers: number },
  workers: readonly string[],
): Backend[] {
  return workers.toSorted(byName).flatMap((worker) =>
    Array.from({ length: project.softmapTorWorkers }, (_, i) => {
      const index = i + 1;
      const name = backendName(project.name, worker, index);
      return { name, project: project.name, worker, index, daemon: daemonName(project.name, index) };
    }),
  );
}

/** The plan of a checked config. */
export function planStack(config: StackConfig): Plan {
  const pool = workerPool(config);
  const projects = config.projects
    .toSorted((a, b) => byName(a.name, b.name))
    .map((project): PlannedProject => {
      return {
        name: project.name,
        domains: project.sites.map(({ domain }) => domain),
        backends: planBackends(project, pool),
        budget: introductionBudget(pool.length, project.softmapTorWorkers),
      };
    });
  const hosts = [...config.balancers.toSorted(byName), ...config.workers.toSorted(byName)].map((name): PlannedHost => {
    return { name, balancer: config.balancers.includes(name), worker: pool.includes(name) };
  });
  return {
    hosts,
    projects,
    backends: projects.flatMap(({ backends }) => backends),
    steps: planSteps(config.balancers, pool),
  };
}
