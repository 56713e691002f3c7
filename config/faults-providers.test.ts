// What a report says of machines in AWS, of this machine, and of jump hosts, word for word.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStackConfig, validateAws, validateLocal } from "./parse";
import { type Fault, key, line, machine, project, ssh, testFaults } from "./samples";

type Keys = Record<string, unknown>;

const aws = (hosts: Keys = {}, more: Keys = {}): Keys => ({
  hosts: { provider: "aws", region: "eu-central-1", sshFrom: ["203.0.113.0/24"], ...hosts },
  projects: [project()],
  ...more,
});
const local = (more: Keys = {}): Keys => ({
  hosts: { provider: "local" },
  balancers: 1,
  workers: 0,
  workersOnBalancers: true,
  projects: [project()],
  ...more,
});
const proxy = { address: "jump.example.net", hostKey: key };

const faults: Fault[] = [
  [
    "sshd open to everybody",
    aws({ sshFrom: ["0.0.0.0/0", "::/0", "203.0.113.7", "203.0.113.7/24", "2001:db8::/48"] }),
    [
      'hosts: sshFrom[0] = "0.0.0.0/0" | This is everybody: sshd would be open to the whole Internet. | Name the networks that you work from, e.g. 203.0.113.0/24; or none, with reach: private.',
      'hosts: sshFrom[1] = "::/0" | This is everybody: sshd would be open to the whole Internet. | Name the networks that you work from, e.g. 203.0.113.0/24; or none, with reach: private.',
      'hosts: sshFrom[2] = "203.0.113.7" | This is an address without a length. | Write 203.0.113.7/32.',
      'hosts: sshFrom[3] = "203.0.113.7/24" | The address is not the first of its network. | Write 203.0.113.0/24, or 203.0.113.7/32 for the one address.',
    ],
  ],
  [
    "no way to sshd",
    aws({ sshFrom: [] }),
    [
      "hosts: sshFrom | No network may reach sshd, and the machines are reached by their public addresses. | Name the networks that you work from, e.g. [203.0.113.0/24]; or set reach: private, and run from within the VPC or through proxy.",
    ],
  ],
  [
    "a jump host without user and key, and a key without a jump host",
    aws({ reach: "private", sshFrom: [], proxy }),
    [
      "hosts: privateKeyFile | The jump host is yours, and there is no key for it. | Give the private key that logs in there, e.g. ~/.ssh/id_ed25519.",
      "hosts: proxy.user | The jump host is yours, and its user is not told. | Give the user that logs in there, e.g. ops.",
    ],
  ],
  [
    "a key for a jump host that there is not",
    aws({ privateKeyFile: "~/.ssh/id" }),
    [
      'hosts: privateKeyFile = "~/.ssh/id" | It is the key for a jump host, and there is none. | Remove it; the machines\' login key is made by the stack.',
    ],
  ],
  [
    "types of the other architecture",
    aws({ workerType: "t3.small" }, { balancers: [{ name: "b", instanceType: "m7i.large" }] }),
    [
      'hosts: workerType = "t3.small" | It is an amd64 type, and the machines are arm64. | Write one such as t4g.small, or set architecture: amd64.',
      'host b: instanceType = "m7i.large" | It is an amd64 type, and the machines are arm64. | Write one such as t4g.small, or set architecture: amd64.',
    ],
  ],
  [
    "zones of another region, and none at all",
    aws({ zones: ["us-east-1a"] }, { workers: [{ name: "w", zone: "a" }] }),
    [
      'hosts: zones[0] = "us-east-1a" | The zone is not one of eu-central-1. | Write e.g. eu-central-1a.',
      'host w: zone = "a" | This is not an availability zone. | Write e.g. eu-central-1a.',
      'host w: zone = "a" | The zone is not one of eu-central-1. | Write e.g. eu-central-1a.',
    ],
  ],
  [
    "subnets without their VPC, and a network for a VPC that exists",
    aws({ subnets: ["subnet-0a1b2c3d"], vpc: "default", cidr: "10.1.0.0/16" }),
    [
      "hosts: subnets | Subnets are named of a VPC that exists. | Give the VPC's id as vpc, or remove subnets.",
      'hosts: cidr = "10.1.0.0/16" | It is the network of an own VPC. | Remove it, or set vpc: own.',
    ],
  ],
  [
    "ids and networks that are none",
    aws({ image: "debian-12", vpc: "main", cidr: "203.0.113.0/24", region: "Frankfurt" }),
    [
      'hosts: region = "Frankfurt" | This is not a region of AWS. | Write e.g. eu-central-1.',
      'hosts: image = "debian-12" | This is not the id of an AMI. | Write e.g. ami-0a1b2c3d4e5f60718, or remove it.',
      'hosts: vpc = "main" | It must be own, default, or the id of a VPC. | Write own, default, or e.g. vpc-0a1b2c3d.',
      'hosts: cidr = "203.0.113.0/24" | A VPC\'s network is a private IPv4 network from /16 to /24. | Write e.g. 10.77.0.0/16, one that none of your other networks overlaps.',
      'hosts: cidr = "203.0.113.0/24" | It is the network of an own VPC. | Remove it, or set vpc: own.',
    ],
  ],
  [
    "addresses and host keys in AWS",
    aws({}, { workers: [machine("w1", "203.0.113.2")] }),
    [
      'host w1: address = "203.0.113.2" | EC2 gives its machines their addresses, and the stack their host keys. | Remove it, or use provider ssh.',
      `host w1: hostKey = "${key}" | EC2 gives its machines their addresses, and the stack their host keys. | Remove it, or use provider ssh.`,
    ],
  ],
  [
    "what is for AWS on a machine that ssh reaches",
    ssh({ workers: [machine("w1", "203.0.113.2", { zone: "eu-central-1a" })] }),
    ['host w1: zone = "eu-central-1a" | This is for machines of provider aws. | Remove it, or use provider aws.'],
  ],
  [
    "this machine with an address",
    ssh({ workers: [{ name: "here", local: true, address: "203.0.113.9" }] }),
    [
      'host here: address = "203.0.113.9" | A machine with local: true is this one: nobody dials it. | Remove it, or remove local.',
    ],
  ],
  [
    "a jump host without a host key, and a key that it has not",
    ssh({}, { agent: true, proxy: { address: "jump.example.net", keyFile: "x" } }),
    [
      "hosts: proxy.hostKey | It is missing. | Give type and key from /etc/ssh/ssh_host_ed25519_key.pub, read on the host's console or from your provider, not over the network.",
      "hosts: proxy.keyFile | There is no such key in a jump host. | Remove it; the keys there are address, port, user, hostKey.",
    ],
  ],
  [
    "more than this machine",
    local({ workers: 1, workersOnBalancers: false }),
    [
      "stack: workers = 1 | There is one machine here, and 2 are asked for. | Set balancers: 1, workers: 0 and workersOnBalancers: true; for others beside it use provider ssh, with local: true for this one.",
    ],
  ],
  [
    "this machine, listed like another",
    local({ balancers: [machine("here", "127.0.0.1")] }),
    [
      "balancers: [0] | With provider local the machine is this one, and has a name alone. | Write its name; for others beside it use provider ssh, with local: true for this one.",
    ],
  ],
];

testFaults(faults);

test("machines in AWS by number, by name, and with what they have of their own", () => {
  const workers = ["north", { name: "south", zone: "eu-central-1b", instanceType: "c7g.medium" }];
  const { hosts } = parseStackConfig(aws({}, { balancers: 1, workers }));
  assert.ok(hosts.provider === "aws");
  assert.deepEqual(hosts.balancers, [{ name: "balancer1" }]);
  assert.deepEqual(hosts.workers, [
    { name: "north" },
    { name: "south", zone: "eu-central-1b", instanceType: "c7g.medium" },
  ]);
  assert.deepEqual([hosts.architecture, hosts.vpc, hosts.terminationProtection], ["arm64", "own", true]);
});

test("this machine among others that ssh reaches", () => {
  const { hosts } = parseStackConfig(ssh({ balancers: [{ name: "here", local: true }] }));
  assert.ok(hosts.provider === "ssh");
  assert.deepEqual(hosts.balancers, [{ name: "here", local: true }]);
});

test("the same rules for a component's arguments", () => {
  const settings = { region: "eu-central-1", sshFrom: ["0.0.0.0/0"], workerType: "t3.small" };
  const [machine] = [{ name: "w" }];
  const problems = validateAws({ component: "hosts", settings, balancers: [machine], workers: [machine] });
  assert.deepEqual(problems.map(line).sort(), [
    'hosts: sshFrom[0] = "0.0.0.0/0" | This is everybody: sshd would be open to the whole Internet. | Name the networks that you work from, e.g. 203.0.113.0/24; or none, with reach: private.',
    'hosts: workerType = "t3.small" | It is an amd64 type, and the machines are arm64. | Write one such as t4g.small, or set architecture: amd64.',
  ]);
  assert.deepEqual(validateLocal({ component: "here", host: "a_b" }).map(line), [
    'here: host = "a_b" | A name is made of a-z, 0-9 and inner hyphens only. | Write it as a-b.',
  ]);
});
