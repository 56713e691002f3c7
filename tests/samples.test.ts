// What payloads are like, for zlib (host/pack.ts, `samples`): what the steps of a small stack are given. UPDATE_GOLDEN=1 writes it anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Balancer, SoftmapProject, SshHosts, Workers } from "../components";
import { canonical, samples } from "../host/pack";
import { hostKey, payloadIn } from "./graphKit";
import { mockEngine } from "./mocks";

/** What each step is given, in a stack with one site. */
async function given(): Promise<(name: string) => string> {
  const engine = await mockEngine();
  const machine = (name: string, i: number) => ({ name, address: `192.0.2.${10 + i}`, hostKey });
  const hosts = new SshHosts("hosts", {
    user: "admin",
    privateKey: "not a key",
    balancers: [machine("balancer1", 0)],
    workers: [machine("worker1", 1)],
  });
  const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org" }] });
  const workers = new Workers("workers", { hosts: hosts.workers, projects: [news] });
  new Balancer("balancer", { hosts: hosts.balancers, publishes: workers });
  await engine.settled();
  return (name) => {
    const found = engine.resources.find((each) => each.name === name);
    return anonymous(canonical(payloadIn(found?.inputs["stdin"])));
  };
}

/** Without what is another one in each stack: keys, addresses, generations. */
function anonymous(payload: string): string {
  return payload
    .replace(/"base64":"[^"]*"/g, '"base64":""')
    .replace(/[a-z2-7]{56}/g, "")
    .replace(/\b(news-\d)-[0-9a-f]{4}\b/g, "$1-0000")
    .replace(/(mark = \\")\w+/g, "$1");
}

/** zlib looks back 32 kB, and finds what a payload shares with a sample as long as what it has before is no more than the rest of that. */
const most = 28_000;

test("the samples are what a small stack sends", async () => {
  const of = await given();
  const steps = {
    base: "hosts-worker1-base",
    balancer: "balancer-balancer1-release",
    publisher: "balancer-balancer1-publish",
    worker: "workers-worker1-release",
  };
  for (const [role, step] of Object.entries(steps)) {
    const text = of(step).slice(0, most);
    const file = join(__dirname, "..", "host", "samples", `${role}.txt`);
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
    assert.ok(text === readFileSync(file, "utf8"), `${role}.txt is not what a stack sends: UPDATE_GOLDEN=1`);
  }
  assert.deepEqual(Object.keys(steps).sort(), Object.keys(samples()).sort());
});
