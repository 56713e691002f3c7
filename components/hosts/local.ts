import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../component";
import { validateLocal, validateMonitoring } from "../../config/parse";
import { withBase, type BaseArgs } from "./hostBase";
import type { Host, Hosts } from "./host";

/** Arguments of {@link LocalHost}. */
export interface LocalHostArgs extends BaseArgs {
  /** Its name in the stack. @default "here" */
  readonly host?: string;
  /** What the machine does. @default both */
  readonly roles?: readonly ("balancer" | "worker")[];
  /** torrc lines of a private Tor network. @example ["TestingTorNetwork 1", "DirAuthority ..."] @default the public network */
  readonly torNetwork?: readonly string[] | undefined;
}

/**
 * The machine that the program runs on. Steps run through sudo, which must ask for no password; the same steps as on any other machine.
 * Its base is not touched unless `base` is set: it is somebody's machine.
 *
 * @example
 * const here = new LocalHost("here", {});
 * const workers = new Workers("workers", { hosts: here.workers, projects: [news] });
 */
export class LocalHost extends Component implements Hosts {
  readonly balancers: readonly Host[];
  readonly workers: readonly Host[];

  constructor(name: string, args: LocalHostArgs, opts?: pulumi.ComponentResourceOptions) {
    const { host = "here", roles = ["balancer", "worker"], torNetwork } = args;
    const problems = [
      ...validateLocal({ component: name, host, torNetwork }),
      ...validateMonitoring(name, args.monitoring, args),
    ];
    super("LocalHost", name, problems, opts);
    const machine: Host = { name: host, torNetwork: torNetwork && { torrc: torNetwork } };
    const as = (role: "balancer" | "worker"): Host[] => (roles.includes(role) ? [machine] : []);

    const settings = { base: false, firewall: false, ...args };
    const hosts = withBase(this, { balancers: as("balancer"), workers: as("worker") }, settings);
    this.balancers = hosts.balancers;
    this.workers = hosts.workers;
    this.registerOutputs({});
  }
}
