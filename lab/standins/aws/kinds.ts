/** The resources of @pulumi/aws that the lab needs: their inputs, what is replaced when, and AWS's own rules where our code can tell. */
import { isDeepStrictEqual } from "node:util";
import type { Properties } from "../shared/values";
import { newId, thingsOf, type Account } from "./account";

/** One kind of resource. */
export interface Kind {
  /** Of its ids, e.g. `vpc`. */
  readonly prefix: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Inputs whose change makes another one. */
  readonly replaces: readonly string[];
  /** What AWS refuses; throws with AWS's words. */
  readonly refuse?: (inputs: Properties, account: Account) => void;
  /** What is known of it beside its inputs. */
  readonly outputs?: (id: string, inputs: Properties, account: Account) => Properties;
  /** What is still in it, when it is to go: ids. */
  readonly usedBy?: (id: string, account: Account) => string[];
}

const type = (name: string): string =>
  `aws:${name.replace(/\/(\w)(\w*)$/, (_, first: string, rest: string) => `/${first}${rest}:${first.toUpperCase()}${rest}`)}`;

/** Ids of the things of a type with a property that is, or holds, this id. */
function holding(account: Account, kind: string, property: string, id: string): string[] {
  return thingsOf(account, type(kind)).flatMap(([own, properties]) => {
    const value = properties[property];
    return value === id || (Array.isArray(value) && value.includes(id)) ? [own] : [];
  });
}

/** AWS's words for an id that it does not know. */
function mustExist(account: Account, id: unknown, code: string, what: string): void {
  if (account.things[String(id)] === undefined)
    throw new Error(`api error ${code}: The ${what} ID '${String(id)}' does not exist`);
}

/** First and last address of a network. */
export function rangeOf(cidr: string): [first: number, last: number] {
  const [address = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const base = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return [base - (base % size), base - (base % size) + size - 1];
}

function refuseSubnet(inputs: Properties, account: Account): void {
  mustExist(account, inputs["vpcId"], "InvalidVpcID.NotFound", "vpc");
  const cidr = String(inputs["cidrBlock"]);
  const [first, last] = rangeOf(cidr);
  const [from, to] = rangeOf(String(account.things[String(inputs["vpcId"])]?.properties["cidrBlock"]));
  if (first < from || last > to) throw new Error(`api error InvalidSubnet.Range: The CIDR '${cidr}' is invalid.`);
  const others = thingsOf(account, type("ec2/subnet")).filter(([, { vpcId }]) => vpcId === inputs["vpcId"]);
  for (const [, { cidrBlock }] of others) {
    const [low, high] = rangeOf(String(cidrBlock));
    if (first <= high && last >= low)
      throw new Error(`api error InvalidSubnet.Conflict: The CIDR '${cidr}' conflicts with another subnet`);
  }
}

const ruleParts = ["cidrIpv4", "cidrIpv6", "referencedSecurityGroupId", "fromPort", "toPort", "ipProtocol"];

function rule(kind: string): Kind {
  return {
    prefix: "sgr",
    required: ["securityGroupId", "ipProtocol"],
    optional: [...ruleParts.filter((part) => part !== "ipProtocol"), "description", "tags"],
    replaces: ["securityGroupId"],
    refuse: (inputs, account) => {
      mustExist(account, inputs["securityGroupId"], "InvalidGroup.NotFound", "security group");
      const parts = (from: Properties) => ["securityGroupId", ...ruleParts].map((part) => from[part] ?? null);
      if (thingsOf(account, type(kind)).some(([, other]) => isDeepStrictEqual(parts(other), parts(inputs))))
        throw new Error("api error InvalidPermission.Duplicate: the specified rule already exists");
    },
    outputs: (id) => ({ securityGroupRuleId: id, arn: `arn:aws:ec2:lab::security-group-rule/${id}` }),
  };
}

const network: Readonly<Record<string, Kind>> = {
  "ec2/vpc": {
    prefix: "vpc",
    required: ["cidrBlock"],
    optional: ["enableDnsHostnames", "tags"],
    replaces: ["cidrBlock"],
    outputs: () => ({ defaultSecurityGroupId: newId("sg"), mainRouteTableId: newId("rtb") }),
    usedBy: (id, account) =>
      ["ec2/subnet", "ec2/internetGateway", "ec2/securityGroup", "ec2/routeTable"].flatMap((kind) =>
        holding(account, kind, "vpcId", id),
      ),
  },
  "ec2/defaultSecurityGroup": { prefix: "sg", required: [], optional: ["vpcId", "tags"], replaces: ["vpcId"] },
  "ec2/internetGateway": { prefix: "igw", required: [], optional: ["vpcId", "tags"], replaces: [] },
  "ec2/routeTable": {
    prefix: "rtb",
    required: ["vpcId"],
    optional: ["tags"],
    replaces: ["vpcId"],
    usedBy: (id, account) => holding(account, "ec2/routeTableAssociation", "routeTableId", id),
  },
  "ec2/route": {
    prefix: "r",
    required: ["routeTableId"],
    optional: ["destinationCidrBlock", "gatewayId"],
    replaces: ["routeTableId", "destinationCidrBlock"],
    refuse: (inputs, account) => {
      mustExist(account, inputs["routeTableId"], "InvalidRouteTableID.NotFound", "routeTable");
      mustExist(account, inputs["gatewayId"], "InvalidInternetGatewayID.NotFound", "internetGateway");
    },
  },
  "ec2/routeTableAssociation": {
    prefix: "rtbassoc",
    required: ["routeTableId"],
    optional: ["subnetId"],
    replaces: ["subnetId"],
  },
  "ec2/subnet": {
    prefix: "subnet",
    required: ["vpcId"],
    optional: ["availabilityZone", "cidrBlock", "tags"],
    replaces: ["vpcId", "availabilityZone", "cidrBlock"],
    refuse: refuseSubnet,
    usedBy: (id, account) => [
      ...holding(account, "ec2/instance", "subnetId", id),
      ...holding(account, "ec2transitgateway/instanceConnectEndpoint", "subnetId", id),
    ],
  },
  "ec2/securityGroup": {
    prefix: "sg",
    required: [],
    optional: ["vpcId", "description", "tags"],
    replaces: ["vpcId", "description"],
    refuse: (inputs, account) => mustExist(account, inputs["vpcId"], "InvalidVpcID.NotFound", "vpc"),
    outputs: (id, { name }) => ({ name: name ?? `softmap-${id}` }),
    usedBy: (id, account) => [
      ...holding(account, "ec2/instance", "vpcSecurityGroupIds", id),
      ...holding(account, "vpc/securityGroupIngressRule", "referencedSecurityGroupId", id),
    ],
  },
  "vpc/securityGroupIngressRule": rule("vpc/securityGroupIngressRule"),
  "vpc/securityGroupEgressRule": rule("vpc/securityGroupEgressRule"),
  "ec2transitgateway/instanceConnectEndpoint": {
    prefix: "eice",
    required: ["subnetId"],
    optional: ["securityGroupIds", "preserveClientIp", "tags"],
    replaces: ["subnetId", "securityGroupIds", "preserveClientIp"],
  },
};

const machines: Readonly<Record<string, Kind>> = {
  "ec2/instance": {
    prefix: "i",
    required: [],
    optional: [
      ...["ami", "instanceType", "subnetId", "vpcSecurityGroupIds", "associatePublicIpAddress", "userData"],
      ...["userDataReplaceOnChange", "metadataOptions", "rootBlockDevice", "disableApiTermination", "tags"],
    ],
    // Another type, or other user data, is a stop and a start.
    replaces: ["ami", "subnetId", "associatePublicIpAddress"],
    refuse: refuseInstance,
    usedBy: () => [],
  },
  "ec2/eip": {
    prefix: "eipalloc",
    required: [],
    optional: ["domain", "tags"],
    replaces: ["domain"],
    outputs: (id) => ({ allocationId: id }),
    usedBy: (id, account) => holding(account, "ec2/eipAssociation", "allocationId", id),
  },
  "ec2/eipAssociation": {
    prefix: "eipassoc",
    required: [],
    optional: ["instanceId", "allocationId"],
    replaces: ["instanceId", "allocationId"],
    refuse: (inputs, account) => {
      mustExist(account, inputs["instanceId"], "InvalidInstanceID.NotFound", "instance");
      mustExist(account, inputs["allocationId"], "InvalidAllocationID.NotFound", "allocation");
    },
  },
};

function refuseInstance(inputs: Properties, account: Account): void {
  const wanted = String(inputs["instanceType"]);
  const image = account.images.find(({ id }) => id === inputs["ami"]);
  if (image === undefined)
    throw new Error(`api error InvalidAMIID.NotFound: The image id '[${String(inputs["ami"])}]' does not exist`);
  const runs = architectureOf(wanted);
  if (image.architecture !== runs)
    throw new Error(
      `api error InvalidParameterValue: The architecture '${runs}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.`,
    );
  mustExist(account, inputs["subnetId"], "InvalidSubnetID.NotFound", "subnet");
  for (const id of (inputs["vpcSecurityGroupIds"] ?? []) as string[])
    mustExist(account, id, "InvalidGroup.NotFound", "security group");
  const zone = zoneOf(inputs, account);
  if (account.full.includes(zone)) {
    const others = ["a", "b", "c"].map((letter) => zone.slice(0, -1) + letter).filter((other) => other !== zone);
    throw new Error(
      `api error InsufficientInstanceCapacity: We currently do not have sufficient ${wanted} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity. You can currently get ${wanted} capacity by not specifying an Availability Zone in your request or choosing ${others.join(", ")}.`,
    );
  }
}

/** What EC2 calls the architecture of a type. */
export function architectureOf(instanceType: string): "arm64" | "x86_64" {
  return /^(a|[a-z]+[0-9]+g)/.test(instanceType.split(".")[0] ?? "") ? "arm64" : "x86_64";
}

/** The zone of an instance: its subnet's. */
export function zoneOf(inputs: Properties, { things }: Account): string {
  return String(things[String(inputs["subnetId"])]?.properties["availabilityZone"]);
}

/** Every kind by its type. */
export const kinds: Readonly<Record<string, Kind>> = Object.fromEntries(
  Object.entries({ ...network, ...machines }).map(([name, kind]) => [type(name), kind]),
);
