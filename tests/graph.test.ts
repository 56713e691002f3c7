import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { Balancer, SoftmapProject, SshHosts, Workers } from "../components";
import { mockEngine, type Registered } from "./mocks";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const canary = "CANARY-OPERATOR-KEY";

describe("the resource graph of two projects on two workers and one balancer", () => {
  let resources: Registered[];
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const named = (name: string) => {
    const found = resources.find((resource) => resource.name === name);
    assert.ok(found, `${name} is missing; there are ${resources.map((r) => r.name).join(", ")}`);
    return found;
  };

  before(async () => {
    const engine = await mockEngine();
    resources = engine.resources;
    const machine = (name: string, last: number) => ({ name, address: `192.0.2.${last}`, hostKey });
    const hosts = new SshHosts("hosts", {
      user: "admin",
      privateKey: pulumi.secret(canary),
      balancers: [machine("north", 10)],
      workers: [machine("south", 11), machine("west", 12)],
    });
    const news = new SoftmapProject("news", {
      sites: [{ domain: "www.example.org", subdomains: ["cdn"] }, { domain: "shop.example.org" }],
    });
    const tips = new SoftmapProject("tips", { sites: [{ domain: "tips.example.org" }], softmapTorWorkers: 1 });
    const workers = new Workers("workers", { hosts: hosts.workers, projects: [news, tips] });
    new Balancer("balancer", { hosts: hosts.balancers, publishes: workers });
    await engine.settled();
  });

  test("a key for every site and every backend, and no more", () => {
    const keys = resources.filter((resource) => resource.type.endsWith(":OnionKey")).map((resource) => resource.name);
    assert.deepEqual(keys.sort(), [
      "shop.example.org",
      "tips.example.org",
      "workers-news-south-1",
      "workers-news-south-2",
      "workers-news-west-1",
      "workers-news-west-2",
      "workers-tips-south-1",
      "workers-tips-west-1",
      "www.example.org",
    ]);
  });

  test("one release for each host, one publication, one retirement for each worker, one leave for each machine and component", () => {
    assert.deepEqual(
      ofType("command:remote:Command")
        .map((resource) => resource.name)
        .sort(),
      [
        "balancer-north-leave",
        "balancer-north-publish",
        "balancer-north-release",
        "balancer-south-retire",
        "balancer-west-retire",
        "workers-south-leave",
        "workers-south-release",
        "workers-west-leave",
        "workers-west-release",
      ],
    );
  });

  test("a first deploy dials nobody for retirement: those steps have no create", () => {
    for (const { name, inputs } of ofType("command:remote:Command")) {
      const tidies = name.endsWith("-retire") || name.endsWith("-leave");
      assert.equal("create" in inputs, !tidies, name);
      assert.equal("delete" in inputs, name.endsWith("-leave"), name);
    }
  });

  test("each machine's roles have an owner, and the same one takes them away: of a worker that is its own component alone", () => {
    const owner = (name: string) => /\\"owner\\":\\"(\w+\/\w+)\\"/.exec(String(named(name).inputs["stdin"]))?.[1];
    for (const step of ["release", "publish", "leave"]) assert.equal(owner(`balancer-north-${step}`), "balancer/north");
    for (const name of ["workers-south-release", "workers-south-leave", "balancer-south-retire"])
      assert.equal(owner(name), "workers/south", name);
  });

  test("a site's key on the balancer is for Onionbalance's user alone: the tor beside it is in its group", () => {
    const stdin = String(named("balancer-north-publish").inputs["stdin"]).replaceAll('\\"', '"');
    const own = (mode: string, path: string) =>
      new RegExp(
        `"group":"softmap-onionbalance","mode":"${mode}","owner":"softmap-onionbalance","path":"[^"]*${path}"`,
        "g",
      );
    assert.equal(stdin.match(own("0400", "\\.key"))?.length, 3);
    assert.equal(stdin.match(own("0700", "/keys"))?.length, 1);
  });

  test("every connection is pinned, secret and patient", () => {
    for (const { name, inputs, secretInputs } of ofType("command:remote:Command")) {
      const connection = inputs["connection"] as Record<string, unknown>;
      assert.equal(connection["hostKey"], hostKey, name);
      assert.ok(secretInputs.includes("connection"), name);
      assert.equal(inputs["addPreviousOutputInEnv"], false, name);
    }
  });

  test("keys travel on stdin alone: no other input of any resource has one", () => {
    const keys = resources.flatMap(({ outputs }) =>
      typeof outputs["secretKey"] === "string" ? [outputs["secretKey"]] : [],
    );
    assert.equal(keys.length, 9);
    for (const { name, type, inputs, secretInputs } of resources) {
      if (type.endsWith(":OnionKey")) continue;
      for (const [property, value] of Object.entries(inputs)) {
        const text = JSON.stringify(value) ?? "";
        const holds = keys.some((key) => text.includes(key)) || text.includes(canary);
        if (holds) assert.ok(secretInputs.includes(property), `${name}.${property} holds a key and is no secret`);
      }
    }
  });

  test("a worker gets the keys of its own backends, and never a site's", () => {
    const stdin = String(named("workers-south-release").inputs["stdin"]);
    const key = (name: string) => String(named(name).outputs["secretKey"]);
    for (const own of ["workers-news-south-1", "workers-news-south-2", "workers-tips-south-1"])
      assert.ok(stdin.includes(key(own)), own);
    for (const foreign of ["workers-news-west-1", "workers-tips-west-1", "www.example.org", "tips.example.org"]) {
      assert.ok(!stdin.includes(key(foreign)), foreign);
    }
  });

  test("the balancer's tor is released without any key, the publication with every site's key and no backend's", () => {
    const key = (name: string) => String(named(name).outputs["secretKey"]);
    const release = String(named("balancer-north-release").inputs["stdin"]);
    const publish = String(named("balancer-north-publish").inputs["stdin"]);
    for (const site of ["www.example.org", "shop.example.org", "tips.example.org"]) {
      assert.ok(!release.includes(key(site)), site);
      assert.ok(publish.includes(key(site)), site);
    }
    assert.ok(!publish.includes(key("workers-news-south-1")));
  });

  test("a project's files are rendered once, whatever the number of workers", () => {
    const files = resources
      .filter((resource) => resource.type.endsWith(":RenderedConfig"))
      .map((resource) => resource.name);
    assert.deepEqual(files.sort(), [
      "balancer-onionbalance",
      "balancer-tor-torrc",
      "balancer-unit-onionbalance",
      "balancer-unit-tor",
      "workers-news-1-torrc",
      "workers-news-2-torrc",
      "workers-news-nginx",
      "workers-news-ob-config",
      "workers-tips-1-torrc",
      "workers-tips-nginx",
      "workers-tips-ob-config",
      "workers-unit-nginx",
      "workers-unit-tor",
    ]);
  });

  test("Onionbalance lists each site with exactly its project's backends", () => {
    const text = String(named("balancer-onionbalance").inputs["text"]);
    const address = (name: string) => String(named(name).outputs["address"]).replace(/\.onion$/, "");
    const service = (site: string) => text.split(/^\s*- key:/m).find((part) => part.includes(address(site))) ?? "";
    const backends = ["news-south-1", "news-south-2", "news-west-1", "news-west-2", "tips-south-1", "tips-west-1"];
    const listed = (site: string) =>
      backends.filter((backend) => service(site).includes(address(`workers-${backend}`)));
    assert.deepEqual(listed("www.example.org"), backends.slice(0, 4));
    assert.deepEqual(listed("tips.example.org"), backends.slice(4));
  });

  test("names lead to their room: a child's begins with its component's; a site's key has the domain alone, whatever its project", () => {
    for (const { name, type } of resources) {
      if (type.startsWith("softmap:index:")) continue;
      assert.match(name, /^(hosts|workers|balancer)-|^(www|shop|tips)\.example\.org$/);
    }
  });

  test("what restarts backends runs the proof again: it is in the publication", () => {
    const publish = String(named("balancer-north-publish").inputs["stdin"]);
    assert.match(publish, /backendsRunOn[^,]*[0-9a-f]{64}/);
  });
});
