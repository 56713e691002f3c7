// Machines in AWS: what of EC2 an operator chooses. The words are AWS's own.
import { z } from "zod";
import { type Fault, text, whole } from "./check";
import { baseSettings } from "./base";
import { cidrOf, networkFault } from "./cidr";
import { privateKeyFile, torNetwork } from "./network";
import { proxy } from "./proxy";

/** What is wrong with a network that may reach sshd. */
export function sshFromFault(given: string): Fault | undefined {
  return networkFault(given, {
    message: "This is everybody: sshd would be open to the whole Internet.",
    next: "Name the networks that you work from, e.g. 203.0.113.0/24; or none, with reach: private.",
  });
}

function vpcFault(given: string): Fault | undefined {
  if (given === "own" || given === "default" || /^vpc-[0-9a-f]{8,17}$/.test(given)) return undefined;
  return { message: "It must be own, default, or the id of a VPC.", next: "Write own, default, or e.g. vpc-0a1b2c3d." };
}

/** EC2 takes /16 to /28 for a VPC; a subnet for each of eight zones is cut out of it, so that it must leave three bits. */
function vpcCidrFault(given: string): Fault | undefined {
  const cidr = cidrOf(given);
  // RFC 1918
  const isPrivate = /^(10\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.)/.test(given);
  if (cidr && isPrivate && cidr.length >= 16 && cidr.length <= 24) return undefined;
  return {
    message: "A VPC's network is a private IPv4 network from /16 to /24.",
    next: "Write e.g. 10.77.0.0/16, one that none of your other networks overlaps.",
  };
}

const pattern = (form: RegExp, message: string, next: string) => (given: string) =>
  form.test(given) ? undefined : { message, next };

export const instanceType = text(
  pattern(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, "This is not an instance type of EC2.", "Write e.g. t4g.small."),
  { description: "EC2 instance type; of the stack's architecture.", examples: ["t4g.small"] },
);

export const zone = text(
  pattern(/^[a-z]{2,}(-[a-z]+)+-[0-9]+[a-z]$/, "This is not an availability zone.", "Write e.g. eu-central-1a."),
  { description: "Availability zone of the machine.", examples: ["eu-central-1a"] },
);

const region = text(
  pattern(/^[a-z]{2,}(-[a-z]+)+-[0-9]+$/, "This is not a region of AWS.", "Write e.g. eu-central-1."),
  { description: "Region of AWS.", examples: ["eu-central-1"] },
);

const image = text(
  pattern(/^ami-[0-9a-f]{8,17}$/, "This is not the id of an AMI.", "Write e.g. ami-0a1b2c3d4e5f60718, or remove it."),
  {
    description:
      "AMI of machines that are made from now on: a Debian of the stack's architecture. Absent: Debian's own newest of `debian`. A machine that is there keeps its own.",
    examples: ["ami-0a1b2c3d4e5f60718"],
  },
);

const subnet = text(
  pattern(/^subnet-[0-9a-f]{8,17}$/, "This is not the id of a subnet.", "Write e.g. subnet-0a1b2c3d."),
  { description: "Id of a subnet.", examples: ["subnet-0a1b2c3d"] },
);

const types = "t4g.small (arm64), t3.small (amd64)";

export const awsHostsSchema = z
  .strictObject({
    provider: z
      .literal("aws")
      .meta({ description: "EC2 instances, made and removed by the stack.", examples: ["aws"] }),
    region,
    profile: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: "Profile of the shared AWS config that logs in. Absent: the environment's credentials.",
        examples: ["onion"],
      }),
    architecture: z
      .enum(["arm64", "amd64"])
      .prefault("arm64")
      .meta({ description: "Architecture of the machines.", examples: ["amd64"] }),
    debian: z
      .literal([12, 13])
      .prefault(12)
      .meta({ description: "Release of Debian whose newest AMI a new machine gets.", examples: [13] }),
    image: image.optional(),
    balancerType: instanceType
      .optional()
      .meta({ description: `Instance type of new balancers. Absent: ${types}.`, examples: ["t4g.small"] }),
    workerType: instanceType
      .optional()
      .meta({ description: `Instance type of new workers. Absent: ${types}.`, examples: ["t4g.medium"] }),
    disk: whole(8, 2048, "", {
      description: "Size of a new machine's encrypted root disk (gp3).",
      unit: "GiB",
      examples: [20],
    }).prefault(20),
    vpc: text(vpcFault, {
      description:
        "`own`: a VPC of the stack's own. `default`: the account's default VPC. Or the id of one that exists.",
      examples: ["own", "default", "vpc-0a1b2c3d"],
    }).prefault("own"),
    subnets: z
      .array(subnet)
      .min(1)
      .optional()
      .meta({
        description: "Subnets of a VPC that exists, for new machines in turn. Absent: all of it.",
        examples: [["subnet-0a1b2c3d", "subnet-1a2b3c4d"]],
      }),
    zones: z
      .array(zone)
      .min(1)
      .optional()
      .meta({
        description: "Availability zones for new machines, in turn. Absent: up to three of the region.",
        examples: [["eu-central-1a", "eu-central-1b"]],
      }),
    cidr: text(vpcCidrFault, { description: "Network of an own VPC.", examples: ["10.77.0.0/16"] }).prefault(
      "10.77.0.0/16",
    ),
    sshFrom: z
      .array(text(sshFromFault, { description: "A network in CIDR form.", examples: ["203.0.113.0/24"] }))
      .meta({
        description:
          "Networks that may reach sshd, the only inbound port. None: no inbound port at all; then `reach: private`.",
        examples: [["203.0.113.0/24", "2001:db8:7::/48"]],
      }),
    reach: z
      .enum(["public", "private"])
      .prefault("public")
      .meta({
        description:
          "By which address ssh reaches the machines: `private` from within the VPC, by VPN, or through `proxy`.",
        examples: ["private"],
      }),
    proxy: proxy.optional(),
    privateKeyFile: privateKeyFile.optional().meta({
      description:
        "Private key for the jump host of `proxy`, which is yours. The machines' own login key is made by the stack.",
      examples: ["~/.ssh/id_ed25519"],
    }),
    elasticAddresses: z
      .enum(["none", "balancers", "all"])
      .prefault("none")
      .meta({
        description:
          "Which machines get an address that outlives a stop. Tor needs none; ssh from your side is steadier with one.",
        examples: ["balancers"],
      }),
    instanceConnectEndpoint: z
      .boolean()
      .prefault(false)
      .meta({
        description:
          "Whether an EC2 Instance Connect Endpoint is made: the way in without an inbound port, by AWS's own login.",
        examples: [true],
      }),
    terminationProtection: z
      .boolean()
      .prefault(true)
      .meta({
        description: "Whether EC2 refuses to terminate the balancers. Turn it off, and `up`, before a `destroy`.",
        examples: [false],
      }),
    tags: z
      .record(z.string(), z.string())
      .prefault({})
      .meta({ description: "Tags of everything that is made in AWS.", examples: [{ team: "web" }] }),
    torNetwork: torNetwork.optional().meta({
      description: "torrc lines of a private Tor network, for rehearsals. Absent: the public network.",
      examples: [["TestingTorNetwork 1", "DirAuthority a0 orport=5100 v3ident=... 10.0.0.5:7100 ..."]],
    }),
    ...baseSettings(true),
  })
  .meta({
    description: "Machines in AWS.",
    examples: [{ provider: "aws", region: "eu-central-1", sshFrom: ["203.0.113.0/24"] }],
  });
