import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import { validateAws, validateMonitoring } from "../../../config/parse";
import type { Problem } from "../../../config/problems";
import { instanceTypes } from "../../../plan/cost";
import { Component } from "../../component";
import { withBase } from "../hostBase";
import type { Host, Hosts } from "../host";
import { filled, machinesOf, type AwsHostsArgs, type Filled } from "./args";
import { connectEndpoint, firewallFor } from "./firewall";
import { loginKey } from "./keys";
import { lookUp } from "./lookups";
import { machineOn } from "./machine";
import { networkFor } from "./network";

export type { AwsHostsArgs, AwsMachineArgs, AwsProxyArgs } from "./args";

/**
 * EC2 instances, known by host keys of ours before they boot, reached by ssh from named networks alone. A machine keeps what it was made with:
 * another image, type or zone in the arguments is for machines with new names.
 *
 * @example
 * const hosts = new AwsHosts("hosts", {
 *   region: "eu-central-1",
 *   sshFrom: ["203.0.113.0/24"],
 *   balancers: [{ name: "balancer1" }],
 *   workers: [{ name: "north" }, { name: "south", zone: "eu-central-1b" }],
 * });
 */
export class AwsHosts extends Component implements Hosts {
  readonly balancers: readonly Host[];
  readonly workers: readonly Host[];
  /** Virtual cores of each machine's instance type in the arguments, by the machine's name. */
  readonly vcpus: ReadonlyMap<string, pulumi.Output<number>>;

  constructor(name: string, given: AwsHostsArgs, opts?: pulumi.ComponentResourceOptions) {
    const problems = [...problemsOf(name, given), ...validateMonitoring(name, given.monitoring, given)];
    super("AwsHosts", name, problems, opts);
    const args = filled(given);
    const types = instanceTypes(args);
    const inAws = { parent: this, provider: this.createProvider(args) };
    const facts = lookUp(name, args, types, inAws);
    const context = { parent: this, args, facts, opts: inAws };

    const network = networkFor(context);
    const firewall = firewallFor(context, network);
    connectEndpoint(context, network, firewall);
    const around = { network, firewall, types, login: loginKey(this) };
    const machines = new Map(machinesOf(args).map((each) => [each.name, machineOn(context, around, each)]));

    const of = (list: AwsHostsArgs["workers"]): Host[] => list.flatMap((each) => machines.get(each.name) ?? []);
    const hosts = withBase(this, { balancers: of(args.balancers), workers: of(args.workers) }, args);
    this.balancers = hosts.balancers;
    this.workers = hosts.workers;
    // A type without facts has been refused.
    this.vcpus = new Map(
      [...types].map(([host, type]) => [host, facts.apply((known) => known.types[type]?.vcpus ?? 0)]),
    );
    this.registerOutputs({});
  }

  /** The region is the arguments', not that of whichever shell runs the program. What is left over is found by its tags. */
  private createProvider({ region, profile, tags }: Filled): aws.Provider {
    const everywhere = { "softmap:stack": `${pulumi.getProject()}/${pulumi.getStack()}`, ...tags };
    const login = profile === undefined ? {} : { profile };
    const settings = { region, ...login, defaultTags: { tags: everywhere } };
    return new aws.Provider(this.childName("aws"), settings, { parent: this });
  }
}

function problemsOf(component: string, args: AwsHostsArgs): Problem[] {
  const { balancers, workers, proxy, monitoring: _others, ...settings } = args;
  if (proxy === undefined) return validateAws({ component, settings, balancers, workers });
  const { privateKey: _secret, ...reach } = proxy;
  // The rules ask for a key file where a config has one; a program has its own way to the key, or the agent's.
  const jump = { proxy: reach, privateKeyFile: "a key of the program's" };
  return validateAws({ component, settings: { ...settings, ...jump }, balancers, workers });
}
