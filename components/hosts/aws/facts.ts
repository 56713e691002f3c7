// What AWS said, and what of the arguments does not fit it.
import type { Problem } from "../../../config/problems";
import { isBalancer, machinesOf, type AwsMachineArgs, type Filled } from "./args";
import { chosen, type SubnetFacts } from "./places";

/** An image, as EC2 describes it. */
export interface ImageFacts {
  readonly id: string;
  /** EC2's word for it. @example "x86_64" */
  readonly architecture: string;
}

/** An instance type, as EC2 describes it. */
export interface TypeFacts {
  readonly vcpus: number;
  /** EC2's words for them. @example ["i386", "x86_64"] */
  readonly architectures: readonly string[];
}

/** What AWS said; what is undefined is not there. */
export interface Facts {
  readonly image: ImageFacts | undefined;
  readonly types: Readonly<Record<string, TypeFacts | undefined>>;
  /** Of a VPC that exists. */
  readonly vpcId: string | undefined;
  /** Zones that a machine may be in, in order. */
  readonly zones: readonly string[];
  /** All of a VPC that exists. */
  readonly subnets: readonly SubnetFacts[];
}

/** Debian's word for an architecture of EC2's. */
const debianName = (ec2: string): string => (ec2 === "x86_64" ? "amd64" : ec2);

/** Everything that does not fit. `types`: each machine's by its name. */
export function problemsIn(
  component: string,
  args: Filled,
  types: ReadonlyMap<string, string>,
  facts: Facts,
): Problem[] {
  return [
    ...imageProblems(component, args, facts),
    ...typeProblems(component, args, types, facts),
    ...vpcProblems(component, args, facts),
    ...zoneProblems(component, args, facts),
  ];
}

function imageProblems(component: string, args: Filled, { image }: Facts): Problem[] {
  const { architecture, debian, region } = args;
  const next = `Name an image for ${architecture}`;
  if (args.image === undefined) {
    if (image !== undefined) return [];
    const message = `Debian has no image of ${debian} for ${architecture} in ${region}.`;
    return [{ component, property: "debian", value: debian, message, next: `${next} as image.` }];
  }
  const named = { component, property: "image", value: args.image };
  if (image === undefined)
    return [{ ...named, message: `There is no such image in ${region}.`, next: `${next}, or remove it.` }];
  const has = debianName(image.architecture);
  if (has === architecture) return [];
  const message = `It is an image for ${has}, and the machines are ${architecture}.`;
  return [{ ...named, message, next: `${next}, or set architecture: ${has}.` }];
}

function typeProblems(component: string, args: Filled, types: ReadonlyMap<string, string>, facts: Facts): Problem[] {
  const told = new Set<string>();
  return machinesOf(args).flatMap((machine): Problem[] => {
    const type = types.get(machine.name) ?? "";
    const at = { ...whereTypeIs(component, args, machine), value: type };
    const key = `${at.component} ${at.property} ${type}`;
    if (told.has(key)) return [];
    told.add(key);
    const found = facts.types[type];
    if (found === undefined) {
      const message = `There is no such instance type in ${args.region}.`;
      return [{ ...at, message, next: `Name another one for ${args.architecture}.` }];
    }
    const runs = found.architectures.map(debianName);
    if (runs.includes(args.architecture)) return [];
    const message = `It runs ${runs.join(", ")}, and the machines are ${args.architecture}.`;
    return [{ ...at, message, next: `Name one for ${args.architecture}, or set another architecture.` }];
  });
}

/** The argument that a machine's type comes from. */
function whereTypeIs(component: string, args: Filled, { name, instanceType }: AwsMachineArgs) {
  if (instanceType !== undefined) return { component: `host ${name}`, property: "instanceType" };
  return { component, property: isBalancer(args, name) ? "balancerType" : "workerType" };
}

function vpcProblems(component: string, args: Filled, { vpcId, subnets }: Facts): Problem[] {
  const { vpc, region } = args;
  if (vpc === "own") return [];
  const at = { component, property: "vpc", value: vpc };
  if (vpcId === undefined)
    return [{ ...at, message: `The account has no default VPC in ${region}.`, next: "Set vpc: own, or name one." }];
  if (subnets.length === 0)
    return [{ ...at, message: `It has no subnet in ${region}.`, next: "Name another VPC, or set vpc: own." }];
  const strange = (args.subnets ?? []).flatMap((id, i) => {
    if (subnets.some((subnet) => subnet.id === id)) return [];
    const message = `It is not a subnet of ${vpcId} in ${region}.`;
    return [{ component, property: `subnets[${i}]`, value: id, message, next: "Name one that is, or remove it." }];
  });
  if (strange.length > 0 || chosen(args, subnets).length > 0) return strange;
  const message = `None of its subnets fits: there are some in ${zonesIn(subnets)} alone.`;
  return [{ component, property: "zones", message, next: "Name zones that have one, or other subnets." }];
}

function zoneProblems(component: string, args: Filled, { zones, subnets }: Facts): Problem[] {
  if (args.vpc !== "own" && subnets.length === 0) return [];
  const own = args.vpc === "own";
  // A machine's own zone is looked for among the subnets that were chosen; `zones` chooses among all.
  const forMachines = own ? zones : [...new Set(chosen(args, subnets).map(({ zone }) => zone))].sort();
  const check = (at: Pick<Problem, "component" | "property">, zone: string, among: readonly string[]): Problem[] => {
    if (among.includes(zone)) return [];
    const message = own ? `The account has no such zone in ${args.region}.` : "No subnet for the machines is in it.";
    return [{ ...at, value: zone, message, next: `Write one of ${among.join(", ")}.` }];
  };
  return [
    ...(args.zones ?? []).flatMap((zone, i) => check({ component, property: `zones[${i}]` }, zone, zones)),
    ...machinesOf(args).flatMap(({ name, zone }) =>
      zone === undefined ? [] : check({ component: `host ${name}`, property: "zone" }, zone, forMachines),
    ),
  ];
}

const zonesIn = (subnets: readonly SubnetFacts[]): string =>
  [...new Set(subnets.map(({ zone }) => zone))].sort().join(", ");
