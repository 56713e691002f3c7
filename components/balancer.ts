import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { balancerRelease, frontendsOf, publication, type FileAndUnit, type Frontend } from "./balancerRelease";
import { Component } from "./component";
import { hostStep, leaveStep, retireStep } from "./hostStep";
import { networkOf, type Host, type TorNetwork } from "./hosts/host";
import { renderer } from "./renderer";
import { keepPlanned, removeBalancer } from "./retirement";
import type { Workers } from "./workers";

/** Arguments of {@link Balancer}. */
export interface BalancerArgs {
  /** The machines that publish. More than one publish the same backends side by side, with the same keys. */
  readonly hosts: readonly Host[];
  /** The pool whose backends are published: every site of every project of it. */
  readonly publishes: Workers;
  /** Seconds until a publication that cannot be proved fails. @default 900 */
  readonly publishTimeout?: number;
  /** Seconds that backends which leave the plan stay up after the balancer has published without them. @default 600 */
  readonly retireGrace?: number;
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
    super("Balancer", name, [], opts);
    const frontends = frontendsOf(args.publishes);
    const files = this.renderFiles(frontends, networkOf(name, args.hosts));

    const releases = args.hosts.map((host) => this.releaseTo(host, files.tor));
    const publications = args.hosts.map((host) => this.publishFrom(host, { frontends, files, args, releases }));
    this.tidyWorkers(args.publishes, publications);
    this.tidyBalancers(args.hosts, publications);

    this.published = proofsOf(args.hosts, publications);
    this.registerOutputs({ published: this.published });
  }

  private renderFiles(
    frontends: readonly Frontend[],
    network: TorNetwork | undefined,
  ): { tor: FileAndUnit; onionbalance: FileAndUnit } {
    const render = renderer(this);
    const services = frontends.map(({ domain, address, backends }) => ({ domain, address, backends }));
    return {
      tor: {
        file: render("tor-torrc", "balancer-torrc", { network: [...(network?.torrc ?? [])] }),
        unit: render("unit-tor", "unit-balancer-tor", {}),
      },
      onionbalance: {
        file: render("onionbalance", "onionbalance", { services }),
        unit: render("unit-onionbalance", "unit-onionbalance", { testnet: network !== undefined }),
      },
    };
  }

  private releaseTo(host: Host, tor: FileAndUnit): remote.Command {
    return hostStep(
      this.childName(`${host.name}-release`),
      { host, program: balancerRelease(host, this.name, tor) },
      { parent: this },
    );
  }

  /** Publishing waits for every worker and for this component's own tors: what is listed must be there. */
  private publishFrom(host: Host, { frontends, files, args, releases }: PublishArgs): remote.Command {
    const program = publication({
      host,
      balancer: this.name,
      frontends,
      onionbalance: files.onionbalance,
      backendsRunOn: args.publishes.runsOn,
      publishTimeout: args.publishTimeout ?? 900,
      retireGrace: args.retireGrace ?? 600,
    });
    const dependsOn = [...args.publishes.releases, ...releases];
    return hostStep(this.childName(`${host.name}-publish`), { host, program }, { parent: this, dependsOn });
  }

  /** What a worker no longer runs is stopped there, but not before every balancer has published without it. */
  private tidyWorkers(workers: Workers, publications: readonly remote.Command[]): void {
    for (const host of workers.hosts) {
      const program = keepPlanned(host, workers);
      retireStep(
        this.childName(`${host.name}-retire`),
        { host, program },
        { parent: this, dependsOn: [...publications] },
      );
    }
  }

  /** When a balancer leaves, its site keys leave the machine with it. */
  private tidyBalancers(hosts: readonly Host[], publications: readonly remote.Command[]): void {
    for (const host of hosts) {
      const program = removeBalancer(host, this.name);
      leaveStep(
        this.childName(`${host.name}-leave`),
        { host, program },
        { parent: this, dependsOn: [...publications] },
      );
    }
  }
}

interface PublishArgs {
  readonly frontends: readonly Frontend[];
  readonly files: { readonly onionbalance: FileAndUnit };
  readonly args: BalancerArgs;
  readonly releases: readonly remote.Command[];
}

function proofsOf(
  hosts: readonly Host[],
  publications: readonly remote.Command[],
): pulumi.Output<Record<string, string>> {
  return pulumi
    .all(publications.map((publication) => publication.stdout))
    .apply((proofs) => Object.fromEntries(hosts.map(({ name }, i) => [name, proofs[i] ?? ""])));
}
