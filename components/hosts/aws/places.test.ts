import assert from "node:assert/strict";
import { test } from "node:test";
import { subnetCidr } from "./places";

test("a zone's subnet is an eighth of the network, by the zone's letter", () => {
  const of = (cidr: string, letters: string) => [...letters].map((letter) => subnetCidr(cidr, `eu-central-1${letter}`));
  assert.deepEqual(of("10.77.0.0/16", "abch"), ["10.77.0.0/19", "10.77.32.0/19", "10.77.64.0/19", "10.77.224.0/19"]);
  assert.deepEqual(of("192.168.3.0/24", "ah"), ["192.168.3.0/27", "192.168.3.224/27"]);
  assert.deepEqual(of("172.31.48.0/20", "bh"), ["172.31.50.0/23", "172.31.62.0/23"]);
  // An address within the network names the same one.
  assert.deepEqual(of("10.77.1.2/16", "a"), ["10.77.0.0/19"]);
});

test("no two zones of a region overlap", () => {
  for (const cidr of ["10.0.0.0/16", "192.168.255.0/24", "172.16.16.0/21"])
    assert.equal(new Set([..."abcdefgh"].map((letter) => subnetCidr(cidr, `us-east-1${letter}`))).size, 8, cidr);
});
