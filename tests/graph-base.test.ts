// The machines themselves in the resource graph: looked at before anything changes, then their base, then everything else.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { LocalHost, SoftmapProject, Workers, type BaseArgs } from "../components";
import { baseFiles, units } from "../plan/names";
import { Graph, payloadIn } from "./graphKit";
import { mockEngine, type Registered } from "./mocks";

describe("the base of two workers and a balancer", () => {
  let graph: Graph;
  before(async () => {
    graph = await Graph.of();
  });
  const machines = ["north", "south", "west"];

  test("no machine is changed before every machine has been looked at; the base goes to one first", () => {
    const looks = ["hosts-north", "hosts-south", "hosts-west"];
    assert.deepEqual(graph.before("hosts-looked", ""), looks);
    for (const machine of machines)
      assert.deepEqual(graph.before(`hosts-${machine}-base`, "-looked"), ["hosts-looked"]);
    assert.deepEqual(graph.before("hosts-north-base", "th-base"), []);
    for (const later of ["south", "west"])
      assert.deepEqual(graph.before(`hosts-${later}-base`, "th-base"), ["hosts-north-base"]);
  });

  test("whatever a component does on a machine waits for its base", () => {
    for (const name of ["workers-south", "workers-west", "balancer-north"]) {
      const [, machine] = name.split("-");
      assert.deepEqual(graph.before(name, "-base"), [`hosts-${machine}-base`]);
    }
  });

  test("each is looked at with what it is to do", () => {
    const preflight = (machine: string) => payloadIn(graph.named(`hosts-${machine}`).inputs["preflight"]);
    assert.deepEqual(preflight("north"), {
      host: "north",
      roles: ["balancer", "publisher"],
      firewall: true,
      openPorts: [],
    });
    assert.deepEqual((preflight("south") as { roles?: string[] }).roles, ["worker"]);
  });

  test("the base holds its files and units, and no key", () => {
    const { role, owner, files = [], state, services = [] } = graph.payload("hosts-south-base");
    assert.deepEqual([role, owner, state], ["base", "hosts on south", []]);
    const placed = Object.fromEntries(files.flatMap(({ path, install }) => (install ? [[path, install.path]] : [])));
    assert.equal(placed[baseFiles.kernel.path], "/etc/sysctl.d/60-softmap.conf");
    assert.equal(Object.keys(placed).length, 7);
    assert.deepEqual(
      services.map(({ unit, standby = false }) => [unit, standby]),
      [
        [units.firewall, false],
        [units.firewallPath, false],
        [units.base, false],
        [units.renewTimer, false],
      ],
    );
  });

  test("its firewall is tried before it is loaded and missed when it is gone; what a machine cannot do is read back", () => {
    const { services = [] } = graph.payload("hosts-south-base");
    const [firewall, , base] = services;
    assert.deepEqual(firewall?.verify, ["/bin/sh", "{release}/base/firewall.sh", "{release}/base/firewall.nft"]);
    assert.deepEqual(firewall.holds, ["/usr/sbin/nft", "list", "table", "inet", "softmap"]);
    assert.equal(base?.notes, "/run/softmap/base.notes");
  });

  test("no two machines renew their services at the same time", () => {
    const times = graph
      .ofType(":RenderedConfig")
      .flatMap(({ name, inputs }) =>
        name.endsWith("-renew-timer") ? [/OnCalendar=\*-\*-\* (\d\d:\d\d)/.exec(String(inputs["text"]))?.[1]] : [],
      );
    assert.equal(times.length, 3);
    assert.equal(new Set(times).size, 3);
  });

  test("it takes its own away with the machine", () => {
    const { roles, owner } = payloadIn(graph.named("hosts-west").inputs["leave"]);
    assert.deepEqual([roles, owner], [["base"], "hosts on west"]);
  });
});

describe("this machine", () => {
  /** A program with this machine as its only worker. */
  async function here(args: BaseArgs = {}): Promise<readonly Registered[]> {
    const engine = await mockEngine();
    const host = new LocalHost("here", args);
    const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org" }] });
    new Workers("workers", { hosts: host.workers, projects: [news] });
    await engine.settled();
    return engine.resources;
  }
  const named = (resources: readonly Registered[], name: string) =>
    resources.find((one) => one.name === name) ?? assert.fail(`${name} is missing`);

  test("its steps are processes of this program, and nobody is dialled", async () => {
    const resources = await here();
    assert.deepEqual(
      resources.filter(({ type }) => type === "command:remote:Command"),
      [],
    );
    const release = named(resources, "workers-here-release");
    assert.equal(release.type, "command:local:Command");
    assert.ok(release.secretInputs.includes("stdin"));
    assert.equal(named(resources, "workers-here").inputs["connection"], undefined);
  });

  test("its base is left alone unless asked for: looked at, and nothing is sent", async () => {
    const without = named(await here(), "here-here-base");
    assert.equal(without.inputs["create"], undefined);
    assert.equal(payloadIn(without.inputs["stdin"]).role, undefined, "what an update would send is the removal");
    const base = named(await here({ base: true, firewall: false }), "here-here-base");
    assert.notEqual(base.inputs["create"], undefined);
    const [firewall] = payloadIn(base.inputs["stdin"]).services ?? [];
    assert.deepEqual(
      [firewall?.unit, firewall?.standby],
      [units.firewall, true],
      "it stands by: off, and gone if it was on",
    );
  });

  test("a wrong name is refused before anything is made", async () => {
    await mockEngine();
    assert.throws(() => new LocalHost("here", { host: "a_b" }), pulumi.RunError);
  });
});
