// The AWS example on the lab's stand-in for EC2: instances are hosts of the lab that boot with the user data EC2 would get, run by Debian's
// cloud-init. Deploys it, resizes it, replaces an instance, loses one, meets what AWS refuses, destroys it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { execOn, labNamed, readNetwork } from "../../lab/lab";
import { pulumi } from "../../lab/pulumi";
import {
  awsEnvironment,
  fillZone,
  instancesOf,
  newImage,
  terminateByHand,
  type LabInstance,
} from "../../lab/standins/aws/account";
import { onionDir } from "../../plan/names";
import { Readers } from "./changeKit";
import { shown } from "./faultKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";

const sites = [{ domain: "www.daily.test" }, { domain: "court.test" }];

describe("a stack in AWS", { timeout: 25 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let addresses: Record<string, string> = {};
  const [daemon = ""] = daemonsOf("news", 1, sites);

  before(async () => {
    rehearsal = await Rehearsal.start("e2eaws", { environment: awsEnvironment(labNamed("e2eaws")) });
  });
  after(() => rehearsal?.end());

  /** The example as it stands, on the lab's Tor network and with its sites, and less patient. */
  const settings = (more: Settings = {}, hosts: Settings = {}): Settings => {
    const { config } = parse(readFileSync(join("examples", "config", "aws.yaml"), "utf8")) as { config: Settings };
    const example = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.replace("softmap:", ""), value]),
    );
    const { torrc } = readNetwork(rehearsal.lab);
    return {
      ...example,
      hosts: { ...(example["hosts"] as Settings), torNetwork: torrc, ...hosts },
      protectKeys: false,
      retireGrace: "3s",
      drainTimeout: "5s",
      projects: [{ name: "news", softmapTorWorkers: 1, backendHeader: true, sites }],
      ...more,
    };
  };
  const instances = () => instancesOf(rehearsal.lab).filter(({ state }) => state === "running");
  const instance = (name: string): LabInstance =>
    instances().find((one) => one.tags["Name"]?.endsWith(name)) ?? assert.fail(`no instance ${name}`);
  const on = (name: string, ...argv: string[]) => execOn(rehearsal.lab, instance(name).id, argv);
  const names = () =>
    instances()
      .map(({ tags }) => (tags["Name"] ?? "").replace(/^.*-/, ""))
      .sort();

  test("without credentials the provider says so, and nothing is made", async () => {
    rehearsal.configure(settings());
    const { AWS_ACCESS_KEY_ID: _id, AWS_SECRET_ACCESS_KEY: _key, ...environment } = rehearsal.stack.environment;
    const run = await pulumi({ ...rehearsal.stack, environment }, ["up", "--yes", "--skip-preview"]);
    assert.notEqual(run.code, 0);
    assert.match(shown(run), /No valid credential sources found/);
    assert.deepEqual(instances(), []);
  });

  test("a preview shows what will be made, and what it costs", async () => {
    const run = await rehearsal.pulumi(["preview", "--diff"]);
    assert.equal(run.code, 0, shown(run));
    assert.match(run.stdout + run.stderr, /Costs about \d+ US dollars a month at us-east-1's list prices/);
    assert.match(run.stdout, /aws:ec2\/instance:Instance: \(create\)/);
    assert.doesNotMatch(run.stdout, /PRIVATE KEY/);
    assert.deepEqual(instances(), []);
  });

  test("one up: three instances, each known by a host key of ours before it booted, and pages through Tor", async () => {
    await rehearsal.up();
    assert.deepEqual(names(), ["balancer1", "north", "south"]);
    addresses = (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"] ?? {};
    const page = await rehearsal.fetch(`http://${addresses["www.daily.test"]}/`);
    assert.equal(page.status, 200);
    assert.equal(new Set(instances().map(({ zone }) => zone)).size, 3, "each in a zone of its own");
  });

  test("cloud-init ran our user data and nothing else; the host key in it is not the machine's any more", async () => {
    for (const name of names()) {
      const status = await on(name, "cloud-init", "status");
      assert.match(status.text, /status: done/, `${name}: ${status.text}${status.stderr}`);
      const given = await on(name, "cat", "/var/lib/cloud/instance/user-data.txt");
      assert.match(given.text, /ed25519_private/);
      const key = await on(name, "cat", "/etc/ssh/ssh_host_ed25519_key");
      assert.equal(key.code, 0, key.stderr);
      const body = key.text.split("\n")[2] ?? "";
      assert.ok(body.length > 40 && !given.text.includes(body), `${name} still has the key of its user data`);
      const login = await on(name, "sh", "-c", "getent shadow softmap | cut -d: -f2; ls /home");
      assert.match(login.text, /^[!*]/, "no password");
    }
  });

  test("the base is there: what comes in is dropped but ssh, updates are on", async () => {
    const rules = await on("north", "nft", "list", "table", "inet", "softmap");
    assert.match(rules.text, /hook input/, rules.stderr);
    assert.equal((await on("north", "test", "-e", "/etc/apt/apt.conf.d/52softmap")).code, 0);
  });

  test("a second up changes nothing, a newer image neither, and nobody is dialled", async () => {
    newImage(rehearsal.lab);
    let run = "";
    const connections = await rehearsal.connections(async () => {
      run = (await rehearsal.up()).stdout;
    });
    assert.match(run, /\d+ unchanged/);
    assert.doesNotMatch(run, /\d+ (created|updated|replaced|deleted)/);
    assert.deepEqual([...new Set(Object.values(connections))], [0]);
  });

  test("larger by one, and north replaced by a machine of another name: readers notice nothing", async () => {
    const before = instance("north").id;
    rehearsal.configure(settings({ workers }));
    const readers = new Readers(rehearsal, 60);
    await readers.read(Object.values(addresses));
    try {
      const { lines } = await readers.during("AWS: a worker replaced and one more", (onLine) =>
        rehearsal.pulumi(["up", "--yes", "--skip-preview"], { onLine }),
      );
      const at = (what: RegExp) => lines.findIndex(({ text }) => what.test(text));
      const published = at(/published with 3 of 3 backends/);
      assert.ok(at(/west: release/) >= 0 && at(/west: release/) < published, "west was proved before it was listed");
      assert.ok(published < at(/north: .*(drained|stopped|removed)/), "north was drained after it was listed no more");
    } finally {
      await readers.end();
    }
    assert.deepEqual(names(), ["balancer1", "east", "south", "west"]);
    assert.ok(!instances().some(({ id }) => id === before));
  });

  test("an instance terminated by hand: refresh finds it, up makes it anew, with the address that its backend had", async () => {
    const { id } = instance("south");
    const backends = await rehearsal.output<{ name: string; address: string }[]>("backends");
    await terminateByHand(rehearsal.lab, id);
    await rehearsal.up("--refresh");
    assert.notEqual(instance("south").id, id);
    const hostname = await on("south", "cat", `${onionDir(daemon)}/hostname`);
    assert.equal(hostname.text.trim(), backends.find(({ name }) => name === "news-south-1")?.address);
    assert.equal((await rehearsal.fetch(`http://${addresses["court.test"]}/`)).status, 200);
  });

  test("no capacity in a zone: AWS's words and what to do, and what serves goes on", async () => {
    fillZone(rehearsal.lab, "eu-central-1b");
    rehearsal.configure(settings({ workers: [...workers, { name: "high", zone: "eu-central-1b" }] }));
    const run = await rehearsal.pulumi(["up", "--yes", "--skip-preview"]);
    assert.notEqual(run.code, 0);
    assert.match(
      shown(run),
      /InsufficientInstanceCapacity: We currently do not have sufficient t4g\.small capacity .*choosing eu-central-1a, eu-central-1c/,
    );
    assert.equal((await rehearsal.fetch(`http://${addresses["www.daily.test"]}/`)).status, 200);
  });

  test("an image of the other architecture is refused before anything is made", async () => {
    const image = newImage(rehearsal.lab, "x86_64");
    rehearsal.configure(settings({ workers: [...workers, "late"] }, { image }));
    const run = await rehearsal.pulumi(["preview"]);
    assert.notEqual(run.code, 0);
    assert.match(shown(run), new RegExp(`image = "?${image}"?[^]*amd64[^]*arm64[^]*Next: `));
  });

  test("a balancer is protected from termination until the config says otherwise; then destroy leaves nothing", async () => {
    rehearsal.configure(settings({ workers }));
    const refused = await rehearsal.pulumi(["destroy", "--preview-only"]);
    assert.notEqual(refused.code, 0);
    assert.match(shown(refused), /hosts-balancer1[^]*protect/);
    rehearsal.configure(settings({ workers }, { terminationProtection: false }));
    await rehearsal.up();
    const run = await rehearsal.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(run.code, 0, shown(run));
    assert.deepEqual(instances(), []);
  });

  /** After the change: one more, and west in north's place. */
  const workers = ["south", "west", "east"];
});
