// What a report says of faults in machines, word for word.
import { type Fault, key, lab, machine, project, ssh, testFaults } from "./samples";

const faults: Fault[] = [
  [
    "a host name with an underscore",
    lab({ workers: ["web_1"] }),
    ['workers: [0] = "web_1" | A name is made of a-z, 0-9 and inner hyphens only. | Write it as web-1.'],
  ],
  [
    "no worker",
    lab({ workers: 0 }),
    [
      "stack: workers = 0 | Without a worker no backend runs. | Give at least one worker, or set workersOnBalancers: true.",
    ],
  ],
  [
    "no balancer",
    lab({ balancers: [] }),
    [
      "stack: balancers | Without a balancer no site is published. | Give at least one balancer; it can run backends too with workersOnBalancers: true.",
    ],
  ],
  [
    "a lab host listed twice",
    lab({ workers: ["north", "north"] }),
    ['workers: [1] = "north" | The machine north is listed twice. | Remove one of them, or give them different names.'],
  ],
  [
    "a machine as balancer and worker",
    lab({ balancers: ["north"], workers: ["north", "south"] }),
    [
      'workers: [0] = "north" | The machine north is listed twice, as balancer and as worker. | List it under balancers only and set workersOnBalancers: true.',
    ],
  ],
  [
    "a machine listed twice by address and port",
    ssh({ workers: [machine("w1", "203.0.113.2"), machine("w2", "203.0.113.2", { port: 22 })] }),
    [
      'host w2: address = "203.0.113.2" | w2 and w1 are the same machine: 203.0.113.2 port 22. | Remove one of them, or correct its address.',
    ],
  ],
  [
    "a machine as balancer and worker by address",
    ssh({ workers: [machine("w1", "203.0.113.1")] }),
    [
      'host w1: address = "203.0.113.1" | w1 and b1 are the same machine: 203.0.113.1 port 22. | List it under balancers only and set workersOnBalancers: true.',
    ],
  ],
  [
    "a number of machines with ssh",
    ssh({ workers: 2 }),
    [
      'stack: workers = 2 | A number is for the lab: machines of provider ssh are listed, not made. | Give a list of { name, address, hostKey }, e.g. [{ name: w1, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAA..." }].',
    ],
  ],
  [
    "no list of machines with ssh",
    { hosts: { provider: "ssh", user: "admin", agent: true }, projects: [project()] },
    [
      'stack: balancers | It is missing: machines of provider ssh are listed, not made. | Give a list of { name, address, hostKey }, e.g. [{ name: w1, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAA..." }].',
      'stack: workers | It is missing: machines of provider ssh are listed, not made. | Give a list of { name, address, hostKey }, e.g. [{ name: w1, address: 203.0.113.7, hostKey: "ssh-ed25519 AAAA..." }].',
    ],
  ],
  [
    "names alone with ssh",
    ssh({ workers: ["w1"] }),
    [
      'workers: [0] = "w1" | A name alone is for the lab: with provider ssh a machine has an address and a pinned host key. | Write it as { name, address, hostKey }.',
    ],
  ],
  [
    "machines with the lab",
    lab({ workers: [machine("w1", "203.0.113.2")] }),
    [
      "workers: [0] | The lab makes its machines: they have no address or host key of their own to give. | Write the name alone, w1, or use provider ssh.",
    ],
  ],
  [
    "no host key",
    ssh({ workers: [{ name: "w1", address: "203.0.113.2" }] }),
    [
      "host w1: hostKey | It is missing. | Give type and key from /etc/ssh/ssh_host_ed25519_key.pub, read on the host's console or from your provider, not over the network.",
    ],
  ],
  [
    "a fingerprint for a host key",
    ssh({ workers: [machine("w1", "203.0.113.2", { hostKey: "SHA256:abcdef" })] }),
    [
      'host w1: hostKey = "SHA256:abcdef" | This is a fingerprint; the key itself is needed. | Give type and key from /etc/ssh/ssh_host_ed25519_key.pub, read on the host\'s console or from your provider, not over the network.',
    ],
  ],
  [
    "a cut host key",
    ssh({ workers: [machine("w1", "203.0.113.2", { hostKey: key.slice(0, 60) })] }),
    [
      'host w1: hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsF" | What follows ssh-ed25519 is not such a key: it is cut or changed. | Give type and key from /etc/ssh/ssh_host_ed25519_key.pub, read on the host\'s console or from your provider, not over the network.',
    ],
  ],
  [
    "a line of known_hosts",
    ssh({ workers: [machine("w1", "203.0.113.2", { hostKey: `203.0.113.2 ${key}` })] }),
    [
      'host w1: hostKey = "203.0.113.2 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X" | This is a line of known_hosts. | Leave out its first word: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X',
    ],
  ],
  [
    "an address with user and port",
    ssh({ workers: [machine("w1", "admin@203.0.113.2"), machine("w2", "203.0.113.3:2222")] }),
    [
      'host w1: address = "admin@203.0.113.2" | The address has a user in front. | Write 203.0.113.2 here and admin as user.',
      'host w2: address = "203.0.113.3:2222" | The port is a key of its own. | Write 203.0.113.3 here and port: 2222.',
    ],
  ],
  [
    "no way to log in",
    ssh({}, {}),
    [
      "hosts: privateKeyFile | There is no way to log in: neither privateKeyFile nor agent is given. | Give privateKeyFile: ~/.ssh/id_ed25519, or agent: true to use the running ssh agent.",
    ],
  ],
  [
    "two ways to log in",
    ssh({}, { agent: true, privateKeyFile: "~/.ssh/id" }),
    [
      "hosts: privateKeyFile | privateKeyFile and agent are both given; a login uses one of them. | Remove one of them.",
    ],
  ],
  [
    "a private key in the file",
    ssh({}, { privateKeyFile: "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret" }),
    [
      "hosts: privateKeyFile | This is not a path. A private key does not belong in a stack's file. | Remove it from the file and its history, and give the path of the key, e.g. ~/.ssh/id_ed25519.",
    ],
  ],
  [
    "a private network without lines, and one without authorities",
    ssh({}, { agent: true, torNetwork: [] }),
    [
      "hosts: torNetwork | No line names a DirAuthority: these tors would be on the public network. | Add the network's DirAuthority lines, or remove torNetwork if the public network is meant.",
    ],
  ],
  [
    "a private network with other options, and a line that is none",
    ssh(
      {},
      { agent: true, torNetwork: ["DirAuthority a0 10.0.0.5:7100 AB", "SocksPort 9050", "TestingTorNetwork 1\nX 1"] },
    ),
    [
      'hosts: torNetwork[1] = "SocksPort 9050" | This is not one of the options of a private network (Testing..., DirAuthority, PathsNeededToBuildCircuits). | Remove the line, or correct the option\'s name.',
      'hosts: torNetwork[2] = "TestingTorNetwork 1\\nX 1" | This is not one torrc line: an option, a blank, its value. | Write e.g. TestingTorNetwork 1.',
    ],
  ],
  [
    "a port out of range",
    ssh({ workers: [machine("w1", "203.0.113.2", { port: 70000 })] }),
    ["host w1: port = 70000 | It must be from 1 to 65535. | Choose a number there, e.g. 22."],
  ],
];

testFaults(faults);
