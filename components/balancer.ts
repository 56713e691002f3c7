import * as pulumi from "@pulumi/pulumi";
import {
  balancerRelease,
  confirmation,
  publishedProjects,
  onionbalanceService,
  proberService,
  publication,
  publisherFilesOf,
  torFilesOf,
  torService,
  watchdogService,
  type BalancerFiles,
  type PublishedProject,
} from "./balancerRelease";
import { Component } from "./component";
import { hashOf } from "./hash";
import { hostStep, installationOn, laterStep, type Step } from "./hostStep";
import { isMonitored, networkOf, type Host } from "./hosts/host";
import type { Installation } from "./installation";
import { renderer } from "./renderer";
import { keepPlanned, probeOf, removeBalancer } from "./retirement";
import { RollCall, type SilentHost } from "./rollCall";
import { ServicePlan } from "./servicePlan";
import { runsOn } from "./unitFiles";
import type { Workers } from "./workers";
import { validateBalancer, validatePublisher } from "../config/parse";
import type { Problem } from "../config/problems";
import { budgetProblems } from "../plan/budget";
import { balancerDaemon, torMetrics } from "../plan/metrics";
import {
  publisherTimers,
  watchdogSettings,
  type GivenTimers,
  type GivenWatchdog,
  type PublisherMode,
} from "../plan/publisher";
import { publisherOf } from "../plan/plan";
import type { PublisherModel } from "../templates";

/** Arguments of {@link Balancer}. */
export interface BalancerArgs {
  /** The machines of the balancer. More than one publish the same backends side by side, with the same keys. */
  readonly hosts: readonly Host[];
  /** The pool whose listed backends are published: every site of every project of it. */
  readonly publishes: Workers;
  /** Names of the machines that publish; the others stand by: deployed, checked, and silent. @example ["balancer2"] @default all */
  readonly publishing?: readonly string[] | undefined;
  /** Seconds until a publication that cannot be proved fails. @default 900 */
  readonly publishTimeout?: number | undefined;
  /** Seconds that backends which leave the plan stay up after the balancer has published without them. @default 600 */
  readonly retireGrace?: number | undefined;
  /** Seconds that a machine which stopped publishing keeps the site keys. @default 86400 */
  readonly rollbackWindow?: number | undefined;
  /** Who makes the sites' descriptors. @example "distinct" @default "distinct" where a project has more than ten listed backends, else "onionbalance" */
  readonly publisher?: PublisherMode | undefined;
  /** How often it looks and uploads; seconds. @example { fetch: 60 } @default those of docs/tuning.md */
  readonly timers?: GivenTimers | undefined;
  /** Whether and how backends are probed, so that dead ones are left out. @example { enabled: true, every: 60 } @default probed where the publisher is "distinct" */
  readonly watchdog?: GivenWatchdog | undefined;
}

/** One machine of the balancer, and its programs. */
interface BalancerHost {
  readonly host: Host;
  readonly standby: boolean;
  readonly watching: boolean;
  readonly release: pulumi.Output<string>;
  readonly publish: pulumi.Output<string>;
  readonly installation: Installation;
}

/** What is the same for every machine of the balancer. */
interface PrepareParts {
  readonly projects: readonly PublishedProject[];
  readonly files: BalancerFiles;
  readonly settings: PublisherModel;
  readonly args: BalancerArgs;
}

/**
 * Onionbalance and its tor: the only holders of the site keys. It lists exactly the planned backends, and proves it.
 *
 * @example
 * const balancer = new Balancer("balancer", { hosts: hosts.balancers, publishes: workers });
 */
export class Balancer extends Component {
  /** Host to the lines of its last proof. */
  readonly published: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: BalancerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Balancer", name, problemsOf(name, args), opts);
    const workers = args.publishes;
    const projects = publishedProjects(workers);
    const settings = settingsOf(name, args);
    const files = this.renderFiles(projects, args.hosts, settings);
    const hosts = args.hosts.map((host) => this.prepare(host, { projects, files, settings, args }));
    const active = hosts.filter(({ standby }) => !standby);
    const waiting = hosts.filter(({ standby }) => standby);

    const releases = hosts.map((each) => this.releaseTo(each, files));
    const before = [...workers.releases, ...releases];
    const published = active.map((each) => this.publishFrom(each, before));
    // The old one stops when the new one has proved that it publishes, never before.
    const stopped = waiting.map((each) => this.publishFrom(each, [...before, ...published]));
    const confirmed =
      hosts.length > 1 ? hosts.map((each) => this.confirm(each, active, [...published, ...stopped])) : [];
    const retired = this.tidyWorkers(workers, [...published, ...stopped, ...confirmed]);
    this.callRoll(hosts, workers, retired);

    this.published = proofsOf([...active, ...waiting], [...published, ...stopped]);
    this.registerOutputs({ published: this.published });
  }

  private renderFiles(
    projects: readonly PublishedProject[],
    hosts: readonly Host[],
    settings: PublisherModel,
  ): BalancerFiles {
    const render = renderer(this);
    const network = [...(networkOf(this.name, hosts)?.torrc ?? [])];
    const counting = isMonitored(hosts) && { metrics: torMetrics(balancerDaemon) };
    const listed = projects.map(({ sites, backends }) => ({
      sites: sites.map(({ domain, address }) => ({ domain, address })),
      backends,
    }));
    return {
      torrc: render("tor-torrc", "balancer-torrc", { network, ...counting }),
      torUnit: render("unit-tor", "unit-balancer-tor", {}),
      proberTorrc: render("prober-torrc", "prober-torrc", { network }),
      proberUnit: render("unit-prober-tor", "unit-prober-tor", {}),
      onionbalance: render("onionbalance", "onionbalance", { projects: listed }),
      settings: render("publisher", "publisher", settings),
      unit: render("unit-onionbalance", "unit-onionbalance", {}),
      watchdogUnit: render("unit-watchdog", "unit-watchdog", {}),
    };
  }

  private prepare(host: Host, { projects, files, settings, args }: PrepareParts): BalancerHost {
    const standby = args.publishing !== undefined && !args.publishing.includes(host.name);
    const watching = settings.watchdog !== undefined && !standby;
    const release = balancerRelease(host, this.name, files, watching);
    const publish = publication({
      host,
      balancer: this.name,
      projects,
      files,
      workers: args.publishes,
      standby,
      watching,
      publishTimeout: args.publishTimeout ?? 900,
      retireGrace: args.retireGrace ?? 600,
      rollbackWindow: args.rollbackWindow ?? 86_400,
    });
    const installation = installationOn(this, host, {
      holdsSiteKeys: true,
      wants: hashOf([release, publish]),
      probe: probeOf(host, this.name, ["balancer", "publisher"]),
      leave: removeBalancer(host, this.name),
    });
    return { host, standby, watching, release, publish, installation };
  }

  private releaseTo(each: BalancerHost, files: BalancerFiles): Step {
    const { host, standby, watching, release, installation } = each;
    const services = runsOn(
      [torService, proberService(watching), onionbalanceService(standby), watchdogService(watching)],
      [...torFilesOf(files), ...publisherFilesOf(files)],
    );
    const plan = new ServicePlan(this.childName(`${host.name}-services`), { services }, { parent: this });
    const step = { host, program: release, installation };
    return hostStep(this.childName(`${host.name}-release`), step, { parent: this, dependsOn: plan });
  }

  /** Publishing waits for every worker and for this component's own tors: what is listed must be there. */
  private publishFrom(each: BalancerHost, dependsOn: Step[]): Step {
    const step = { host: each.host, program: each.publish, installation: each.installation };
    return hostStep(this.childName(`${each.host.name}-publish`), step, { parent: this, dependsOn });
  }

  /** Two that publish overwrite each other: when one has stopped, its last upload may have come after ours. Due when those that publish change. */
  private confirm(each: BalancerHost, active: readonly BalancerHost[], dependsOn: Step[]): Step {
    const { host, installation, standby } = each;
    const names = active.map((other) => other.host.name);
    const step = { host, program: confirmation(host, names), installation, due: !standby };
    return laterStep(this.childName(`${host.name}-confirm`), step, { parent: this, dependsOn });
  }

  /** What a worker no longer runs is stopped there, but not before every balancer has published without it. */
  private tidyWorkers(workers: Workers, dependsOn: Step[]): Step[] {
    return workers.hosts.flatMap((host) => {
      const installation = workers.installations.get(host.name);
      if (installation === undefined) return [];
      const program = pulumi
        .all([keepPlanned(host, workers), workers.plan.leaving])
        .apply(([text, leaving]) => leaving.reduce((all, name) => `${all}# ${name} leaves.\n`, text));
      // After a repair too: what a refresh found may be a unit that nobody plans.
      const due = pulumi
        .all([workers.plan.leaving, installation.repair])
        .apply(([leaving, repair]) => leaving.length > 0 || repair > 0);
      const step = { host, program, installation, due };
      return [hostStep(this.childName(`${host.name}-retire`), step, { parent: this, dependsOn })];
    });
  }

  /** The last word of an `up`: hosts that did not answer, all in one report, after everything else is done. */
  private callRoll(hosts: readonly BalancerHost[], workers: Workers, dependsOn: Step[]): void {
    const all = [
      ...hosts.map(({ host, installation }) => ({ host: host.name, component: this.name, installation })),
      ...[...workers.installations].map(([host, installation]) => ({ host, component: workers.name, installation })),
    ];
    const silent = pulumi
      .all(all.map(({ installation }) => installation.silent))
      .apply((whys) =>
        all.flatMap(({ host, component }, i): SilentHost[] => (whys[i] ? [{ host, component, why: whys[i] }] : [])),
      );
    new RollCall(this.childName("roll-call"), { silent }, { parent: this, dependsOn });
  }
}

/** Names of the workers whose backends are published. */
function listedIn({ backends }: Workers): string[] {
  return [...new Set(backends.flatMap((each) => (each.listed ? each.worker : [])))];
}

/** How its machines publish: what the arguments leave open follows from the backends and the network. */
function settingsOf(name: string, { hosts, publishes, publisher, timers, watchdog }: BalancerArgs): PublisherModel {
  const testnet = networkOf(name, hosts) !== undefined;
  const { mode, why } = publisherOf({ publisher, listed: listedIn(publishes), projects: publishes.projects });
  return {
    ...{ mode, why, testnet },
    timers: publisherTimers(testnet, timers),
    watchdog: watchdogSettings(mode, testnet, watchdog),
  };
}

function problemsOf(name: string, args: BalancerArgs): Problem[] {
  const { hosts, publishing, publishTimeout, retireGrace, rollbackWindow } = args;
  const balancers = hosts.map((host) => host.name);
  const { publisher, timers, watchdog } = args;
  const network = { testnet: networkOf(name, hosts) !== undefined };
  const listed = listedIn(args.publishes);
  return [
    ...validateBalancer(name, { balancers, publishing, publishTimeout, retireGrace, rollbackWindow }),
    ...validatePublisher(name, { publisher, timers, watchdog }, network),
    ...args.publishes.projects.flatMap((project) => budgetProblems(project, listed.length, { publisher })),
  ];
}

function proofsOf(
  hosts: readonly BalancerHost[],
  publications: readonly Step[],
): pulumi.Output<Record<string, string>> {
  return pulumi
    .all(publications.map((publication) => publication.stdout))
    .apply((proofs) => Object.fromEntries(hosts.map(({ host }, i) => [host.name, provedBy(proofs[i] ?? "")])));
}

/** Of all that a publication said, what it proved. */
function provedBy(said: string): string {
  return said
    .split("\n")
    .filter((line) => / published with | stands by: /.test(line))
    .join("\n");
}
