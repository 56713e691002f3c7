import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Graph, hostKey, operatorKey, payloadIn, readable } from "./graphKit";

describe("the resource graph of two projects on two workers and one balancer", () => {
  let graph: Graph;
  before(async () => {
    graph = await Graph.of();
  });
  const commands = () => graph.ofType("command:remote:Command");
  /** Names with `-GENERATION` for a generation: it is a hash, and another one with each change of tor's unit. */
  const namesOf = (type: string) =>
    graph
      .ofType(type)
      .map(({ name }) => name.replace(/(?<=-\d)-[0-9a-f]{4}\b/, "-GENERATION"))
      .sort();

  test("a key for every site and every backend of this generation, and no more", () => {
    assert.deepEqual(namesOf(":OnionKey"), [
      "shop.example.org",
      "tips.example.org",
      "workers-news-south-1-GENERATION",
      "workers-news-south-2-GENERATION",
      "workers-news-west-1-GENERATION",
      "workers-news-west-2-GENERATION",
      "workers-tips-south-1-GENERATION",
      "workers-tips-west-1-GENERATION",
      "www.example.org",
    ]);
  });

  /** Without the machines' base: graph-base.test.ts. */
  const ofComponents = (type: string) => namesOf(type).filter((name) => !name.startsWith("hosts-"));

  test("one release for each host, one publication, one retirement for each worker", () => {
    assert.deepEqual(ofComponents("command:remote:Command"), [
      "balancer-north-publish",
      "balancer-north-release",
      "balancer-south-retire",
      "balancer-west-retire",
      "workers-south-release",
      "workers-west-release",
    ]);
  });

  test("an installation for each machine and component; a plan of services for each balancer and one for all workers; one roll call", () => {
    assert.deepEqual(ofComponents("softmap:Installation"), ["balancer-north", "workers-south", "workers-west"]);
    assert.deepEqual(namesOf("softmap:ServicePlan"), ["balancer-north-services", "workers-services"]);
    assert.deepEqual(graph.named("workers-services").inputs["hosts"], ["south", "west"]);
    assert.deepEqual(namesOf("softmap:RollCall"), ["balancer-roll-call"]);
  });

  test("each is a child of its component, and the components are the program's own", () => {
    for (const { name, type, parent } of graph.resources) {
      if (type.startsWith("softmap:index:")) assert.equal(parent, "", name);
      else if (/^(workers|balancer|hosts)-/.test(name)) assert.equal(parent, name.split("-")[0], name);
      else assert.equal(parent, name.startsWith("tips.") ? "tips" : "news", name);
    }
  });

  test("a first deploy dials nobody for what may come later: nothing is due, and no step has a delete", () => {
    for (const { name, inputs } of commands()) {
      assert.equal(inputs["create"] === undefined, name.endsWith("-retire"), name);
      assert.equal(inputs["update"] ?? inputs["delete"], undefined, name);
    }
  });

  test("each machine's roles have an owner, and the same one takes them away: of a worker that is its own component alone", () => {
    for (const step of ["release", "publish"])
      assert.equal(graph.payload(`balancer-north-${step}`).owner, "balancer on north");
    for (const step of ["workers-south-release", "balancer-south-retire"])
      assert.equal(graph.payload(step).owner, "workers on south", step);
    const leave = (name: string) => payloadIn(graph.named(name).inputs["leave"]);
    assert.deepEqual(
      [leave("balancer-north").owner, leave("balancer-north").roles],
      ["balancer on north", ["publisher", "balancer"]],
    );
    assert.deepEqual([leave("workers-south").owner, leave("workers-south").roles], ["workers on south", ["worker"]]);
  });

  test("what an installation runs on its host at a removal keeps nothing, and drains workers first", () => {
    const { keepServices, keepFiles, keepStateDirs, drainSeconds } = payloadIn(
      graph.named("workers-west").inputs["leave"],
    );
    assert.deepEqual([keepServices, keepFiles, keepStateDirs, drainSeconds], [[], [], [], 120]);
  });

  test("a site's key on the balancer is for Onionbalance's user alone: the tor beside it is in its group", () => {
    const { state = [], dirs = [] } = graph.payload("balancer-north-publish");
    const own = { owner: "softmap-onionbalance", group: "softmap-onionbalance" };
    assert.equal(state.length, 3);
    for (const { path, base64: _, ...ownership } of state) {
      assert.match(path, /\/keys\/[a-z2-7]{56}\.key$/);
      assert.deepEqual(ownership, { ...own, mode: "0400" });
    }
    assert.deepEqual(
      dirs.map(({ path, ...ownership }) => [path.split("/").at(-1), ownership]),
      [
        ["keys", { ...own, mode: "0700" }],
        ["leave-out", { owner: "root", group: own.group, mode: "0750" }],
      ],
    );
  });

  test("every connection is pinned and secret", () => {
    for (const { name, inputs, secretInputs } of [...commands(), ...graph.ofType("softmap:Installation")]) {
      const connection = inputs["connection"] as Record<string, unknown>;
      assert.equal(connection["hostKey"], hostKey, name);
      assert.ok(secretInputs.includes("connection"), name);
    }
    for (const { name, inputs } of commands()) assert.equal(inputs["addPreviousOutputInEnv"], false, name);
  });

  test("keys travel on stdin alone: no other input of any resource has one, the programs of an installation neither", () => {
    const keys = graph.resources.flatMap(({ outputs }) =>
      typeof outputs["secretKey"] === "string" ? [outputs["secretKey"]] : [],
    );
    assert.equal(keys.length, 9);
    const holders = new Set<string>();
    for (const { name, type, inputs, secretInputs } of graph.resources) {
      if (type.endsWith(":OnionKey")) continue;
      for (const [property, value] of Object.entries(inputs)) {
        const text = typeof value === "string" ? readable(value) : (JSON.stringify(value) ?? "");
        if (!keys.some((key) => text.includes(key)) && !text.includes(operatorKey)) continue;
        holders.add(property);
        assert.ok(secretInputs.includes(property), `${name}.${property} holds a key and is no secret`);
      }
    }
    assert.deepEqual([...holders].sort(), ["connection", "stdin"]);
  });

  test("a worker gets the keys of its own backends, and never a site's", () => {
    const stdin = readable(graph.named("workers-south-release").inputs["stdin"]);
    const key = (name: string) => String(graph.named(name).outputs["secretKey"]);
    for (const own of ["workers-news-south-1", "workers-news-south-2", "workers-tips-south-1"])
      assert.ok(stdin.includes(key(own)), own);
    for (const foreign of ["workers-news-west-1", "workers-tips-west-1", "www.example.org", "tips.example.org"])
      assert.ok(!stdin.includes(key(foreign)), foreign);
  });

  test("the balancer's tor is released without any key, the publication with every site's key and no backend's", () => {
    const key = (name: string) => String(graph.named(name).outputs["secretKey"]);
    const release = readable(graph.named("balancer-north-release").inputs["stdin"]);
    const publish = readable(graph.named("balancer-north-publish").inputs["stdin"]);
    for (const site of ["www.example.org", "shop.example.org", "tips.example.org"]) {
      assert.ok(!release.includes(key(site)), site);
      assert.ok(publish.includes(key(site)), site);
    }
    assert.ok(!publish.includes(key("workers-news-south-1")));
  });

  test("a project's files are rendered once, whatever the number of workers; each site is one of its own", () => {
    assert.deepEqual(ofComponents(":RenderedConfig"), [
      "balancer-onionbalance",
      "balancer-prober-torrc",
      "balancer-publisher",
      "balancer-tor-torrc",
      "balancer-unit-onionbalance",
      "balancer-unit-prober-tor",
      "balancer-unit-tor",
      "balancer-unit-watchdog",
      "workers-news-1-GENERATION-torrc",
      "workers-news-2-GENERATION-torrc",
      "workers-news-nginx",
      "workers-news-nginx-listen-http",
      "workers-news-nginx-listen-https",
      "workers-news-ob-config",
      "workers-news-shop.example.org-nginx",
      "workers-news-www.example.org-nginx",
      "workers-tips-1-GENERATION-torrc",
      "workers-tips-nginx",
      "workers-tips-nginx-listen-http",
      "workers-tips-nginx-listen-https",
      "workers-tips-ob-config",
      "workers-tips-tips.example.org-nginx",
      "workers-unit-nginx",
      "workers-unit-tor",
    ]);
  });

  test("Onionbalance lists each site with exactly its project's backends", () => {
    const text = String(graph.named("balancer-onionbalance").inputs["text"]);
    const service = (site: string) =>
      text.split(/^\s*- key:/m).find((part) => part.includes(graph.address(site))) ?? "";
    const backends = ["news-south-1", "news-south-2", "news-west-1", "news-west-2", "tips-south-1", "tips-west-1"];
    const listed = (site: string) =>
      backends.filter((backend) => service(site).includes(graph.address(`workers-${backend}`)));
    assert.deepEqual(listed("www.example.org"), backends.slice(0, 4));
    assert.deepEqual(listed("tips.example.org"), backends.slice(4));
  });

  test("a release proves every site at its own address through each backend of its own machine", () => {
    const { proof = [] } = graph.payload("workers-south-release");
    assert.deepEqual(
      proof.map(({ project, sites, backends }) => [
        project,
        sites.map(({ address }) => address.replace(/\.onion$/, "")),
        backends.map(({ name, address }) => [name, address.replace(/\.onion$/, "")]),
      ]),
      [
        [
          "news",
          [graph.address("www.example.org"), graph.address("shop.example.org")],
          ["news-south-1", "news-south-2"].map((name) => [name, graph.address(`workers-${name}`)]),
        ],
        ["tips", [graph.address("tips.example.org")], [["tips-south-1", graph.address("workers-tips-south-1")]]],
      ],
    );
  });

  test("names lead to their room: a child's begins with its component's; a site's key has the domain alone, whatever its project", () => {
    for (const { name, type } of graph.resources) {
      if (type.startsWith("softmap:index:")) continue;
      assert.match(name, /^(hosts|workers|balancer)-|^(www|shop|tips)\.example\.org$/);
    }
  });

  test("what restarts backends runs the proof again: it is in the publication", () => {
    assert.match(graph.payload("balancer-north-publish").backendsRunOn ?? "", /^[0-9a-f]{64}$/);
  });

  test("a machine is knocked at and its services are planned before anything is done to it; the roll call is the last of all", () => {
    for (const [machine, plan] of [
      ["workers-south", "workers-services"],
      ["workers-west", "workers-services"],
      ["balancer-north", "balancer-north-services"],
    ] as const) {
      const { waitsFor } = graph.named(`${machine}-release`);
      for (const first of [machine, plan]) assert.ok(waitsFor.includes(first), `${machine} and ${first}`);
    }
    assert.deepEqual(graph.before("balancer-north-publish", "-release"), [
      "balancer-north-release",
      "workers-south-release",
      "workers-west-release",
    ]);
    for (const step of ["balancer-south-retire", "balancer-west-retire"]) {
      assert.deepEqual(graph.before(step, "-publish"), ["balancer-north-publish"]);
      assert.ok(graph.named("balancer-roll-call").waitsFor.includes(step));
    }
    assert.deepEqual(graph.named("balancer-roll-call").inputs["silent"], []);
  });
});
