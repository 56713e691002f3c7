// Where the config and a machine that is there differ.
import * as pulumi from "@pulumi/pulumi";
import type * as aws from "@pulumi/aws";
import type { AwsMachineArgs } from "./args";
import type { Context } from "./network";

/**
 * Says what the config has and the machine has not; nothing is done about it. Where the config leaves a choice (the newest image, the next zone)
 * there is no difference.
 */
export function tellDifferences(
  { args }: Context,
  machine: AwsMachineArgs,
  type: string,
  instance: aws.ec2.Instance,
): void {
  const { name, zone } = machine;
  const disk = instance.rootBlockDevice.apply((root) => root?.volumeSize);
  const has = pulumi.all([instance.instanceType, instance.ami, disk, instance.availabilityZone]);
  has.apply(([hasType, hasImage, hasDisk, hasZone]) => {
    const found = [
      different("instance type", hasType, type),
      different("image", hasImage, args.image),
      different("disk", hasDisk ? `${hasDisk} GiB` : undefined, `${args.disk} GiB`),
      different("zone", hasZone, zone),
    ].filter((sentence) => sentence !== undefined);
    if (found.length === 0) return;
    const keeps = "A machine keeps what it was made with. Next: give it another name, and a new one takes its place";
    void pulumi.log.warn(`${name}: ${found.join("; ")}. ${keeps}`, instance);
  });
}

function different(what: string, has: string | undefined, wants: string | undefined): string | undefined {
  // What is not known is not told: a preview of a machine that is not there yet.
  if (has === undefined || has === "" || wants === undefined || has === wants) return undefined;
  return `its ${what} is ${has}, the config says ${wants}`;
}

/** A machine cannot move to another VPC, and its security group must be in the one that it is in: refused before anything is made there. */
export function refuseMove({ parent, args, facts }: Context, name: string, instance: aws.ec2.Instance): void {
  if (args.vpc === "own") return;
  pulumi.all([instance.subnetId, facts]).apply(([subnet, { subnets }]) => {
    if (!subnet || subnets.some(({ id }) => id === subnet)) return;
    throw new pulumi.RunError(
      `${parent.name}: vpc = ${JSON.stringify(args.vpc)}\n  ${name} is in another VPC (in ${subnet}), and a machine cannot move.\n  Next: set vpc as it was; or start another stack with the new one, and give it the site keys.`,
    );
  });
}
