import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";

/** A Debian machine, whoever provides it: the lab, a list of machines, a cloud, or the one that this program runs on. */
export interface Host {
  /** Unique in the stack, e.g. `worker1`. It is part of the backends' names, so renaming a host gives it new backends. */
  readonly name: string;
  /** How to reach it, host key pinned; secret, because it holds the operator's private key. Absent: it is this machine, where steps run through sudo. */
  readonly connection?: pulumi.Output<types.input.remote.ConnectionArgs> | undefined;
  /** Which incarnation of the machine this is: when it changes, the host gets everything again. */
  readonly instance?: pulumi.Output<string>;
  /** The private Tor network that this machine is on. Absent: the public one. */
  readonly torNetwork?: TorNetwork | undefined;
  /** Where the machine tells Prometheus how it is; what serves there counts for it then. Absent: it tells nobody. */
  readonly monitoring?: Monitoring | undefined;
  /** What every step on the machine waits for: the base that its provider puts there. */
  readonly after?: readonly pulumi.Resource[] | undefined;
}

/**
 * A private Tor network in place of the public one: torrc lines that every tor of the stack gets
 * (`TestingTorNetwork 1` and the `DirAuthority` lines), and Onionbalance's `--is-testnet` timers with them.
 */
export interface TorNetwork {
  readonly torrc: readonly string[];
}

/** How machines are monitored. */
export interface Monitoring {
  /** TCP port of the exporter. @default 9552 */
  readonly port: number;
  /** Networks that may ask it, in CIDR form; none: it listens on loopback alone, and ssh leads there. @example ["10.0.0.0/8"] */
  readonly from: readonly string[];
}

/** Whether any of these machines is. */
export const isMonitored = (hosts: readonly Host[]): boolean =>
  hosts.some(({ monitoring }) => monitoring !== undefined);

/** The machines of a stack by their role. A machine may be in both lists: then balancer and workers share it. */
export interface Hosts {
  readonly balancers: readonly Host[];
  readonly workers: readonly Host[];
}

/** How long a dial may take and how often it is tried: a machine that boots right now answers within this. */
export const patience = { dialErrorLimit: 8, perDialTimeout: 10 } as const;

/**
 * The Tor network of machines that serve together. It comes with the machines, so that a program cannot forget it and
 * send a lab's tors to the public network.
 */
export function networkOf(component: string, hosts: readonly Host[]): TorNetwork | undefined {
  const [first, ...others] = hosts;
  const lines = (host: Host | undefined) => JSON.stringify(host?.torNetwork?.torrc ?? "the public network");
  const stranger = others.find((host) => lines(host) !== lines(first));
  if (first !== undefined && stranger !== undefined) {
    throw new pulumi.RunError(
      `${component}: hosts = ${first.name}, ${stranger.name}\n  These machines are on different Tor networks.\n  Next: give the component machines of one network.`,
    );
  }
  return first?.torNetwork;
}
