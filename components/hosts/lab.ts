import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { validateMonitoring } from "../../config/parse";
import { Component } from "../component";
import { readNetworkFile } from "./labFolder";
import { labHostProvider } from "./labHostProvider";
import { withBase, type BaseArgs } from "./hostBase";
import { patience, type Host, type Hosts } from "./host";

/** Arguments of {@link LabHosts}. */
export interface LabHostsArgs extends BaseArgs {
  /** The lab's name; several labs stand side by side. @default "dev" */
  readonly lab?: string;
  /** Names of the machines that publish. @example ["balancer1"] */
  readonly balancers: readonly string[];
  /** Names of the machines that serve; one named in both lists does both. @example ["worker1", "worker2"] */
  readonly workers: readonly string[];
}

/**
 * Debian machines in the built-in lab, on its private Tor network. A machine is a resource: one name more boots one more,
 * one that vanished is found by `pulumi refresh` and boots again.
 */
export class LabHosts extends Component implements Hosts {
  readonly balancers: readonly Host[];
  readonly workers: readonly Host[];

  constructor(name: string, args: LabHostsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("LabHosts", name, validateMonitoring(name, args.monitoring, args), opts);
    const lab = args.lab ?? "dev";
    const network = readLabNetwork(lab);
    const torNetwork = { torrc: network.torrc };
    const privateKey = pulumi.secret(network.privateKey);
    const boot = (host: string): [string, Host] => {
      const machine = new LabHost(this.childName(host), { lab, host }, { parent: this });
      const { address, port, user, hostKey, instance } = machine;
      const connection = pulumi.secret({ host: address, port, user, hostKey, privateKey, ...patience });
      return [host, { name: host, connection, instance, torNetwork }];
    };

    const machines = new Map([...new Set([...args.balancers, ...args.workers])].map(boot));
    const of = (names: readonly string[]): Host[] => names.flatMap((host) => machines.get(host) ?? []);
    const hosts = withBase(this, { balancers: of(args.balancers), workers: of(args.workers) }, args);
    this.balancers = hosts.balancers;
    this.workers = hosts.workers;
    this.registerOutputs({});
  }
}

/** One machine of the lab: a container with systemd and sshd. */
class LabHost extends pulumi.dynamic.Resource {
  declare readonly address: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;
  declare readonly user: pulumi.Output<string>;
  declare readonly hostKey: pulumi.Output<string>;
  declare readonly instance: pulumi.Output<string>;

  constructor(name: string, args: { lab: string; host: string }, opts: pulumi.CustomResourceOptions) {
    const unset = { address: undefined, port: undefined, user: undefined, hostKey: undefined, instance: undefined };
    super(labHostProvider, name, { ...args, ...unset }, opts, "lab", "Host");
  }
}

function readLabNetwork(lab: string): { torrc: readonly string[]; privateKey: string } {
  try {
    const { torrc = [], privateKeyFile = "" } = readNetworkFile(lab);
    return { torrc, privateKey: readFileSync(privateKeyFile, "utf8") };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new pulumi.RunError(
      `hosts: name = ${JSON.stringify(lab)}\n  The lab ${lab} is not up (its network.json: ${reason}).\n  Next: npm run lab -- --name ${lab} up`,
    );
  }
}
