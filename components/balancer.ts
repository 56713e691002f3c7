import * as pulumi from "@pulumi/pulumi";
import type { remote } from "@pulumi/command";
import { balancerRelease, publication, type Frontend } from "./balancerRelease";
import { Component } from "./component";
import { hostStep, tidyStep } from "./hostStep";
import { RenderedConfig } from "./renderedConfig";
import type { Host, TorNetwork } from "./hosts/host";
import type { Workers } from "./workers";
import { keepOnly } from "./retire";

/** Arguments of {@link Balancer}. */
export interface BalancerArgs {
  /** The machines that publish. More than one publish the same descriptors side by side. */
  readonly hosts: readonly Host[];
  /** The pool whose backends are published: every project of it, every site. */
  readonly publishes: Workers;
  /** A private Tor network, with Onionbalance's test timers. @default the public one */
  readonly torNetwork?: TorNetwork;
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

    const tor = this.renderTor(args.torNetwork);
    const releases = args.hosts.map((host) => this.releaseTo(host, tor));
    const onionbalance = this.renderOnionbalance(frontends, args.torNetwork);
    const publications = args.hosts.map((host, i) => this.publishFrom(host, { args, frontends, onionbalance, after: releases[i] }));
    this.tidyWorkers(args.publishes, publications);
    this.tidyBalancers(args.hosts, [...releases, ...publications]);
    this.published = proofs(args.hosts, publications);
    this.registerOutputs({ published: this.published });
  }
}
