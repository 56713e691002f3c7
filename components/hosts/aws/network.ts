// The network that machines are put in: a VPC of their own, or one that exists.
import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import type { Component } from "../../component";
import type { AwsMachineArgs, Filled } from "./args";
import type { Facts } from "./facts";
import { subnetCidr, subnetOf, zoneOf } from "./places";

/** What the parts of the component share. */
export interface Context {
  readonly parent: Component;
  readonly args: Filled;
  readonly facts: pulumi.Output<Facts>;
  /** Parent and provider of everything in AWS. */
  readonly opts: { readonly parent: Component; readonly provider: aws.Provider };
}

/** Where machines stand. */
export interface Network {
  readonly vpcId: pulumi.Output<string>;
  /** The subnet of a machine that is made now. */
  readonly subnetFor: (machine: AwsMachineArgs) => pulumi.Output<string>;
  /** What must be there before a machine, and longer than it: its way out. */
  readonly ready: readonly pulumi.Resource[];
}

export function networkFor(context: Context): Network {
  return context.args.vpc === "own" ? ownNetwork(context) : givenNetwork(context);
}

function givenNetwork({ args, facts }: Context): Network {
  return {
    // Without one the facts have been refused.
    vpcId: facts.apply(({ vpcId }) => vpcId ?? ""),
    subnetFor: (machine) => facts.apply(({ subnets }) => subnetOf(args, subnets, machine)),
    ready: [],
  };
}

/**
 * A subnet in each zone of the region, whichever the machines are in: a subnet costs nothing, and one that came and went with `zones` could not
 * go while a machine is in it.
 */
function ownNetwork(context: Context): Network {
  const { parent, args, facts, opts } = context;
  // EC2 cannot change a VPC's network; another one would be another VPC, and the machines are in this one.
  const stays = { ...opts, ignoreChanges: ["cidrBlock"] };
  const vpc = new aws.ec2.Vpc(parent.childName("vpc"), { cidrBlock: args.cidr, tags: nameTag(parent) }, stays);
  warnOfNetwork(parent.name, args, vpc);
  const vpcId = vpc.id;
  // A VPC comes with a group whose members may talk to one another, and to everybody: with no rules nobody gets into it by mistake.
  new aws.ec2.DefaultSecurityGroup(parent.childName("default-group"), { vpcId, tags: nameTag(parent) }, opts);
  const gateway = new aws.ec2.InternetGateway(parent.childName("gateway"), { vpcId, tags: nameTag(parent) }, opts);
  const table = new aws.ec2.RouteTable(parent.childName("routes"), { vpcId, tags: nameTag(parent) }, opts);
  const out = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
  const route = new aws.ec2.Route(parent.childName("route"), out, opts);

  const zones = facts.apply((known) => known.zones);
  const subnets = zones.apply((names) =>
    pulumi.output(Object.fromEntries(names.map((zone) => [zone, subnetIn(context, zone, vpc, table)]))),
  );
  return {
    vpcId,
    subnetFor: (machine) =>
      pulumi.all([subnets, zones]).apply(([byZone, names]) => byZone[zoneOf(args, names, machine)] ?? ""),
    ready: [route],
  };
}

/** A zone's subnet, once it has its way out. */
function subnetIn(
  { parent, opts }: Context,
  zone: string,
  vpc: aws.ec2.Vpc,
  table: aws.ec2.RouteTable,
): pulumi.Output<string> {
  const cidrBlock = vpc.cidrBlock.apply((cidr) => subnetCidr(cidr, zone));
  const place = { vpcId: vpc.id, availabilityZone: zone, cidrBlock, tags: nameTag(parent, zone) };
  const subnet = new aws.ec2.Subnet(parent.childName(`subnet-${zone}`), place, opts);
  const pair = { subnetId: subnet.id, routeTableId: table.id };
  const association = new aws.ec2.RouteTableAssociation(parent.childName(`routes-${zone}`), pair, opts);
  return pulumi.all([subnet.id, association.id]).apply(([id]) => id);
}

function warnOfNetwork(component: string, { cidr }: Filled, vpc: aws.ec2.Vpc): void {
  vpc.cidrBlock.apply((has) => {
    if (has === cidr) return;
    const next = `Next: write cidr: ${has}`;
    void pulumi.log.warn(`${component}: cidr = ${cidr}: the VPC was made with ${has}, and keeps it. ${next}`, vpc);
  });
}

/** The name that AWS's console shows. */
export function nameTag(parent: Component, what?: string): { Name: string } {
  return { Name: [pulumi.getStack(), parent.name, ...(what === undefined ? [] : [what])].join("-") };
}
