// What a report says of faults in keys, types and values, word for word.
import { type Fault, lab, project, testFaults } from "./samples";

const faults: Fault[] = [
  [
    "a misspelt key",
    lab({ wrokers: 3 }),
    ["stack: wrokers | There is no such key in the stack's config. | Did you mean workers?"],
  ],
  [
    "a misspelt required key, told once",
    { hosts: { provider: "lab" }, project: [project()] },
    ["stack: project | There is no such key in the stack's config. | Did you mean projects?"],
  ],
  [
    "an unknown key",
    lab({ colour: "blue" }),
    [
      "stack: colour | There is no such key in the stack's config. | Remove it; the keys there are hosts, balancers, workers, workersOnBalancers, publishing, listed, projects, protectKeys, rollout, publishTimeout, retireGrace, drainTimeout, rollbackWindow, publisher, timers, watchdog, monitoring, siteKeys, tlsKeys, upstreamKeys.",
    ],
  ],
  [
    "a key in Onionspray's spelling",
    lab({ projects: [project({ softmap_tor_workers: 2 })] }),
    [
      "project news: softmap_tor_workers | This is Onionspray's name of softmapTorWorkers. | Here it is softmapTorWorkers.",
    ],
  ],
  [
    "a key at the wrong level",
    lab({ softmapTorWorkers: 2 }),
    [
      "stack: softmapTorWorkers | There is no such key in the stack's config. | It belongs to a project: move it there.",
    ],
  ],
  [
    "a misspelt key beside the right one",
    lab({ worker: 3, workers: 2 }),
    ["stack: worker | There is no such key in the stack's config. | workers is given already: remove this one."],
  ],
  [
    "text for a number",
    lab({ workers: "two" }),
    ['stack: workers = "two" | It must be a number or a list, but is text. | Give it, e.g. 2.'],
  ],
  [
    "a number for text",
    lab({ projects: [project({ nginxTimeout: 15 })] }),
    ["project news: nginxTimeout = 15 | It must be text, but is a number. | Write 15s if seconds are meant."],
  ],
  [
    "a fraction",
    lab({ projects: [project({ softmapTorWorkers: 1.5 })] }),
    ["project news: softmapTorWorkers = 1.5 | It must be a whole number, but is a fraction. | Give it, e.g. 2."],
  ],
  [
    "an object for a list",
    lab({ projects: project() }),
    [
      'stack: projects | It must be a list, but is an object. | Give it, e.g. [{"name":"news","sites":[{"domain":"www.example.org"}]}].',
    ],
  ],
  [
    "text for true or false",
    lab({ protectKeys: "yes" }),
    ['stack: protectKeys = "yes" | It must be true or false, but is text. | Write true or false.'],
  ],
  [
    "empty for a project",
    lab({ projects: [null] }),
    [
      'projects: [0] = null | It must be an object, but is empty. | Give it, e.g. {"name":"news","sites":[{"domain":"www.example.org"}]}.',
    ],
  ],
  [
    "a project without sites",
    lab({ projects: [{ name: "news", sites: [] }] }),
    ['project news: sites | The list is empty. | Give it, e.g. [{"domain":"www.example.org"}].'],
  ],
  [
    "no config at all",
    {},
    [
      'stack: hosts | It is missing. | Give it, e.g. {"provider":"lab"}.',
      'stack: projects | It is missing. | Give it, e.g. [{"name":"news","sites":[{"domain":"www.example.org"}]}].',
    ],
  ],
  [
    "an unknown provider",
    lab({ hosts: { provider: "shh" } }),
    ['hosts: provider = "shh" | The provider is lab, ssh, aws or local. | Did you mean ssh?'],
  ],
  [
    "a provider of a later day",
    lab({ hosts: { provider: "openstack" } }),
    [
      'hosts: provider = "openstack" | The provider is lab, ssh, aws or local. | Write lab for the built-in lab, ssh for machines that exist, aws for EC2 instances that the stack makes, local for this machine.',
    ],
  ],
  [
    "a duration without unit",
    lab({ retireGrace: "600" }),
    [
      'stack: retireGrace = "600" | A duration is a whole number and its unit: s, m or h. | Write 600s if seconds are meant.',
    ],
  ],
  [
    "a duration out of range",
    lab({ publishTimeout: "5s" }),
    ['stack: publishTimeout = "5s" | It must be from 1m to 6h. | Choose a value there; the default is 15m.'],
  ],
];

testFaults(faults);
