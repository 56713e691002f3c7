import assert from "node:assert/strict";
import { test } from "node:test";
import { lockProof, lockText } from "./egress";

const model = { table: "softmap_x", bridge: "podman7", subnet: "10.70.1", mirror: ["203.0.113.80", "203.0.113.81"] };

test("the lock ends in a drop for whatever enters from the bridge, under any source address", () => {
  const text = lockText(model);
  for (const line of lockProof(model)) assert.ok(text.includes(line), line);
  const forward = text.slice(text.indexOf("chain labforward"), text.indexOf("chain labinput"));
  const rules = forward.split("\n").filter((line) => line.includes('iifname "podman7"'));
  assert.match(rules.at(-1) ?? "", /^ {4}iifname "podman7" counter name "refused" drop$/);
});

test("the only ways out are the lab itself and the package mirror's web ports", () => {
  const accepts = lockText(model)
    .split("\n")
    .filter((line) => /^ {4}iifname .* accept$/.test(line));
  assert.deepEqual(accepts, [
    '    iifname "podman7" oifname "podman7" accept',
    '    iifname "podman7" ip saddr 10.70.1.0/24 ip daddr @mirror tcp dport { 80, 443 } accept',
    '    iifname "podman7" ct state established,related accept',
  ]);
});

test("a lock without a mirror has an empty set", () => {
  assert.match(lockText({ ...model, mirror: [] }), /set mirror \{ type ipv4_addr; \}/);
});
