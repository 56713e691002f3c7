/** What is asked of AWS without making anything. */
import type { Properties } from "../shared/values";
import { letters, thingsOf, type Account, type Image } from "./account";
import { architectureOf } from "./kinds";

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

const filtersOf = ({ filters }: Properties): readonly Filter[] => (filters ?? []) as Filter[];

/** A filter's value, where `*` stands for anything. */
function fits(value: string, wanted: readonly string[]): boolean {
  return wanted.some((each) => {
    const pattern = each.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${pattern.join(".*")}$`).test(value);
  });
}

function imageFits(image: Image, inputs: Properties): boolean {
  const owners = inputs["owners"] as string[] | undefined;
  if (owners !== undefined && !owners.includes(image.owner)) return false;
  const has: Record<string, string> = {
    ...{ "image-id": image.id, name: image.name, architecture: image.architecture },
    ...{ "virtualization-type": "hvm", "root-device-type": "ebs" },
  };
  return filtersOf(inputs).every(({ name, values }) => fits(has[name] ?? "", values));
}

function getAmi(inputs: Properties, { images }: Account): Properties {
  const found = images.filter((image) => imageFits(image, inputs));
  if (found.length === 0)
    throw new Error("Your query returned no results. Please change your search criteria and try again.");
  if (found.length > 1 && inputs["mostRecent"] !== true)
    throw new Error("Your query returned more than one result. Please try a more specific search criteria");
  const [newest] = found.toSorted((a, b) => (a.creationDate < b.creationDate ? 1 : -1));
  return { ...newest, rootDeviceName: "/dev/xvda" };
}

function getAvailabilityZones(_inputs: Properties, _account: Account, region: string): Properties {
  return { id: region, names: letters.map((letter) => region + letter) };
}

function getInstanceType({ instanceType }: Properties): Properties {
  const name = String(instanceType);
  if (!/^(t4g|t3|t3a|m7g|m7i|c7g|c7i|m6g|c6g)\./.test(name))
    throw new Error(`api error InvalidInstanceType: The following supplied instance types do not exist: [${name}]`);
  return { id: name, instanceType: name, defaultVcpus: 2, supportedArchitectures: [architectureOf(name)] };
}

function getVpc(inputs: Properties, account: Account): Properties {
  const [found] = thingsOf(account, "aws:ec2/vpc:Vpc").filter(([id]) => id === inputs["id"]);
  if (found === undefined) throw new Error("no matching EC2 VPC found");
  return { id: found[0], ...found[1] };
}

function subnets(account: Account) {
  return thingsOf(account, "aws:ec2/subnet:Subnet");
}

function getSubnets(inputs: Properties, account: Account): Properties {
  const has = (id: string, properties: Properties): Record<string, string> => ({
    "vpc-id": String(properties["vpcId"]),
    "subnet-id": id,
    "availability-zone": String(properties["availabilityZone"]),
    "default-for-az": "false",
  });
  const found = subnets(account).filter(([id, properties]) =>
    filtersOf(inputs).every(({ name, values }) => fits(has(id, properties)[name] ?? "", values)),
  );
  return { ids: found.map(([id]) => id) };
}

function getSubnet(inputs: Properties, account: Account): Properties {
  const [found] = subnets(account).filter(([id]) => id === inputs["id"]);
  if (found === undefined) throw new Error("no matching EC2 Subnet found");
  return { id: found[0], ...found[1] };
}

/** Every lookup by its token. The region is that of the lab: a stand-in is not told the provider's. */
export const lookups: Readonly<Record<string, (inputs: Properties, account: Account, region: string) => Properties>> = {
  "aws:ec2/getAmi:getAmi": getAmi,
  "aws:index/getAvailabilityZones:getAvailabilityZones": getAvailabilityZones,
  "aws:ec2/getInstanceType:getInstanceType": getInstanceType,
  "aws:ec2/getVpc:getVpc": getVpc,
  "aws:ec2/getSubnets:getSubnets": getSubnets,
  "aws:ec2/getSubnet:getSubnet": getSubnet,
};
