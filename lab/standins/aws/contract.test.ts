/**
 * What AwsHosts relies on in @pulumi/aws 7.48.0. The names of inputs are held against the types of the package; the rules are AWS's documented
 * ones, asked of the stand-in. There is no account to ask the real plugin in.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { labNamed, writeState } from "../../places";
import { isUnknown, type Properties } from "../shared/values";
import { fillZone, instancesOf, newImage } from "./account";
import { kinds } from "./kinds";
import { AwsProvider } from "./provider";

/** Names of the inputs of a resource, as the package's own types have them. */
function inputsOf(type: string): string[] {
  const [, module = "", name = ""] = /^aws:([^/]+)\/(\w+):/.exec(type) ?? [];
  const file = require.resolve(`@pulumi/aws/${module}/${name}`).replace(/\.js$/, ".d.ts");
  const text = readFileSync(file, "utf8");
  const [, body = ""] =
    new RegExp(`export interface ${name[0]?.toUpperCase()}${name.slice(1)}Args \\{([^]*?)\\n\\}`).exec(text) ?? [];
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, input = ""]) => input);
}

for (const [type, { required, optional, replaces }] of Object.entries(kinds)) {
  test(`${type} has the inputs that the package knows`, () => {
    const known = inputsOf(type);
    assert.ok(known.length > 0);
    for (const input of [...required, ...optional]) assert.ok(known.includes(input), `${input} of ${known.join(", ")}`);
    for (const input of replaces) assert.ok([...required, ...optional].includes(input), input);
  });
}

describe("the account", () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-aws-"));
  const was = process.env["XDG_CACHE_HOME"];
  const running = new Map<string, string>();
  const addresses: string[] = [];
  let aws: AwsProvider;
  let environment: NodeJS.ProcessEnv = { AWS_ACCESS_KEY_ID: "key" };
  const urn = (type: string) => `urn:pulumi:s::p::softmap:index:AwsHosts$aws:${type}::name`;
  const vpcType = "ec2/vpc:Vpc";
  const subnetType = "ec2/subnet:Subnet";
  const groupType = "ec2/securityGroup:SecurityGroup";
  const machineType = "ec2/instance:Instance";
  const make = async (type: string, inputs: Properties) => aws.create(urn(type), inputs);
  const ami = async (architecture = "arm64") =>
    (
      await aws.invoke("aws:ec2/getAmi:getAmi", {
        owners: ["136693071363"],
        mostRecent: true,
        filters: [{ name: "name", values: [`debian-12-${architecture}-*`] }],
      })
    ).outputs as { id: string };

  before(() => {
    process.env["XDG_CACHE_HOME"] = folder;
    const lab = labNamed("aws");
    mkdirSync(lab.dir, { recursive: true });
    writeState(lab, { subnet: "10.90.0", domains: [], mirror: {} });
    const machines = {
      boot: async (id: string, userData: string) => (running.set(id, userData), "10.90.0.11"),
      terminate: async (id: string) => void running.delete(id),
      runs: async (id: string) => running.has(id),
      giveAddress: async (_id: string, address: string) => void addresses.push(address),
      restart: async () => undefined,
    };
    aws = new AwsProvider({
      lab,
      machines,
      get environment() {
        return environment;
      },
    });
  });
  after(() => {
    if (was === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = was;
    rmSync(folder, { recursive: true });
  });

  let subnetId = "";
  let groupId = "";

  test("without a login nothing is looked up and nothing made", async () => {
    environment = {};
    await assert.rejects(make(vpcType, { cidrBlock: "10.77.0.0/16" }), /^Error: No valid credential sources found\./);
    await assert.rejects(ami(), /No valid credential sources found/);
    environment = { AWS_PROFILE: "onion" };
  });

  test("a subnet is in its VPC and overlaps no other; what is in use cannot go", async () => {
    const vpc = await make(vpcType, { cidrBlock: "10.77.0.0/16" });
    const place = { vpcId: vpc.id, cidrBlock: "10.77.0.0/19", availabilityZone: "eu-central-1a" };
    subnetId = (await make(subnetType, place)).id;
    await assert.rejects(make(subnetType, { ...place, cidrBlock: "10.77.16.0/20" }), /InvalidSubnet\.Conflict/);
    await assert.rejects(make(subnetType, { ...place, cidrBlock: "10.78.0.0/19" }), /InvalidSubnet\.Range/);
    await assert.rejects(make(subnetType, { ...place, vpcId: "vpc-0" }), /InvalidVpcID\.NotFound/);
    groupId = (await make(groupType, { vpcId: vpc.id })).id;
    await assert.rejects(aws.delete(vpc.id, urn(vpcType)), /DependencyViolation/);
    const rule = { securityGroupId: groupId, ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "203.0.113.0/24" };
    await make("vpc/securityGroupIngressRule:SecurityGroupIngressRule", rule);
    await assert.rejects(
      make("vpc/securityGroupIngressRule:SecurityGroupIngressRule", rule),
      /InvalidPermission\.Duplicate/,
    );
  });

  const instance = async (more: Properties = {}) => ({
    ...{ ami: (await ami()).id, instanceType: "t4g.small", subnetId, vpcSecurityGroupIds: [groupId] },
    ...{ userData: "#cloud-config\n", disableApiTermination: true, ...more },
  });

  test("an instance boots with its user data, which is a secret and in no file; it may be protected", async () => {
    const checked = await aws.check(urn(machineType), {}, await instance({ userData: "#cloud-config: canary\n" }));
    const inputs = checked.inputs as Properties;
    const made = await aws.create(urn(machineType), inputs);
    assert.match(made.id, /^i-0[0-9a-f]{16}$/);
    assert.equal(running.get(made.id), "#cloud-config: canary\n");
    assert.doesNotMatch(readFileSync(join(labNamed("aws").dir, "aws.json"), "utf8"), /canary/);
    const outs = made.outs as Properties;
    assert.notEqual(typeof outs["userData"], "string");
    assert.deepEqual([outs["availabilityZone"], outs["publicIp"]], ["eu-central-1a", "10.90.0.11"]);
    assert.deepEqual(await aws.diff(made.id, urn(machineType), outs, inputs), {
      changes: false,
      replaces: [],
    });
    await assert.rejects(aws.delete(made.id, urn(machineType)), /OperationNotPermitted: .*disableApiTermination/);
    const open = { ...inputs, disableApiTermination: false };
    assert.deepEqual(await aws.diff(made.id, urn(machineType), outs, open), { changes: true, replaces: [] });
    await aws.update(made.id, urn(machineType), outs, open);
    await assert.rejects(aws.delete(subnetId, urn(subnetType)), /DependencyViolation/);
    await aws.delete(made.id, urn(machineType));
    assert.deepEqual([running.size, instancesOf(labNamed("aws"))], [0, []]);
  });

  test("another image replaces it, another type does not; what is not known yet is a change", async () => {
    const inputs = await instance();
    const made = await aws.create(urn(machineType), inputs);
    const diff = (news: Properties) =>
      aws.diff(made.id, urn(machineType), made.outs as Properties, { ...inputs, ...news });
    assert.deepEqual((await diff({ ami: "ami-0" })).replaces, ["ami"]);
    assert.deepEqual((await diff({ instanceType: "t4g.medium" })).replaces, []);
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    assert.ok(isUnknown(unknown));
    assert.equal((await diff({ subnetId: unknown })).changes, true);
  });

  test("one that was terminated by hand is gone for a read", async () => {
    const { id } = await aws.create(urn(machineType), await instance());
    assert.equal((await aws.read(id, urn(machineType), {})).id, id);
    running.delete(id);
    assert.equal((await aws.read(id, urn(machineType), {})).id, "");
  });

  test("no room in a zone, an image of the other architecture, images and groups that there are not: AWS's words", async () => {
    const lab = labNamed("aws");
    const other = newImage(lab, "x86_64");
    await assert.rejects(make(machineType, await instance({ ami: other })), /does not match the architecture 'x86_64'/);
    await assert.rejects(make(machineType, await instance({ ami: "ami-0" })), /InvalidAMIID\.NotFound/);
    await assert.rejects(
      make(machineType, await instance({ vpcSecurityGroupIds: ["sg-0"] })),
      /InvalidGroup\.NotFound/,
    );
    fillZone(lab, "eu-central-1a");
    await assert.rejects(
      make(machineType, await instance()),
      /InsufficientInstanceCapacity: We currently do not have sufficient t4g\.small capacity .*\(eu-central-1a\)/,
    );
  });

  test("lookups: the newest image, the zones, a type's cores and architecture, and what there is not", async () => {
    const newer = newImage(labNamed("aws"));
    assert.equal((await ami()).id, newer);
    const zones = await aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {});
    assert.deepEqual((zones.outputs as { names: string[] }).names, ["eu-central-1a", "eu-central-1b", "eu-central-1c"]);
    await assert.rejects(aws.invoke("aws:ec2/getVpc:getVpc", { default: true }), /no matching EC2 VPC found/);
    await assert.rejects(
      aws.invoke("aws:ec2/getInstanceType:getInstanceType", { instanceType: "z9.small" }),
      /InvalidInstanceType/,
    );
    await assert.rejects(ami("riscv64"), /returned no results/);
    await assert.rejects(aws.invoke("aws:s3/getBucket:getBucket", {}), /no such lookup/);
  });

  test("an elastic address is the lab's, and is given to its machine", async () => {
    const eip = await make("ec2/eip:Eip", { domain: "vpc" });
    const { publicIp } = eip.outs as { publicIp: string };
    assert.equal(publicIp, "10.90.0.241");
    const [machine] = instancesOf(labNamed("aws"));
    await make("ec2/eipAssociation:EipAssociation", { instanceId: machine?.id, allocationId: eip.id });
    assert.deepEqual(addresses, [publicIp]);
    await assert.rejects(aws.delete(eip.id, urn("ec2/eip:Eip")), /DependencyViolation/);
  });

  test("an input that it does not know is refused by name", async () => {
    const { failures } = await aws.check(urn(machineType), {}, { ...(await instance()), keyName: "x" });
    assert.deepEqual(failures, [
      { property: "keyName", reason: "the lab's stand-in for the aws plugin has no keyName" },
    ]);
  });
});
