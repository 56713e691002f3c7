// Where a machine is put: zones and subnets, without a resource.
import { isBalancer, machinesOf, type AwsMachineArgs, type Filled } from "./args";

/** A subnet of a VPC that exists. */
export interface SubnetFacts {
  readonly id: string;
  readonly zone: string;
}

/** More zones than these make no site more reachable: its other machines are elsewhere already. */
const mostZones = 3;

/**
 * The zone of a new machine in an own VPC: its own, else the zones in turn, by the machine's place in the lists.
 * @param zones those of the region, in order
 */
export function zoneOf(args: Filled, zones: readonly string[], machine: AwsMachineArgs): string {
  const inTurn = args.zones ?? zones.slice(0, mostZones);
  return machine.zone ?? inTurn[placeOf(args, machine) % inTurn.length] ?? "";
}

/** The subnet of a new machine in a VPC that exists: one in its zone, else those that were chosen in turn. */
export function subnetOf(args: Filled, subnets: readonly SubnetFacts[], machine: AwsMachineArgs): string {
  const list = chosen(args, subnets).filter(({ zone }) => machine.zone === undefined || zone === machine.zone);
  return list[placeOf(args, machine) % list.length]?.id ?? "";
}

/** The subnets that new machines may have: as the operator orders them, else so that neighbours are in different zones. */
export function chosen({ subnets: named, zones }: Filled, all: readonly SubnetFacts[]): SubnetFacts[] {
  const order = named === undefined ? dealt(all) : named.flatMap((id) => all.find((subnet) => subnet.id === id) ?? []);
  return order.filter(({ zone }) => zones?.includes(zone) ?? true);
}

/** One of each zone, then the second of each, and so on. */
function dealt(subnets: readonly SubnetFacts[]): SubnetFacts[] {
  const sorted = subnets.toSorted((a, b) => (`${a.zone} ${a.id}` < `${b.zone} ${b.id}` ? -1 : 1));
  const rank = (subnet: SubnetFacts) => sorted.filter(({ zone }) => zone === subnet.zone).indexOf(subnet);
  return sorted.toSorted((a, b) => rank(a) - rank(b));
}

/** A balancer and a worker that share a place share a zone: machines are counted over both lists. */
function placeOf(args: Filled, { name }: AwsMachineArgs): number {
  return Math.max(
    0,
    machinesOf(args).findIndex((machine) => machine.name === name),
  );
}

/** A network in a VPC is cut into as many subnets as a region may have zones. */
const parts = 8;

/**
 * The network of a zone's subnet: its letter says which eighth of the VPC it is, so that a zone that AWS adds moves no other.
 * @example subnetCidr("10.77.0.0/16", "eu-central-1b") // "10.77.32.0/19"
 */
export function subnetCidr(cidr: string, zone: string): string {
  const [address = "", length = "0"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const base = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const n = (zone.charCodeAt(zone.length - 1) - "a".charCodeAt(0)) % parts;
  const first = base - (base % size) + n * (size / parts);
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join(".")}/${Number(length) + Math.log2(parts)}`;
}

/** Which machines have an address of their own that outlives them. */
export function hasElasticAddress(args: Filled, name: string): boolean {
  return args.elasticAddresses === "all" || (args.elasticAddresses === "balancers" && isBalancer(args, name));
}
