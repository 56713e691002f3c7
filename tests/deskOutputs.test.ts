// What a program of one's own exports for the desk, and what the desk makes of it: the two must know the same names.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { deployedStackOf } from "../cli/stack";
import { hostKey, program } from "./programKit";

test("the desk reads the outputs of the example program: machines, backends, sites", async () => {
  const pinned = ["north", "south", "west"].map((name) => [`softmap:${name}HostKey`, hostKey] as const);
  const outputs: Record<string, unknown> = {};
  await program(
    "../examples/own-program/index.ts",
    { ...Object.fromEntries(pinned), "softmap:sshKey": "not a key" },
    { outputs },
  );
  assert.equal(await pulumi.isSecret(outputs["machines"] as pulumi.Output<unknown>), true);
  const known = await new Promise((resolve) => pulumi.output(outputs).apply(resolve));
  const stack = deployedStackOf("organization/own-program/test", JSON.stringify(known));
  assert.deepEqual([...stack.machines.keys()].sort(), ["north", "south", "west"]);
  assert.deepEqual([stack.machines.get("south")?.host, stack.machines.get("south")?.hostKey], ["192.0.2.11", hostKey]);
  assert.deepEqual([stack.balancers, stack.workers], [["north"], ["south", "west"]]);
  assert.equal(stack.backends.length, 6);
  assert.deepEqual(
    stack.sites.map(({ project, domain }) => `${project} ${domain}`),
    ["news www.example.org", "tips tips.example.org"],
  );
});
