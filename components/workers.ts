import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { Component } from "./component";
import { hostStep, leaveStep } from "./hostStep";
import { OnionKey } from "./onionKey";
import { renderer } from "./renderer";
import { networkOf, type Host, type TorNetwork } from "./hosts/host";
import { removeWorker } from "./retirement";
import type { SoftmapProject } from "./softmapProject";
import { workerRelease, type ProjectFiles, type WorkerUnits } from "./workerRelease";
import { validatePool } from "../config/parse";
import { daemonName } from "../plan/names";
import { planBackends, type Backend } from "../plan/plan";

/** Arguments of {@link Workers}. */
export interface WorkersArgs {
  /** The machines of the pool; each runs every project. */
  readonly hosts: readonly Host[];
  /** What they serve. */
  readonly projects: readonly SoftmapProject[];
}

/** One tor daemon's onion service on one worker, with its key. */
export interface BackendService extends Backend {
  readonly key: OnionKey;
}

/**
 * The pool of workers: per project M tor daemons in front of one rewriting nginx, on every machine.
 *
 * @example
 * const workers = new Workers("workers", { hosts: hosts.workers, projects: [news] });
 */
export class Workers extends Component {
  readonly hosts: readonly Host[];
  readonly projects: readonly SoftmapProject[];
  /** project x worker x daemon. */
  readonly backends: readonly BackendService[];
  /**
   * A hash of what restarts backends: their unit, their `ob_config`, the machine. Restarted backends have new introduction
   * points, so a balancer publishes, and proves, again when it changes.
   */
  readonly runsOn: pulumi.Output<string>;
  /** One release per machine; a balancer publishes after them. */
  readonly releases: readonly remote.Command[];

  constructor(name: string, args: WorkersArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Workers", name, validatePool({ workers: args.hosts.map((h) => h.name), projects: args.projects }), opts);
    this.hosts = args.hosts;
    this.projects = args.projects;

    this.backends = args.projects.flatMap((project) => this.createBackends(project));
    const projects = args.projects.map((project) => this.renderProject(project, networkOf(name, args.hosts)));
    const units = this.renderUnits();
    this.runsOn = hashOf({
      unit: units.tor,
      frontends: projects.map((project) => project.obConfig),
      machines: args.hosts.map((host) => host.instance ?? ""),
    });
    this.releases = args.hosts.map((host) => this.releaseTo(host, projects, units));
    this.registerOutputs({ backends: this.backends.map(({ name, key }) => ({ name, address: key.address })) });
  }

  private createBackends(project: SoftmapProject): BackendService[] {
    const backends = planBackends(
      { name: project.name, softmapTorWorkers: project.softmapTorWorkers },
      this.hosts.map((host) => host.name),
    );
    return backends.map((backend) => ({
      ...backend,
      key: new OnionKey(this.childName(backend.name), {}, { parent: this }),
    }));
  }

  /** A project's files are the same on every worker: rendered once, so that a preview shows a change once. */
  private renderProject(project: SoftmapProject, network: TorNetwork | undefined): ProjectFiles {
    const render = renderer(this);
    const frontends = project.sites.map((site) => site.key.address);
    const sites = project.sites.map(({ domain, subdomains, key }) => ({
      domain,
      subdomains: [...subdomains],
      onion: key.address,
    }));
    const daemons = Array.from({ length: project.softmapTorWorkers }, (_, i) => i + 1);

    return {
      project: project.name,
      nginx: render(`${project.name}-nginx`, "nginx", {
        project: project.name,
        daemons: project.softmapTorWorkers,
        sites,
        nginxResolver: [...project.nginxResolver],
        nginxTimeout: project.nginxTimeout,
        backendHeader: project.backendHeader,
      }),
      obConfig: render(`${project.name}-ob-config`, "ob-config", { frontends }),
      daemons: daemons.map((index) => {
        const daemon = daemonName(project.name, index);
        const torrc = render(`${daemon}-torrc`, "backend-torrc", {
          daemon,
          project: project.name,
          index,
          torIntrosPerDaemon: project.torIntrosPerDaemon,
          network: [...(network?.torrc ?? [])],
        });
        return { daemon, torrc };
      }),
    };
  }

  private renderUnits(): WorkerUnits {
    const render = renderer(this);
    return { tor: render("unit-tor", "unit-tor", {}), nginx: render("unit-nginx", "unit-nginx", {}) };
  }

  private releaseTo(host: Host, projects: readonly ProjectFiles[], units: WorkerUnits): remote.Command {
    const backends = this.backends.filter((backend) => backend.worker === host.name);
    const program = workerRelease({ host, workers: this.name, projects, units, backends });
    const release = hostStep(this.childName(`${host.name}-release`), { host, program }, { parent: this });
    // Pulumi deletes last of all: when a machine leaves the pool, the balancers have published without it by then.
    leaveStep(
      this.childName(`${host.name}-leave`),
      { host, program: removeWorker(host, this.name) },
      { parent: this, dependsOn: release },
    );
    return release;
  }
}

function hashOf(values: pulumi.Input<Record<string, unknown>>): pulumi.Output<string> {
  return pulumi.output(values).apply((known) => createHash("sha256").update(JSON.stringify(known)).digest("hex"));
}
