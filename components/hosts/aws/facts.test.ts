import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { instanceTypes } from "../../../plan/cost";
import { AwsGraph, image, minimal, vpc } from "../../../tests/awsKit";
import { filled, type AwsHostsArgs } from "./args";
import { problemsIn, type Facts } from "./facts";

const right: Facts = {
  image: { id: image, architecture: "arm64" },
  types: { "t4g.small": { vcpus: 2, architectures: ["arm64"] } },
  vpcId: undefined,
  zones: ["eu-central-1a", "eu-central-1b"],
  subnets: [],
};
const inVpc: Partial<Facts> = {
  vpcId: vpc,
  zones: ["eu-central-1a"],
  subnets: [{ id: "subnet-0000000a", zone: "eu-central-1a" }],
};

/** What is wrong, one line each: component, property, value, message, what to do. */
function wrong(more: Partial<AwsHostsArgs>, facts: Partial<Facts> = {}): string[] {
  const args = filled({ ...minimal, ...more });
  return problemsIn("hosts", args, instanceTypes(args), { ...right, ...facts }).map(
    ({ component, property, value, message, next }) =>
      `${component}: ${property}${value === undefined ? "" : ` = ${JSON.stringify(value)}`}: ${message} Next: ${next}`,
  );
}

describe("what AWS says does not fit the arguments", () => {
  test("nothing, when all is right", () => {
    assert.deepEqual(wrong({}), []);
    assert.deepEqual(wrong({ vpc, subnets: ["subnet-0000000a"], zones: ["eu-central-1a"] }, inVpc), []);
  });

  test("an image of the other architecture, one that is not there, none of Debian's", () => {
    const named = { image: "ami-0a1b2c3d4e5f60718" };
    assert.deepEqual(wrong(named, { image: { id: named.image, architecture: "x86_64" } }), [
      'hosts: image = "ami-0a1b2c3d4e5f60718": It is an image for amd64, and the machines are arm64. Next: Name an image for arm64, or set architecture: amd64.',
    ]);
    assert.deepEqual(wrong(named, { image: undefined }), [
      'hosts: image = "ami-0a1b2c3d4e5f60718": There is no such image in eu-central-1. Next: Name an image for arm64, or remove it.',
    ]);
    assert.deepEqual(wrong({ debian: 13 }, { image: undefined }), [
      "hosts: debian = 13: Debian has no image of 13 for arm64 in eu-central-1. Next: Name an image for arm64 as image.",
    ]);
  });

  test("types of the other architecture, and none at all: each where it comes from, each once", () => {
    const workers = [{ name: "north" }, { name: "south" }, { name: "west", instanceType: "t9.small" }];
    const types = {
      ...right.types,
      "m9.large": { vcpus: 2, architectures: ["i386", "x86_64"] },
      "t9.small": undefined,
    };
    assert.deepEqual(wrong({ workers, workerType: "m9.large" }, { types }), [
      'hosts: workerType = "m9.large": It runs i386, amd64, and the machines are arm64. Next: Name one for arm64, or set another architecture.',
      'host west: instanceType = "t9.small": There is no such instance type in eu-central-1. Next: Name another one for arm64.',
    ]);
  });

  test("zones that the account has not", () => {
    const workers = [{ name: "north", zone: "eu-central-1f" }];
    assert.deepEqual(wrong({ workers, zones: ["eu-central-1a", "eu-central-1e"] }), [
      'hosts: zones[1] = "eu-central-1e": The account has no such zone in eu-central-1. Next: Write one of eu-central-1a, eu-central-1b.',
      'host north: zone = "eu-central-1f": The account has no such zone in eu-central-1. Next: Write one of eu-central-1a, eu-central-1b.',
    ]);
  });

  test("a VPC that is not there, subnets that are not its own, zones where it has none", () => {
    const none = { vpcId: undefined, zones: [], subnets: [] };
    assert.deepEqual(wrong({ vpc: "default" }, none), [
      'hosts: vpc = "default": The account has no default VPC in eu-central-1. Next: Set vpc: own, or name one.',
    ]);
    assert.deepEqual(wrong({ vpc }, { ...none, vpcId: vpc }), [
      `hosts: vpc = "${vpc}": It has no subnet in eu-central-1. Next: Name another VPC, or set vpc: own.`,
    ]);
    assert.deepEqual(wrong({ vpc, subnets: ["subnet-0000000a", "subnet-0000000f"] }, inVpc), [
      `hosts: subnets[1] = "subnet-0000000f": It is not a subnet of ${vpc} in eu-central-1. Next: Name one that is, or remove it.`,
    ]);
    const workers = [{ name: "north", zone: "eu-central-1b" }];
    assert.deepEqual(wrong({ vpc, workers }, inVpc), [
      'host north: zone = "eu-central-1b": No subnet for the machines is in it. Next: Write one of eu-central-1a.',
    ]);
    const two = { ...inVpc, zones: ["eu-central-1a", "eu-central-1b"] };
    assert.deepEqual(wrong({ vpc, zones: ["eu-central-1b"] }, two), [
      "hosts: zones: None of its subnets fits: there are some in eu-central-1a alone. Next: Name zones that have one, or other subnets.",
    ]);
  });
});

describe("in a program", () => {
  test("all of it is one report, and no machine is made", async () => {
    const workers = [{ name: "north", zone: "eu-central-1d" }];
    const named = { image: "ami-0a1b2c3d4e5f60718", workerType: "t4g.huge", workers };
    const types = { "t4g.huge": undefined };
    const { error, resources } = await AwsGraph.refused(named, { image: "x86_64", types });
    assert.match(error, /^3 problems in the configuration:\n\n {2}hosts: image = "ami-0a1b2c3d4e5f60718"\n/);
    assert.match(error, /hosts: workerType = "t4g\.huge"\n[^]*host north: zone = "eu-central-1d"\n/);
    assert.deepEqual(
      resources.filter(({ type }) => /instance:|subnet:/.test(type)),
      [],
    );
  });

  test("what AWS says otherwise is said in its words", async () => {
    const broken = "No valid credential sources found";
    assert.match(
      (await AwsGraph.refused({}, { broken })).error,
      /^hosts: region = "eu-central-1"\n {2}AWS does not answer: .*No valid credential sources found\n {2}Next: see to the credentials: /,
    );
  });

  test("a VPC that the machines are not in is refused: they cannot move", async () => {
    const subnets = { "subnet-0000000a": "eu-central-1a" };
    const instance = { subnetId: "subnet-0000000f" };
    const { error } = await AwsGraph.refused({ vpc }, { subnets, instance });
    assert.match(
      error,
      /^hosts: vpc = "vpc-0a1b2c3d"\n {2}\w+ is in another VPC \(in subnet-0000000f\)[^]*Next: set vpc/,
    );
  });
});
