// What machines in AWS cost a month, roughly: for a decision between topologies, not for a budget.
import { defaultType, type Architecture } from "./instanceTypes";

/**
 * US dollars an hour, on demand, Linux, in us-east-1. Sources: https://aws.amazon.com/ec2/pricing/on-demand/ (instances, data),
 * https://aws.amazon.com/ebs/pricing/ (gp3), https://aws.amazon.com/vpc/pricing/ (public IPv4). Other regions are up to a fifth dearer.
 */
const hourly: Readonly<Record<string, number>> = {
  "t4g.nano": 0.0042,
  "t4g.micro": 0.0084,
  "t4g.small": 0.0168,
  "t4g.medium": 0.0336,
  "t4g.large": 0.0672,
  "t4g.xlarge": 0.1344,
  "t3.micro": 0.0104,
  "t3.small": 0.0208,
  "t3.medium": 0.0416,
  "t3.large": 0.0832,
  "t3.xlarge": 0.1664,
  "c7g.medium": 0.0363,
  "c7g.large": 0.0725,
  "c7g.xlarge": 0.145,
  "m7g.medium": 0.0408,
  "m7g.large": 0.0816,
  "m7g.xlarge": 0.1632,
};

/** When the figures were written down. */
export const pricesAsOf = "November 2026";

const hoursAMonth = 730;
const gp3AGib = 0.08;
const publicAddressAnHour = 0.005;

/** One machine, as far as it costs. */
export interface PricedMachine {
  readonly instanceType: string;
  /** GiB of its root disk. */
  readonly disk: number;
  /** Whether it has a public IPv4 address. */
  readonly publicAddress: boolean;
}

/** What machines cost a month, in whole US dollars, without traffic; and the types for which no figure is known. */
export interface MonthlyCost {
  readonly dollars: number;
  readonly unknown: readonly string[];
}

/** @example monthlyCost([{ instanceType: "t4g.small", disk: 20, publicAddress: true }]) // { dollars: 18, unknown: [] } */
export function monthlyCost(machines: readonly PricedMachine[]): MonthlyCost {
  const sum = machines.reduce((all, { instanceType, disk, publicAddress }) => {
    const an = (hourly[instanceType] ?? 0) + (publicAddress ? publicAddressAnHour : 0);
    return all + an * hoursAMonth + disk * gp3AGib;
  }, 0);
  const unknown = [...new Set(machines.map(({ instanceType }) => instanceType))].filter((type) => !(type in hourly));
  return { dollars: Math.round(sum), unknown };
}

/** The cost in one sentence. */
export function describeCost({ dollars, unknown }: MonthlyCost): string {
  const without = unknown.length === 0 ? "" : ` and the price of ${unknown.join(", ")}, which is not known here,`;
  return `Costs about ${dollars} US dollars a month${without} at us-east-1's list prices of ${pricesAsOf}, without traffic (about 0.09 a GB that goes out, after the first 100 GB). See docs/hosts-aws.md.`;
}

/** What of the config's hosts tells types and prices. */
export interface AwsMachines {
  readonly architecture: Architecture;
  readonly balancerType?: string;
  readonly workerType?: string;
  readonly disk: number;
  readonly subnets?: readonly string[];
  readonly reach: "public" | "private";
  readonly balancers: readonly AwsMachine[];
  readonly workers: readonly AwsMachine[];
}

interface AwsMachine {
  readonly name: string;
  readonly instanceType?: string;
}

/** The instance type of each machine, by name: its own, else that of its role; a balancer that is a worker too is a balancer. */
export function instanceTypes(hosts: Omit<AwsMachines, "disk" | "subnets" | "reach">): Map<string, string> {
  const { architecture, balancerType, workerType, balancers, workers } = hosts;
  const typed = (machines: readonly AwsMachine[], ofRole = defaultType(architecture)): [string, string][] =>
    machines.map(({ name, instanceType }) => [name, instanceType ?? ofRole]);
  return new Map([...typed(workers, workerType), ...typed(balancers, balancerType)]);
}

/** The machines of a stack in AWS, priced. */
export function awsCost(hosts: AwsMachines): MonthlyCost {
  // Only in subnets of the operator's own can a machine be without: Tor has to be reached somehow.
  const publicAddress = hosts.subnets === undefined || hosts.reach === "public";
  return monthlyCost(
    [...instanceTypes(hosts).values()].map((instanceType) => ({ instanceType, disk: hosts.disk, publicAddress })),
  );
}
