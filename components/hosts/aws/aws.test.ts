// AwsHosts over the whole graph of its resources.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { AwsGraph, canary, image, minimal, valueOf, vpc } from "../../../tests/awsKit";

const record = (value: unknown) => value as Record<string, unknown>;
/** Machines have their preflight, or their base, of another module: it is no matter here. */
const ofBase = /^softmap:index:|:Installation$|^command:|:RenderedConfig$/;

describe("a balancer and two workers in a VPC of their own", () => {
  let graph: AwsGraph;
  before(async () => {
    graph = await AwsGraph.of({ base: false });
  });

  test("a network, a group with its rules, an instance each, its keys: no more", () => {
    const names = graph.resources.filter(({ type }) => !ofBase.test(type)).map(({ name }) => name);
    const zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
    const machine = (name: string) => [name, `${name}-first-host-key`, `${name}-host-key`, `${name}-known`];
    const expected = [
      ...["aws", "vpc", "default-group", "gateway", "routes", "route", "login", "group", "looked"],
      ...zones.flatMap((zone) => [`subnet-${zone}`, `routes-${zone}`]),
      ...["ssh-from-203-0-113-0-24", "out-tcp", "out-dns", "out-ntp"],
      ...["balancer1", "north", "south"].flatMap(machine),
    ];
    assert.deepEqual(names.sort(), expected.map((name) => `hosts-${name}`).sort());
  });

  test("all are children of the component, and what is in AWS has its provider, the lookups too", () => {
    for (const { name, type, parent, options } of graph.resources) {
      if (type.startsWith("softmap:index:")) continue;
      assert.equal(parent, "hosts", name);
      if (type.startsWith("aws:")) assert.equal(options.provider, "hosts-aws", name);
    }
    for (const { token, provider } of graph.asked) assert.match(provider, /::hosts-aws::/, token);
  });

  test("the provider has the region and tags for everything", () => {
    const { inputs } = graph.named("hosts-aws");
    assert.equal(inputs["region"], "eu-central-1");
    // A provider's inputs travel as JSON.
    assert.deepEqual(JSON.parse(String(inputs["defaultTags"])), { tags: { "softmap:stack": "softmap/test" } });
    assert.equal("profile" in inputs, false);
  });

  test("a machine: Debian's newest image, a small Graviton, an encrypted disk, IMDSv2, one group, a public address", () => {
    const { inputs } = graph.instance("north");
    const { userData: _secret, subnetId, ...rest } = inputs;
    assert.deepEqual(rest, {
      ami: image,
      instanceType: "t4g.small",
      vpcSecurityGroupIds: ["hosts-group-id"],
      associatePublicIpAddress: true,
      userDataReplaceOnChange: false,
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        encrypted: true,
        volumeType: "gp3",
        volumeSize: 20,
        deleteOnTermination: true,
        tags: { Name: "test-north" },
      },
      disableApiTermination: false,
      tags: { Name: "test-north" },
    });
    assert.equal(subnetId, "hosts-subnet-eu-central-1b-id");
  });

  test("Debian's images are looked for by their owner, release and architecture", () => {
    const { inputs } = graph.asked.find(({ token }) => token.includes("getAmi")) ?? assert.fail();
    assert.deepEqual(record(inputs)["owners"], ["136693071363"]);
    const filters = record(inputs)["filters"] as { name: string; values: string[] }[];
    assert.deepEqual(filters.find(({ name }) => name === "name")?.values, ["debian-12-arm64-*"]);
    assert.equal(record(inputs)["mostRecent"], true);
  });

  test("each is in another zone, counted over both lists", () => {
    const subnets = ["balancer1", "north", "south"].map((name) => graph.instance(name).inputs["subnetId"]);
    assert.deepEqual(
      subnets,
      ["a", "b", "c"].map((letter) => `hosts-subnet-eu-central-1${letter}-id`),
    );
    const { cidrBlock, availabilityZone } = graph.named("hosts-subnet-eu-central-1b").inputs;
    assert.deepEqual([cidrBlock, availabilityZone], ["10.77.32.0/19", "eu-central-1b"]);
  });

  test("what would replace or stop a machine that serves does not count", () => {
    for (const name of ["balancer1", "north"])
      assert.deepEqual(
        graph.instance(name).options.ignoreChanges,
        ["ami", "instanceType", "subnetId", "associatePublicIpAddress", "userData", "rootBlockDevice"],
        name,
      );
    assert.deepEqual(graph.named("hosts-vpc").options.ignoreChanges, ["cidrBlock"]);
  });

  test("a balancer cannot be terminated, by EC2 and by a preview; a worker can", () => {
    for (const [name, guarded] of [
      ["balancer1", true],
      ["south", false],
    ] as const) {
      const { inputs, options } = graph.instance(name);
      assert.deepEqual([inputs["disableApiTermination"], options.protect], [guarded, guarded], name);
    }
  });

  test("ssh from the named network is all that comes in; out go tcp, names and the time", () => {
    const rules = graph.resources
      .filter(({ type }) => /securityGroup(In|E)gressRule/.test(type))
      .toSorted((a, b) => (a.name < b.name ? 1 : -1));
    const facts = rules.map(({ type, inputs }) => [
      type.includes("Ingress") ? "in" : "out",
      inputs["cidrIpv4"],
      inputs["ipProtocol"],
      inputs["fromPort"],
      inputs["toPort"],
    ]);
    assert.deepEqual(facts, [
      ["in", "203.0.113.0/24", "tcp", 22, 22],
      ["out", "0.0.0.0/0", "tcp", 0, 65535],
      ["out", "0.0.0.0/0", "udp", 123, 123],
      ["out", "0.0.0.0/0", "udp", 53, 53],
    ]);
    for (const { inputs } of rules) assert.equal(inputs["securityGroupId"], "hosts-group-id");
    for (const { inputs } of graph.resources.filter(({ type }) => /ecurityGroup:/.test(type)))
      assert.deepEqual([inputs["ingress"], inputs["egress"]], [undefined, undefined]);
  });

  test("a machine waits for its way out and for the rules, so that it boots with them and goes before them", () => {
    const { waitsFor } = graph.instance("north");
    for (const name of ["route", "routes-eu-central-1b", "ssh-from-203-0-113-0-24", "out-tcp", "out-dns", "out-ntp"])
      assert.ok(waitsFor.includes(`hosts-${name}`), `${name} is not among ${waitsFor.join(", ")}`);
  });

  test("user data and connections are secrets, and no private key is anywhere else", () => {
    for (const { name, type, inputs, secretInputs } of graph.resources)
      for (const [key, value] of Object.entries(inputs))
        if (JSON.stringify(value)?.includes(canary)) assert.ok(secretInputs.includes(key), `${type} ${name}: ${key}`);
    assert.ok(graph.instance("north").secretInputs.includes("userData"));
    assert.ok(graph.instance("north").options.additionalSecretOutputs.includes("userData"));
    const known = graph.named("hosts-north-known");
    assert.deepEqual(known.secretInputs.toSorted(), ["connection", "privateKey"]);
    assert.deepEqual(known.options.additionalSecretOutputs.toSorted(), ["connection", "privateKey"]);
  });

  test("a machine boots with its first key and is known by its last; the first connection is given both", async () => {
    const publicKey = (name: string) => String(graph.named(name).outputs["publicKeyOpenssh"]).trim();
    const { inputs } = graph.named("hosts-north-known");
    const { connection, ...rest } = inputs;
    const last = graph.named("hosts-north-host-key").outputs["privateKeyOpenssh"];
    assert.deepEqual(rest, {
      host: "north",
      hostKey: publicKey("hosts-north-host-key"),
      privateKey: last,
      firstHostKey: publicKey("hosts-north-first-host-key"),
      instance: "hosts-north-id",
    });
    const login = graph.named("hosts-login").outputs["privateKeyOpenssh"];
    const { publicIp } = graph.instance("north").outputs;
    const reach = { host: publicIp, port: 22, user: "softmap", privateKey: login };
    assert.deepEqual(connection, { ...reach, dialErrorLimit: 8, perDialTimeout: 10 });
    assert.deepEqual(await graph.connection("north"), {
      ...record(connection),
      hostKey: publicKey("hosts-north-host-key"),
    });
    const told = String(graph.instance("north").inputs["userData"]);
    const first = String(graph.named("hosts-north-first-host-key").outputs["privateKeyOpenssh"]);
    assert.ok(told.includes(JSON.stringify(first)) && told.includes(publicKey("hosts-login")));
    for (const secret of [last, login]) assert.ok(!told.includes(JSON.stringify(secret)));
  });

  test("the machine is the instance, and the connection waits until it shows its own key", async () => {
    const [north] = graph.hosts.workers;
    assert.equal(await valueOf(north?.instance), "hosts-north-id");
    const waitsFor = await (
      north?.connection as unknown as { allResources(): Promise<Set<{ __name?: string }>> }
    ).allResources();
    assert.ok([...waitsFor].some((one) => one.__name === "hosts-north-known"));
  });

  test("its cores are told by name, and nothing differs", async () => {
    assert.deepEqual([...graph.hosts.vcpus.keys()].sort(), ["balancer1", "north", "south"]);
    assert.equal(await valueOf(graph.hosts.vcpus.get("north")), 2);
    assert.deepEqual(graph.warnings, []);
  });
});

describe("what an operator chooses", () => {
  test("Intel machines with types of their own, another Debian, a larger disk", async () => {
    const types = {
      "t3.small": { architectures: ["i386", "x86_64"], vcpus: 2 },
      "c7i.large": { architectures: ["x86_64"], vcpus: 4 },
      "m7i.xlarge": { architectures: ["x86_64"], vcpus: 8 },
    };
    const graph = await AwsGraph.of(
      {
        ...{ architecture: "amd64", debian: 13, disk: 40, workerType: "c7i.large", base: false },
        workers: [{ name: "north" }, { name: "south", instanceType: "m7i.xlarge" }],
      },
      { image: "x86_64", types },
    );
    const of = (name: string) => graph.instance(name).inputs["instanceType"];
    assert.deepEqual(["balancer1", "north", "south"].map(of), ["t3.small", "c7i.large", "m7i.xlarge"]);
    assert.equal(record(graph.instance("north").inputs["rootBlockDevice"])["volumeSize"], 40);
    assert.equal(await valueOf(graph.hosts.vcpus.get("south")), 8);
    const { inputs } = graph.asked.find(({ token }) => token.includes("getAmi")) ?? assert.fail();
    assert.ok(JSON.stringify(inputs).includes("debian-13-amd64-*"));
  });

  test("a machine in both lists is one instance, of the balancer's type and as protected", async () => {
    const both = { name: "both" };
    const graph = await AwsGraph.of({ balancers: [both], workers: [both], balancerType: "t4g.large", base: false });
    assert.deepEqual(graph.names("aws:ec2/instance:"), ["both"]);
    const { inputs } = graph.instance("both");
    assert.deepEqual([inputs["instanceType"], inputs["disableApiTermination"]], ["t4g.large", true]);
    assert.deepEqual(
      [graph.hosts.balancers, graph.hosts.workers].map((list) => list.map(({ name }) => name)),
      [["both"], ["both"]],
    );
  });

  test("zones in turn, and a machine's own; a subnet for every zone whichever are used, so that none has to go", async () => {
    const graph = await AwsGraph.of({
      zones: ["eu-central-1c", "eu-central-1b"],
      workers: [{ name: "north", zone: "eu-central-1a" }, { name: "south" }],
      base: false,
    });
    const zone = (name: string) => String(graph.instance(name).inputs["subnetId"]).slice(-4, -3);
    assert.deepEqual(["balancer1", "north", "south"].map(zone), ["c", "a", "c"]);
    assert.equal(graph.names("aws:ec2/subnet:").length, 3);
  });

  test("an own network elsewhere", async () => {
    const graph = await AwsGraph.of({ cidr: "192.168.64.0/20", base: false });
    assert.equal(graph.named("hosts-vpc").inputs["cidrBlock"], "192.168.64.0/20");
    assert.equal(graph.named("hosts-subnet-eu-central-1c").inputs["cidrBlock"], "192.168.68.0/23");
  });

  test("several networks for ssh, of both families, each once", async () => {
    const sshFrom = ["203.0.113.0/24", "2001:db8:7::/48", "203.0.113.0/24"];
    const graph = await AwsGraph.of({ sshFrom, base: false });
    assert.deepEqual(graph.names("IngressRule"), ["ssh-from-2001-db8-7---48", "ssh-from-203-0-113-0-24"]);
    assert.equal(graph.named("hosts-ssh-from-2001-db8-7---48").inputs["cidrIpv6"], "2001:db8:7::/48");
  });

  test("elastic addresses: the connection waits until the machine has its own", async () => {
    const graph = await AwsGraph.of({ elasticAddresses: "balancers", base: false });
    assert.deepEqual(graph.names("aws:ec2/eip:"), ["balancer1-address"]);
    assert.deepEqual(graph.named("hosts-balancer1-has-address").inputs, {
      instanceId: "hosts-balancer1-id",
      allocationId: "hosts-balancer1-address-id",
    });
    assert.equal((await graph.connection("balancer1"))["host"], "192.0.2.77");
    assert.ok(graph.named("hosts-balancer1-known").waitsFor.includes("hosts-balancer1-has-address"));
    const all = await AwsGraph.of({ elasticAddresses: "all", base: false });
    assert.equal(all.names("aws:ec2/eip:").length, 3);
  });

  test("reached privately through a jump host, with no inbound port: the private address, and still one to reach Tor from", async () => {
    const key = { hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f" };
    const proxy = { address: "jump.example.net", user: "ops", ...key, privateKey: `${canary} of the jump host` };
    const graph = await AwsGraph.of({ sshFrom: [], reach: "private", proxy, base: false });
    assert.deepEqual(graph.names("IngressRule"), []);
    const { host, proxy: jump } = await graph.connection("north");
    assert.equal(host, graph.instance("north").outputs["privateIp"]);
    const reach = { host: "jump.example.net", port: 22, user: "ops", ...key, privateKey: proxy.privateKey };
    assert.deepEqual(jump, { ...reach, dialErrorLimit: 8, perDialTimeout: 10 });
    assert.equal(graph.instance("north").inputs["associatePublicIpAddress"], true);
    assert.ok(graph.named("hosts-north-known").secretInputs.includes("connection"));
  });

  test("a way in by AWS's own login: from the endpoint's group to the machines' group, and from nowhere else", async () => {
    const graph = await AwsGraph.of({ sshFrom: [], reach: "private", instanceConnectEndpoint: true, base: false });
    const { inputs, type, options } = graph.named("hosts-endpoint");
    assert.equal(type, "aws:ec2transitgateway/instanceConnectEndpoint:InstanceConnectEndpoint");
    assert.deepEqual(inputs["securityGroupIds"], ["hosts-endpoint-group-id"]);
    assert.deepEqual([inputs["preserveClientIp"], options.ignoreChanges], [false, ["subnetId"]]);
    const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22 };
    const [machines, own] = ["hosts-group-id", "hosts-endpoint-group-id"];
    assert.deepEqual(graph.named("hosts-ssh-from-endpoint").inputs, {
      ...ssh,
      ...{ securityGroupId: machines, referencedSecurityGroupId: own },
    });
    assert.deepEqual(graph.named("hosts-endpoint-out").inputs, {
      ...ssh,
      ...{ securityGroupId: own, referencedSecurityGroupId: machines },
    });
  });

  test("no protection, a profile, tags, a Tor network", async () => {
    const graph = await AwsGraph.of({
      ...{ terminationProtection: false, profile: "onion", tags: { team: "web" }, base: false },
      torNetwork: ["TestingTorNetwork 1", "DirAuthority a0 orport=5100 no-v2 v3ident=AB 192.0.2.5:7100 CD"],
    });
    const { inputs, options } = graph.instance("balancer1");
    assert.deepEqual([inputs["disableApiTermination"], options.protect], [false, false]);
    const provider = graph.named("hosts-aws").inputs;
    assert.equal(provider["profile"], "onion");
    assert.deepEqual(JSON.parse(String(provider["defaultTags"])), {
      tags: { "softmap:stack": "softmap/test", team: "web" },
    });
    assert.equal(graph.hosts.workers[0]?.torNetwork?.torrc[0], "TestingTorNetwork 1");
  });
});

describe("a VPC that exists", () => {
  const subnets = {
    "subnet-0000000a": "eu-central-1a",
    "subnet-0000001a": "eu-central-1a",
    "subnet-0000000b": "eu-central-1b",
  };
  const subnetOf = (graph: AwsGraph, name: string) => graph.instance(name).inputs["subnetId"];

  test("nothing of a network is made; neighbours are in different zones", async () => {
    const graph = await AwsGraph.of({ vpc, base: false }, { subnets });
    assert.deepEqual(graph.names("aws:ec2/vpc:"), []);
    assert.deepEqual(graph.names("aws:ec2/subnet:"), []);
    assert.equal(graph.named("hosts-group").inputs["vpcId"], vpc);
    const placed = ["balancer1", "north", "south"].map((name) => subnetOf(graph, name));
    assert.deepEqual(placed, ["subnet-0000000a", "subnet-0000000b", "subnet-0000001a"]);
    const { inputs } = graph.asked.find(({ token }) => token.includes("getSubnets")) ?? assert.fail();
    assert.deepEqual(inputs["filters"], [{ name: "vpc-id", values: [vpc] }]);
  });

  test("some of its subnets, in the operator's order; reached privately the machines have no public address there", async () => {
    const some = ["subnet-0000001a", "subnet-0000000b"];
    const graph = await AwsGraph.of({ vpc, subnets: some, reach: "private", base: false }, { subnets });
    assert.deepEqual(
      [subnetOf(graph, "balancer1"), subnetOf(graph, "north"), subnetOf(graph, "south")],
      [...some, some[0]],
    );
    assert.equal(graph.instance("north").inputs["associatePublicIpAddress"], false);
    const publicly = await AwsGraph.of({ vpc, subnets: some, base: false }, { subnets });
    assert.equal(publicly.instance("north").inputs["associatePublicIpAddress"], true);
  });

  test("zones choose among its subnets, and a machine has its own", async () => {
    const workers = [{ name: "north", zone: "eu-central-1b" }, { name: "south" }];
    const graph = await AwsGraph.of({ vpc, workers, base: false }, { subnets });
    assert.equal(subnetOf(graph, "north"), "subnet-0000000b");
    const inA = await AwsGraph.of({ vpc, zones: ["eu-central-1a"], base: false }, { subnets });
    assert.deepEqual([subnetOf(inA, "balancer1"), subnetOf(inA, "north")], ["subnet-0000000a", "subnet-0000001a"]);
  });

  test("the account's default one, and its default subnets", async () => {
    const graph = await AwsGraph.of({ vpc: "default", base: false }, { subnets });
    assert.equal(graph.named("hosts-group").inputs["vpcId"], vpc);
    const { inputs } = graph.asked.find(({ token }) => token.includes("getSubnets")) ?? assert.fail();
    assert.ok(JSON.stringify(inputs).includes('"default-for-az"'));
  });
});

describe("a machine that is there and differs from the config", () => {
  test("is told, with what it has and what the config says, and is not touched", async () => {
    const instance = {
      ...{ instanceType: "t4g.small", ami: "ami-00000000000000001", availabilityZone: "eu-central-1b" },
      rootBlockDevice: { volumeSize: 8 },
    };
    const graph = await AwsGraph.of(
      {
        ...{
          image: "ami-00000000000000002",
          workerType: "t4g.medium",
          balancers: [{ name: "b", instanceType: "t4g.small" }],
        },
        workers: [{ name: "north", zone: "eu-central-1a" }],
        base: false,
      },
      { instance },
    );
    const next = "A machine keeps what it was made with. Next: give it another name, and a new one takes its place";
    const same =
      "its image is ami-00000000000000001, the config says ami-00000000000000002; its disk is 8 GiB, the config says 20 GiB";
    assert.deepEqual(graph.warnings.toSorted(), [
      `b: ${same}. ${next}`,
      `north: its instance type is t4g.small, the config says t4g.medium; ${same}; its zone is eu-central-1b, the config says eu-central-1a. ${next}`,
    ]);
  });

  test("a stopped one has no public address: it is a host that is nowhere, and not this machine", async () => {
    const graph = await AwsGraph.of({ base: false }, { instance: { publicIp: "" } });
    assert.equal((await graph.connection("north"))["host"], "north-has-no-public-address.invalid");
  });

  test("a newer image of Debian's, and another zone in turn, are no difference", async () => {
    const instance = { ami: "ami-00000000000000001", availabilityZone: "eu-central-1c" };
    assert.deepEqual((await AwsGraph.of({ base: false }, { instance })).warnings, []);
  });
});

test("the arguments are checked before anything is registered", async () => {
  await assert.rejects(AwsGraph.of({ sshFrom: ["0.0.0.0/0"] }), /hosts: sshFrom\[0\] = "0\.0\.0\.0\/0"/);
  await assert.rejects(AwsGraph.of({ workers: [...minimal.workers, { name: "north" }] }), /north/);
});
