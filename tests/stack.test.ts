// The stack program and the example program over the whole resource graph: each topology of the guide is config alone.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { keysOfSeed } from "../onion/keys";
import { payloadIn } from "./graphKit";
import { mockEngine, type Registered } from "./mocks";
import { hostKey, pretendLab, program } from "./programKit";

/** The value of an output. */
const valueOf = <T>(output: unknown): Promise<T> => (output as { promise(): Promise<T> }).promise();

const namesOf = (resources: readonly Registered[], end: string): string[] =>
  resources.flatMap(({ name }) => (name.endsWith(end) ? [name] : [])).sort();

describe("the stack program", () => {
  before(pretendLab);
  const example = (name: string) =>
    (parse(readFileSync(join("examples", "config", name), "utf8")) as { config: Record<string, unknown> }).config;

  // Machines, releases and publications of each topology of the guide, with softmapTorWorkers as its example has it.
  const topologies = {
    "softmap-1.yaml": { machines: ["balancer1"], workers: ["balancer1"] },
    "softmap-2.yaml": { machines: ["balancer1", "worker1"], workers: ["balancer1", "worker1"] },
    "softmap-3.yaml": { machines: ["balancer1", "worker1", "worker2"], workers: ["balancer1", "worker1", "worker2"] },
    "softmap-4.yaml": { machines: ["balancer1", "worker1", "worker2"], workers: ["worker1", "worker2"] },
  };
  for (const [name, { machines, workers }] of Object.entries(topologies)) {
    test(`${name}: ${machines.length} machines, ${workers.length} of them workers`, async () => {
      const resources = await program("../index.ts", example(name));
      const hosts = resources.filter(({ type }) => type.endsWith("lab:Host")).map((host) => host.name);
      assert.deepEqual(
        hosts.sort(),
        machines.map((machine) => `hosts-${machine}`),
      );
      assert.deepEqual(
        namesOf(resources, "-release"),
        ["balancer-balancer1-release", ...workers.map((worker) => `workers-${worker}-release`)].sort(),
      );
      assert.deepEqual(namesOf(resources, "-publish"), ["balancer-balancer1-publish"]);
    });
  }

  test("every example of a config is one of those, or runs as well", async () => {
    for (const name of readdirSync(join("examples", "config"))) {
      if (name in topologies) continue;
      const config = example(name);
      const login = config["softmap:hosts"] as { privateKeyFile?: string };
      if (login.privateKeyFile !== undefined)
        login.privateKeyFile = join(process.env["XDG_CACHE_HOME"] ?? "", "softmap", "labs", "dev", "id");
      delete config["softmap:siteKeys"];
      const sites = (config["softmap:projects"] as { sites: { onion?: string }[] }[]).flatMap(
        (project) => project.sites,
      );
      for (const site of sites) delete site.onion;
      assert.ok(namesOf(await program("../index.ts", config), "-publish").length > 0, name);
    }
  });

  test("how to reach each machine is an output, and a secret; addresses and backends are none", async () => {
    const outputs: Record<string, pulumi.Output<unknown>> = {};
    await program("../index.ts", example("softmap-2.yaml"), { outputs });
    assert.deepEqual(Object.keys(outputs).sort(), [
      "addresses",
      "backends",
      "certificates",
      "machines",
      "monitoring",
      "published",
    ]);
    const machines = await valueOf<Record<string, Record<string, unknown>>>(outputs["machines"]);
    assert.deepEqual(Object.keys(machines).sort(), ["balancer1", "worker1"]);
    for (const connection of Object.values(machines)) {
      assert.deepEqual(
        [connection["host"], connection["user"], connection["hostKey"]],
        ["192.0.2.1", "operator", hostKey],
      );
      assert.equal(connection["privateKey"], "not a key");
    }
    for (const [name, output] of Object.entries(outputs))
      assert.equal(await pulumi.isSecret(pulumi.output(output)), name === "machines", name);
  });

  test("blue/green: the green balancer stands by, the green workers are warm, and the roll-out is the config's", async () => {
    const resources = await program("../index.ts", example("blue-green.yaml"));
    const payload = (step: string) => payloadIn(resources.find(({ name }) => name === step)?.inputs["stdin"]);
    const [blue, green] = ["blue", "green"].map((side) => payload(`balancer-${side}-balancer-publish`));
    assert.deepEqual(
      [blue, green].map((publication) => publication?.services?.[0]?.standby),
      [false, true],
    );
    for (const publication of [blue, green]) {
      assert.deepEqual(
        publication?.frontends?.map(({ backends }) => backends.length),
        [9, 9],
      );
      assert.equal(publication?.warm?.length, 9);
      assert.equal(publication?.rollbackSeconds, 72 * 3600);
    }
    assert.equal(payload("workers-green3-release").pauseSeconds, 60);
    assert.deepEqual(
      resources
        .find(({ name }) => name === "workers-green3-release")
        ?.waitsFor.filter((name) => name.endsWith("-release")),
      ["workers-blue2-release", "workers-blue3-release", "workers-green1-release"],
    );
    assert.equal(payload("balancer-blue1-retire").drainSeconds, 300);
  });

  test("a config with problems registers nothing, and all of them are in one report", async () => {
    const config = { ...example("softmap-4.yaml"), "softmap:wrokers": 3, "softmap:retireGrace": "soon" };
    const engine = await mockEngine();
    await assert.rejects(program("../index.ts", config), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error), "printed without a stack trace");
      assert.match(error.message, /^2 problems in the configuration:/);
      assert.match(error.message, /wrokers[^]*workers/);
      assert.match(error.message, /retireGrace/);
      return true;
    });
    assert.deepEqual(engine.resources, []);
  });
});

describe("site keys in the config", () => {
  before(pretendLab);
  const keys = keysOfSeed(new Uint8Array(32).fill(7));
  const key = Buffer.from(keys.secretFile).toString("base64");
  const site = { domain: "www.example.org", onion: keys.address };
  const config = (value: string) => ({
    "softmap:hosts": { provider: "lab" },
    "softmap:projects": [{ name: "news", sites: [site] }],
    "softmap:siteKeys": { "www.example.org": value },
  });
  const adopted = (resources: readonly Registered[]) =>
    resources.find((one) => one.type.endsWith(":OnionKey") && one.outputs["address"] === keys.address);

  test("in plain text: refused before anything exists, without the key", async () => {
    const engine = await mockEngine();
    await assert.rejects(program("../index.ts", config(key)), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(error.message, /siteKeys: www\.example\.org\n.*plain text.*\n.*--secret --path 'softmap:siteKeys/);
      return !error.message.includes(key.slice(0, 20));
    });
    assert.deepEqual(engine.resources, []);
  });

  test("as a secret: adopted, and secret from there on", async () => {
    const made = adopted(await program("../index.ts", config(key), { secrets: ["softmap:siteKeys"] }));
    assert.ok(made?.secretInputs.includes("secretKey"));
  });

  test("as the path of a file: no secret, and adopted", async () => {
    const file = join(process.env["XDG_CACHE_HOME"] ?? "", "hs_ed25519_secret_key");
    writeFileSync(file, keys.secretFile);
    assert.ok(adopted(await program("../index.ts", config(file))));
  });
});

describe("the example program of one's own", () => {
  test("deploys its two projects to its three machines", async () => {
    const config = Object.fromEntries(
      ["northHostKey", "southHostKey", "westHostKey"].map((key) => [`softmap:${key}`, hostKey]),
    );
    const resources = await program("../examples/own-program/index.ts", { ...config, "softmap:sshKey": "not a key" });
    assert.deepEqual(namesOf(resources, "-release"), [
      "balancer-north-release",
      "workers-south-release",
      "workers-west-release",
    ]);
    assert.deepEqual(namesOf(resources, "-publish"), ["balancer-north-publish"]);
  });
});
