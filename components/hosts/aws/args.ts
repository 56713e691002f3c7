import type * as pulumi from "@pulumi/pulumi";
import type { BaseArgs } from "../hostBase";

/** One machine in AWS. */
export interface AwsMachineArgs {
  /** Unique name in the stack. @example "worker1" */
  readonly name: string;
  /** Availability zone. @default the zones in turn @example "eu-central-1a" */
  readonly zone?: string;
  /** EC2 instance type. @default that of its role @example "t4g.medium" */
  readonly instanceType?: string;
}

/** The operator's jump host, the machine that ssh goes through to all others. */
export interface AwsProxyArgs {
  /** DNS name or IP address. @example "jump.example.net" */
  readonly address: string;
  /** ssh port. @default 22 */
  readonly port?: number | undefined;
  /** Login user. @example "ops" */
  readonly user?: string | undefined;
  /** Its public host key as `type base64`. @example "ssh-ed25519 AAAAC3Nza..." */
  readonly hostKey: string;
  /** Private key that logs in there (OpenSSH format). A secret. @default the ssh agent's keys */
  readonly privateKey?: pulumi.Input<string> | undefined;
}

/** Arguments of {@link AwsHosts}. */
export interface AwsHostsArgs extends BaseArgs {
  /** Region of AWS. @example "eu-central-1" */
  readonly region: string;
  /** Profile of the shared AWS config. @default the environment's credentials @example "onion" */
  readonly profile?: string | undefined;
  /** Machines that publish: Onionbalance and the site keys live there. At least one. */
  readonly balancers: readonly AwsMachineArgs[];
  /** Machines that serve. A machine named in both lists does both. */
  readonly workers: readonly AwsMachineArgs[];
  /** Architecture of the machines. @default "arm64" */
  readonly architecture?: "arm64" | "amd64";
  /** Release of Debian whose newest AMI a new machine gets. @default 12 */
  readonly debian?: 12 | 13;
  /** AMI of new machines, a Debian of `architecture`. @default Debian's own newest @example "ami-0a1b2c3d4e5f60718" */
  readonly image?: string | undefined;
  /** Instance type of new balancers. @default "t4g.small", with amd64 "t3.small" */
  readonly balancerType?: string;
  /** Instance type of new workers. @default "t4g.small", with amd64 "t3.small" */
  readonly workerType?: string;
  /** GiB of a new machine's encrypted root disk. @default 20 */
  readonly disk?: number;
  /** `own`: a VPC of the component's own; `default`: the account's; or the id of one that exists. @default "own" */
  readonly vpc?: string;
  /** Subnets of a VPC that exists, for new machines in turn; with `reach: "public"` they must be public ones. @default all of it @example ["subnet-0a1b2c3d"] */
  readonly subnets?: readonly string[] | undefined;
  /** Availability zones for new machines, in turn. @default the first three of the region @example ["eu-central-1a"] */
  readonly zones?: readonly string[] | undefined;
  /** Network of an own VPC, /16 to /24. One that is there keeps its own. @default "10.77.0.0/16" */
  readonly cidr?: string;
  /** Networks that may reach sshd, beside that of `monitoring` the only inbound port; none: no inbound port. @example ["203.0.113.0/24"] */
  readonly sshFrom: readonly string[];
  /**
   * By which address ssh reaches the machines. A machine has a public address all the same, since Tor must be reached somehow; but for one in
   * `subnets` that is reached privately: those must have a NAT gateway. @default "public"
   */
  readonly reach?: "public" | "private";
  /** A jump host of the operator's. @default none */
  readonly proxy?: AwsProxyArgs | undefined;
  /** Which machines get an address that outlives a stop: for ssh from your side, or for a site that lets in named addresses alone. @default "none" */
  readonly elasticAddresses?: "none" | "balancers" | "all";
  /** Whether an EC2 Instance Connect Endpoint is made, a way in for people without an inbound port. @default false */
  readonly instanceConnectEndpoint?: boolean;
  /** Whether EC2, and a preview, refuse to terminate the balancers. @default true */
  readonly terminationProtection?: boolean;
  /** Tags of everything that is made in AWS. @default none @example { team: "web" } */
  readonly tags?: Readonly<Record<string, string>>;
  /** torrc lines of a private Tor network. @default the public network */
  readonly torNetwork?: readonly string[] | undefined;
}

/** What of the arguments has a default, filled. */
export type Filled = AwsHostsArgs &
  Required<
    Pick<
      AwsHostsArgs,
      "architecture" | "debian" | "disk" | "vpc" | "cidr" | "reach" | "elasticAddresses" | "terminationProtection"
    >
  >;

/** The arguments with their defaults. */
export function filled(args: AwsHostsArgs): Filled {
  const { architecture = "arm64", debian = 12, disk = 20, vpc = "own", cidr = "10.77.0.0/16" } = args;
  const { reach = "public", elasticAddresses = "none", terminationProtection = true } = args;
  return { ...args, architecture, debian, disk, vpc, cidr, reach, elasticAddresses, terminationProtection };
}

/** Every machine once, in the order in which zones are dealt. */
export function machinesOf({ balancers, workers }: Pick<Filled, "balancers" | "workers">): AwsMachineArgs[] {
  return [...new Map([...balancers, ...workers].map((machine) => [machine.name, machine])).values()];
}

/** Whether a machine publishes, whatever else it does. */
export function isBalancer({ balancers }: Pick<Filled, "balancers">, name: string): boolean {
  return balancers.some((balancer) => balancer.name === name);
}
