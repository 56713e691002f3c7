// What AWS says before anything is made, and what of the arguments does not fit it: all of it in one report, at preview.
import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import { ProblemsError, refuse } from "../../../config/problems";
import type { Filled } from "./args";
import { problemsIn, type Facts, type ImageFacts, type TypeFacts } from "./facts";
import type { SubnetFacts } from "./places";

/** The account that Debian publishes its images from: https://wiki.debian.org/Cloud/AmazonEC2Image */
const debianOwner = "136693071363";
/** What EC2 calls the architectures. */
const ec2Names = { arm64: "arm64", amd64: "x86_64" } as const;

/** Asks AWS for what machines need that are made now; fails with everything that does not fit. */
export function lookUp(
  component: string,
  args: Filled,
  types: ReadonlyMap<string, string>,
  options: pulumi.InvokeOptions,
): pulumi.Output<Facts> {
  return pulumi.output(asked());

  async function asked(): Promise<Facts> {
    try {
      const questions = [imageOf(args, options), typesOf(types, options), placesOf(args, options)] as const;
      const [image, byType, places] = await Promise.all(questions);
      const facts = { image, types: byType, ...places };
      refuse(problemsIn(component, args, types, facts));
      return facts;
    } catch (error) {
      const { message } = error as Error;
      throw plainError(error instanceof ProblemsError ? message : unasked(component, args, message));
    }
  }
}

function unasked(component: string, { region }: Filled, words: string): string {
  const credentials =
    "see to the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or profile";
  const next = /credential|token|profile/i.test(words) ? credentials : "mend that, and try again";
  return `${component}: region = ${JSON.stringify(region)}\n  AWS does not answer: ${words.trim()}\n  Next: ${next}.`;
}

/** Each resource that waits for a value that failed puts words of its own before the error's message, and all of them before the same one. */
function plainError(message: string): pulumi.RunError {
  return Object.defineProperty(new pulumi.RunError(message), "message", { get: () => message, set: () => undefined });
}

/** How AWS, and its provider, say that something is not there. Anything else, as credentials that are missing, is an error in their words. */
const absent =
  /returned no results|no matching EC2|InvalidAMIID|InvalidInstanceType|InvalidSubnetID|InvalidVpcID|couldn't find resource|empty result/;

async function orNone<T>(lookup: Promise<T>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    if (absent.test((error as Error).message)) return undefined;
    throw error;
  }
}

/** The image that was named, else Debian's newest. A machine that is there keeps its own. */
async function imageOf(args: Filled, options: pulumi.InvokeOptions): Promise<ImageFacts | undefined> {
  const { architecture, debian, image } = args;
  const ofDebian = [
    { name: "name", values: [`debian-${debian}-${architecture}-*`] },
    { name: "architecture", values: [ec2Names[architecture]] },
    { name: "virtualization-type", values: ["hvm"] },
    { name: "root-device-type", values: ["ebs"] },
  ];
  const wanted =
    image === undefined
      ? { owners: [debianOwner], mostRecent: true, filters: ofDebian }
      : { filters: [{ name: "image-id", values: [image] }] };
  const found = await orNone(aws.ec2.getAmi(wanted, options));
  return found && { id: found.id, architecture: found.architecture };
}

async function typesOf(
  types: ReadonlyMap<string, string>,
  options: pulumi.InvokeOptions,
): Promise<Record<string, TypeFacts | undefined>> {
  const once = [...new Set(types.values())];
  const found = once.map((instanceType) => orNone(aws.ec2.getInstanceType({ instanceType }, options)));
  const facts = (await Promise.all(found)).map(
    (type) => type && { vcpus: type.defaultVcpus, architectures: type.supportedArchitectures },
  );
  return Object.fromEntries(once.map((type, i) => [type, facts[i]]));
}

async function placesOf(
  args: Filled,
  options: pulumi.InvokeOptions,
): Promise<Pick<Facts, "vpcId" | "zones" | "subnets">> {
  if (args.vpc === "own") return { vpcId: undefined, zones: await zonesOf(options), subnets: [] };
  const ofAccount = args.vpc === "default";
  const vpc = ofAccount ? await orNone(aws.ec2.getVpc({ default: true }, options)) : { id: args.vpc };
  if (vpc === undefined) return { vpcId: undefined, zones: [], subnets: [] };
  const ofVpc = [{ name: "vpc-id", values: [vpc.id] }];
  const filters = ofAccount ? [...ofVpc, { name: "default-for-az", values: ["true"] }] : ofVpc;
  const { ids } = await aws.ec2.getSubnets({ filters }, options);
  const subnets = await Promise.all(ids.map((id) => subnetFacts(id, options)));
  return { vpcId: vpc.id, zones: [...new Set(subnets.map(({ zone }) => zone))].sort(), subnets };
}

/**
 * The region's own zones: no local ones, which have to be opted in to. Not only those that work right now: a subnet must not go because its zone
 * has an outage.
 */
async function zonesOf(options: pulumi.InvokeOptions): Promise<string[]> {
  const filters = [{ name: "opt-in-status", values: ["opt-in-not-required"] }];
  return (await aws.getAvailabilityZones({ filters }, options)).names.toSorted();
}

async function subnetFacts(id: string, options: pulumi.InvokeOptions): Promise<SubnetFacts> {
  const { availabilityZone: zone } = await aws.ec2.getSubnet({ id }, options);
  return { id, zone };
}
