import assert from "node:assert/strict";
import { test } from "node:test";
import { methodsOf } from "../tests/closure";
import { rollCallProvider } from "./rollCallProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const provider = methodsOf<object>(rollCallProvider);
const dead = (host: string, component: string) => ({
  host,
  component,
  why: `nobody answers at ${host}:22 within 15 s`,
});

test("all answered: it is made, and a second time nothing changes", async () => {
  const { outs } = await provider.create({ silent: [] });
  assert.deepEqual(outs, { silent: [] });
  assert.deepEqual(await provider.diff("id", outs, { silent: [] }), { changes: false });
  assert.deepEqual(await provider.update("id", outs, { silent: [] }), { outs });
});

test("it fails where resources are made, with one report that names every host, what is undone there, and the next step", async () => {
  const silent = [dead("balancer1", "balancer"), dead("worker2", "workers")];
  const report = [
    "2 hosts did not answer and were left out; all others are done.",
    "  balancer1: nobody answers at balancer1:22 within 15 s. Nothing was done there for balancer.",
    "  worker2: nobody answers at worker2:22 within 15 s. Nothing was done there for workers.",
    "  Next: start them and run `pulumi up` again, or remove them from balancers and workers in the config.",
  ].join("\n");
  await assert.rejects(provider.create({ silent }), { message: report });
  await assert.rejects(provider.update("id", { silent: [] }, { silent }), { message: report });
});

test("one machine with two components is one host", async () => {
  const silent = [dead("h1", "balancer"), dead("h1", "workers")];
  await assert.rejects(provider.create({ silent }), {
    message:
      /^h1 did not answer and was left out; all others are done\.\n {2}h1: [^\n]+balancer\.\n {2}h1: [^\n]+workers\.\n {2}Next: start it /,
  });
});

test("somebody silent is a change each time; what is not known yet is none", async () => {
  const silent = [dead("h1", "workers")];
  assert.deepEqual(await provider.diff("id", { silent: [] }, { silent }), { changes: true });
  assert.deepEqual(await provider.diff("id", { silent }, { silent }), { changes: true });
  assert.deepEqual(await provider.diff("id", { silent: [] }, { silent: unknown }), { changes: false });
});
