// What a config amounts to: machines, backends, introduction points, steps. Pure: the same config gives the same plan.
import { type StackConfig, workerPool } from "../config/schema";
import { type IntroductionBudget, introductionBudget, shareAdvice } from "./budget";
import { generationOf } from "./generation";
import { backendName, daemonName } from "./names";
import { coresAdviceOf } from "./cores";
import { awsCost, describeCost, instanceTypes } from "./cost";
import { byName } from "./order";
import { choosePublisher, idleWatchdog, type PublisherChoice } from "./publisher";
import { type Step, planSteps } from "./steps";
import { planWaves } from "./waves";

/** One tor daemon of a project on one worker; Onionbalance calls it an instance. */
export interface Backend {
  /** `<project>-<worker>-<n>`, unique in the plan. */
  readonly name: string;
  readonly project: string;
  readonly worker: string;
  /** Number of the daemon on its worker, from 1. */
  readonly index: number;
  /** Of the project, see plan/generation.ts: 4 hex digits. */
  readonly generation: string;
  /** `<project>-<n>-<generation>`, the daemon's name on its worker. */
  readonly daemon: string;
  /** Whether the balancers publish it; else it runs, ready for that. */
  readonly listed: boolean;
}

/** A machine and what it does. */
export interface PlannedHost {
  readonly name: string;
  readonly balancer: boolean;
  /** A balancer that publishes; else it stands by. */
  readonly publishes: boolean;
  readonly worker: boolean;
  /** A worker whose backends are published. */
  readonly listed: boolean;
}

/** A project with the backends of all its sites. */
export interface PlannedProject {
  readonly name: string;
  readonly generation: string;
  readonly domains: readonly string[];
  readonly backends: readonly Backend[];
  readonly budget: IntroductionBudget;
}

/** The whole plan of a stack. */
export interface Plan {
  /** The balancers, then the other workers, each by name. */
  readonly hosts: readonly PlannedHost[];
  readonly projects: readonly PlannedProject[];
  /** The backends of all projects, those that are not listed among them. */
  readonly backends: readonly Backend[];
  /** Who makes the sites' descriptors, on every balancer, and why. */
  readonly publisher: PublisherChoice;
  /** How a change goes over the workers; `pause` in seconds. */
  readonly rollout: { readonly canary: number; readonly waveSize: number; readonly pause: number };
  /** The workers in the order in which they get a change. */
  readonly waves: readonly (readonly string[])[];
  readonly steps: readonly Step[];
  /** Sentences on backends that cannot be shared evenly, on a watchdog that does not run, and on machines with too many or too few cores where somebody knows them. */
  readonly advice: readonly string[];
  /** What the machines cost, where somebody knows. */
  readonly cost?: string;
}

/**
 * The backends of one project, by worker and number; those of the workers in `listed` (default: all) are published.
 * The order of `workers` changes nothing; another worker changes no other's backends.
 * @example planBackends({ name: "news", softmapTorWorkers: 2, generation: "3fa9" }, ["worker1"]).map(({ name }) => name) // ["news-worker1-1", "news-worker1-2"]
 */
export function planBackends(
  { name: project, softmapTorWorkers, generation }: { name: string; softmapTorWorkers: number; generation: string },
  workers: readonly string[],
  listed: readonly string[] = workers,
): Backend[] {
  return workers.toSorted(byName).flatMap((worker) =>
    Array.from({ length: softmapTorWorkers }, (_, i) => {
      const index = i + 1;
      return {
        name: backendName(project, worker, index),
        project,
        worker,
        index,
        generation,
        daemon: daemonName(project, index, generation),
        listed: listed.includes(worker),
      };
    }),
  );
}

/**
 * The plan of a checked config. `unit` is the text of tor's systemd unit, which is part of a generation; who does not look at
 * generations and daemon names may leave it out.
 */
export function planStack(config: StackConfig, unit = ""): Plan {
  const { balancers, publishing, listed, rollout } = config;
  const pool = workerPool(config);
  const publisher = publisherOf(config);
  const projects = config.projects
    .toSorted((a, b) => byName(a.name, b.name))
    .map((project): PlannedProject => {
      const { name, sites, softmapTorWorkers } = project;
      const generation = generationOf({ sites, tor: project, unit });
      return {
        name,
        generation,
        domains: sites.map(({ domain }) => domain),
        backends: planBackends({ name, softmapTorWorkers, generation }, pool, listed),
        budget: introductionBudget(listed.length, softmapTorWorkers, publisher.mode),
      };
    });
  const hosts = [...balancers.toSorted(byName), ...config.workers.toSorted(byName)].map((name): PlannedHost => ({
    name,
    balancer: balancers.includes(name),
    publishes: publishing.includes(name),
    worker: pool.includes(name),
    listed: listed.includes(name),
  }));
  const waves = planWaves(pool, rollout);
  const idle = idleWatchdog(publisher.mode, config.watchdog);
  const { advice, cost } = sizes(config, hosts);
  return {
    hosts,
    projects,
    backends: projects.flatMap(({ backends }) => backends),
    publisher,
    rollout,
    waves,
    steps: planSteps({ balancers, publishing, waves }),
    advice: [
      ...projects.flatMap(({ name, budget }) => shareAdvice(name, budget) ?? []),
      ...(idle === undefined ? [] : [idle]),
      ...advice,
    ],
    ...(cost === undefined ? {} : { cost }),
  };
}

/** One publisher for all projects: of two that need different ones the larger counts, and a small one is published alike by both. */
export function publisherOf({
  publisher,
  listed,
  projects,
}: Pick<StackConfig, "publisher" | "listed"> & {
  readonly projects: readonly Pick<StackConfig["projects"][number], "name" | "softmapTorWorkers">[];
}): PublisherChoice {
  const [largest] = projects.toSorted((a, b) => b.softmapTorWorkers - a.softmapTorWorkers || byName(a.name, b.name));
  if (largest === undefined) return choosePublisher(publisher, 0);
  return choosePublisher(publisher, listed.length * largest.softmapTorWorkers, `project ${largest.name}`);
}

/** Whether the machines fit, and what they cost: known of EC2's alone. */
function sizes({ hosts, projects }: StackConfig, planned: readonly PlannedHost[]): Pick<Plan, "advice" | "cost"> {
  if (hosts.provider !== "aws") return { advice: [] };
  const daemons = projects.reduce((all, { softmapTorWorkers }) => all + softmapTorWorkers, 0);
  const loads = planned.map(({ name, worker, balancer }) => {
    return { host: name, daemons: worker ? daemons : 0, proxies: worker ? projects.length : 0, balancer };
  });
  return { advice: coresAdviceOf(instanceTypes(hosts), loads), cost: describeCost(awsCost(hosts)) };
}
