import assert from "node:assert/strict";
import { test } from "node:test";
import { architectureOf, vcpusOf } from "./instanceTypes";

// From https://docs.aws.amazon.com/ec2/latest/instancetypes/: name, architecture, vCPUs.
const known: readonly [string, "arm64" | "amd64", number | undefined][] = [
  ["t4g.nano", "arm64", 2],
  ["t4g.small", "arm64", 2],
  ["t4g.xlarge", "arm64", 4],
  ["t3.micro", "amd64", 2],
  ["t3a.large", "amd64", 2],
  ["a1.large", "arm64", 2],
  ["m7g.medium", "arm64", 1],
  ["c7gn.2xlarge", "arm64", 8],
  ["m7i-flex.large", "amd64", 2],
  ["c6i.4xlarge", "amd64", 16],
  ["g5g.xlarge", "arm64", 4],
  ["g5.xlarge", "amd64", 4],
  ["r8g.metal-24xl", "arm64", undefined],
];

for (const [type, architecture, vcpus] of known) {
  test(`${type}: ${architecture}, ${vcpus ?? "an unknown number of"} virtual cores`, () => {
    assert.deepEqual([architectureOf(type), vcpusOf(type)], [architecture, vcpus]);
  });
}

test("another form of name tells nothing", () => {
  for (const type of ["u-6tb1.metal", "small", ""]) assert.equal(vcpusOf(type), undefined);
});
