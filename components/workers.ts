import type * as pulumi from "@pulumi/pulumi";
import { Component } from "./component";
import { FileSet } from "./fileSet";
import { hostStep, installationOn, type HostStepArgs, type Step } from "./hostStep";
import { isMonitored, networkOf, type Host, type TorNetwork } from "./hosts/host";
import type { Installation } from "./installation";
import { OnionKey } from "./onionKey";
import { renderProxy } from "./projectProxy";
import { renderer } from "./renderer";
import { probeOf, removeWorker } from "./retirement";
import { ServicePlan } from "./servicePlan";
import { hashOf } from "./hash";
import type { SoftmapProject } from "./softmapProject";
import { runsOn } from "./unitFiles";
import { among, releaseAfter } from "./waves";
import {
  poolContent,
  workerFilesOf,
  workerRelease,
  workerServices,
  type PoolContent,
  type ProjectFiles,
  type WorkerUnits,
} from "./workerRelease";
import { validatePool, validateRollout, validateTimes } from "../config/parse";
import type { Problem } from "../config/problems";
import { torMetrics } from "../plan/metrics";
import { daemonName } from "../plan/names";
import { planBackends, type Backend } from "../plan/plan";
import { torSettings } from "../plan/torSettings";

/** How a change goes over the machines of a pool. */
export interface RolloutArgs {
  /** Machines that get it first; 0: none. @default 1 */
  readonly canary?: number;
  /** Machines at a time after that. @default 2 */
  readonly waveSize?: number;
  /** Seconds that the machines of a wave are watched after the change before the next wave. @default 0 */
  readonly pause?: number;
}

/** Arguments of {@link Workers}. */
export interface WorkersArgs {
  /** The machines of the pool; each runs every project. */
  readonly hosts: readonly Host[];
  /** What they serve. */
  readonly projects: readonly SoftmapProject[];
  /** Names of the machines whose backends are published; the others run, proved and warm. @example ["worker1"] @default all */
  readonly listed?: readonly string[] | undefined;
  /** Which machines get a change first. @example { canary: 1, waveSize: 3, pause: 60 } @default one, then two at a time */
  readonly rollout?: RolloutArgs | undefined;
  /** Seconds that connections still open on a leaving backend are waited for before it stops. @default 120 */
  readonly drainTimeout?: number | undefined;
}

/** One tor daemon's onion service on one worker, with its key. */
export interface BackendService extends Backend {
  readonly key: OnionKey;
}

/**
 * The pool of workers: per project M tor daemons in front of one rewriting nginx, on every machine.
 * A change goes to one machine first, proves itself there, and then to the others.
 *
 * @example
 * const workers = new Workers("workers", { hosts: hosts.workers, projects: [news] });
 */
export class Workers extends Component {
  readonly hosts: readonly Host[];
  readonly projects: readonly SoftmapProject[];
  /** project x worker x daemon; `listed` says which are published. */
  readonly backends: readonly BackendService[];
  /** What restarts backends beside their own generation: another machine. A balancer publishes, and proves, again when it changes. */
  readonly runsOn: pulumi.Output<string>;
  /** Seconds. */
  readonly drainTimeout: number;
  /** By project: the rendered files. */
  readonly files: readonly ProjectFiles[];
  /** By host: whether it answers, and what was found there. */
  readonly installations: ReadonlyMap<string, Installation>;
  /** What is to be done to the units, the same on each machine. */
  readonly plan: ServicePlan;
  /** One release per machine; a balancer publishes after them. */
  readonly releases: readonly Step[];

  constructor(name: string, args: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Workers", name, problemsOf(name, args), opts);
    this.hosts = args.hosts;
    this.projects = args.projects;
    this.drainTimeout = args.drainTimeout ?? 120;

    const network = networkOf(name, args.hosts);
    const units = this.renderUnits(network);
    this.backends = args.projects.flatMap((project) => this.createBackends(project, args.listed));
    this.files = args.projects.map((project) => this.renderProject(project, network));
    this.runsOn = hashOf(args.hosts.map((host) => host.instance ?? ""));
    const planned = workerFilesOf(this.files, units);
    const content = new FileSet(this.childName("files"), poolContent(this.files, planned), { parent: this });
    const steps = args.hosts.map((host) => this.stepOn(host, content, args.rollout?.pause ?? 0));
    this.installations = new Map(steps.map(({ host, installation }) => [host.name, installation]));
    const services = runsOn(workerServices(this.files), planned);
    const hosts = args.hosts.map((host) => host.name);
    this.plan = new ServicePlan(this.childName("services"), { services, hosts }, { parent: this });
    this.releases = this.releaseInWaves(steps, args.rollout);
    this.registerOutputs({ backends: this.backends.map(({ name, key }) => ({ name, address: key.address })) });
  }

  private createBackends(project: SoftmapProject, listed: readonly string[] | undefined): BackendService[] {
    const backends = planBackends(
      { name: project.name, softmapTorWorkers: project.softmapTorWorkers, generation: project.generation },
      this.hosts.map((host) => host.name),
      listed,
    );
    return backends.map((backend) => ({
      ...backend,
      // Another generation is another backend, with a key of its own: see plan/generation.ts.
      key: new OnionKey(this.childName(`${backend.name}-${backend.generation}`), {}, { parent: this }),
    }));
  }

  /** A project's files are the same on every worker: rendered once, so that a preview shows a change once. */
  private renderProject(project: SoftmapProject, network: TorNetwork | undefined): ProjectFiles {
    const render = renderer(this);
    const { name } = project;
    const daemons = Array.from({ length: project.softmapTorWorkers }, (_, i) => i + 1);

    return {
      project: name,
      singleOnion: project.settings.torSingleOnion,
      proxy: renderProxy(project, render, this.monitored),
      obConfig: render(`${name}-ob-config`, "ob-config", { frontends: project.sites.map(({ key }) => key.address) }),
      daemons: daemons.map((index) => {
        const daemon = daemonName(name, index, project.generation);
        const torrc = render(`${daemon}-torrc`, "backend-torrc", {
          daemon,
          project: name,
          index,
          torIntrosPerDaemon: project.torIntrosPerDaemon,
          ...torSettings(project.settings),
          network: [...(network?.torrc ?? [])],
          ...(this.monitored && { metrics: torMetrics(daemon) }),
        });
        return { daemon, torrc };
      }),
    };
  }

  /** Whether what serves here counts for Prometheus. */
  private get monitored(): boolean {
    return isMonitored(this.hosts);
  }

  private renderUnits(network: TorNetwork | undefined): WorkerUnits {
    const render = renderer(this);
    const singleOnion = this.projects.some(({ settings }) => settings.torSingleOnion);
    return {
      tor: render("unit-tor", "unit-tor", {}),
      nginx: render("unit-nginx", "unit-nginx", {}),
      ...(singleOnion && {
        clientTorrc: render("client-torrc", "client-torrc", { network: [...(network?.torrc ?? [])] }),
      }),
    };
  }

  /**
   * The release of one machine, and whether the machine answers: an Installation is also what finds changes by hand, and the end of all
   * that is on the machine. Pulumi deletes last of all: when a machine leaves the pool, the balancers have published without it by then.
   */
  private stepOn(host: Host, content: FileSet<PoolContent>, pause: number): HostStepArgs {
    const backends = this.backends.filter((backend) => backend.worker === host.name);
    const program = workerRelease({ host, workers: this.name, projects: this.files, content, backends, pause });
    const installation = installationOn(this, host, {
      wants: hashOf(program),
      probe: probeOf(host, this.name, ["worker"]),
      leave: removeWorker(host, this.name, this.drainTimeout),
    });
    return { host, program, installation };
  }

  private releaseInWaves(steps: readonly HostStepArgs[], rollout: RolloutArgs | undefined): Step[] {
    const releases = new Map<string, Step>();
    const sizes = { canary: rollout?.canary ?? 1, waveSize: rollout?.waveSize ?? 2 };
    const waveBefore = releaseAfter(this.installations, sizes);
    for (const step of steps) {
      const { name } = step.host;
      const dependsOn = [among(waveBefore(name, releases)), this.plan];
      releases.set(name, hostStep(this.childName(`${name}-release`), step, { parent: this, dependsOn }));
    }
    return [...releases.values()];
  }
}

function problemsOf(name: string, { hosts, projects, listed, rollout, drainTimeout }: WorkersArgs): Problem[] {
  return [
    ...validatePool({ workers: hosts.map((host) => host.name), projects, listed }),
    ...validateRollout(rollout),
    ...validateTimes(name, { drainTimeout }),
  ];
}
