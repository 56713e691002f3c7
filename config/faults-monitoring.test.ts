// What a report says of faults in how the machines are monitored, word for word.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStackConfig, validateMonitoring } from "./parse";
import { type Fault, lab, line, machine, ssh, testFaults } from "./samples";

const faults: Fault[] = [
  [
    "everybody, an address without a length, a network by another than its first address",
    lab({ monitoring: { from: ["0.0.0.0/0", "::/0", "203.0.113.9", "10.0.0.1/8", "my office"] } }),
    [
      'monitoring: from[0] = "0.0.0.0/0" | This is everybody: the whole Internet would read how each backend is. | Name the networks of your Prometheus, e.g. 10.0.0.0/8; or none, and reach it through ssh.',
      'monitoring: from[1] = "::/0" | This is everybody: the whole Internet would read how each backend is. | Name the networks of your Prometheus, e.g. 10.0.0.0/8; or none, and reach it through ssh.',
      'monitoring: from[2] = "203.0.113.9" | This is an address without a length. | Write 203.0.113.9/32.',
      'monitoring: from[3] = "10.0.0.1/8" | The address is not the first of its network. | Write 10.0.0.0/8, or 10.0.0.1/32 for the one address.',
      'monitoring: from[4] = "my office" | This is not a network in CIDR form. | Write it as 203.0.113.0/24 or 2001:db8::/48.',
    ],
  ],
  [
    "a port of the system's services",
    lab({ monitoring: { port: 22 } }),
    [
      "monitoring: port = 22 | It must be from 1024 to 65535: the exporter has no privileges. | Choose a number there, e.g. 9552.",
    ],
  ],
  [
    "the port of a machine's sshd",
    ssh({ monitoring: { port: 2222 }, workers: [machine("w1", "203.0.113.2", { port: 2222 })] }),
    ["monitoring: port = 2222 | sshd of w1 listens on port 2222 already. | Choose another, e.g. 9552."],
  ],
  [
    "sshd on the port that it has by default",
    ssh({ monitoring: {}, workers: [machine("w1", "203.0.113.2", { port: 9552 })] }),
    ["monitoring: port | sshd of w1 listens on port 9552 already. | Choose another, e.g. 9553."],
  ],
  [
    "a port that is open to everybody",
    lab({ hosts: { provider: "lab", openPorts: [9552] }, monitoring: { from: ["10.0.0.0/8"] } }),
    [
      "monitoring: port | openPorts of hosts lets everybody in to port 9552. | Remove it there: `from` says who may fetch the numbers.",
    ],
  ],
  [
    "a misspelt key",
    lab({ monitoring: { form: ["10.0.0.0/8"] } }),
    ["monitoring: form | There is no such key in monitoring. | Did you mean from?"],
  ],
  [
    "true",
    lab({ monitoring: true }),
    ['stack: monitoring = true | It must be an object, but is true or false. | Give it, e.g. {"from":["10.0.0.0/8"]}.'],
  ],
];

testFaults(faults);

test("absent it stays absent; given, its defaults are filled", () => {
  assert.equal("monitoring" in parseStackConfig(lab()), false);
  assert.deepEqual(parseStackConfig(lab({ monitoring: {} })).monitoring, { port: 9552, from: [] });
});

test("a component's arguments have the same rules", () => {
  assert.deepEqual(validateMonitoring("hosts", undefined, {}), []);
  assert.deepEqual(validateMonitoring("hosts", { port: 9552, from: ["10.0.0.0/8"] }, { openPorts: [9100] }), []);
  assert.deepEqual(
    validateMonitoring("hosts", { port: 9100, from: ["0.0.0.0/0"] }, { openPorts: [9100] }).map(
      ({ property }) => property,
    ),
    ["from[0]", "port"],
  );
  assert.match(validateMonitoring("hosts", 7, {}).map(line).join(), /^hosts: monitoring = 7 \| It must be an object/);
});
