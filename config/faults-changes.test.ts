// What a report says of faults in how changes go over the machines, word for word.
import { type Fault, lab, machine, project, ssh, testFaults } from "./samples";

const faults: Fault[] = [
  [
    "a balancer that is not there",
    lab({ balancers: 2, publishing: ["balancer1", "balancer3"] }),
    ['publishing: [1] = "balancer3" | There is no balancer of this name. | Did you mean balancer2?'],
  ],
  [
    "a worker that is not there, nor a name like it",
    lab({ workers: ["north", "south"], listed: ["east"] }),
    [
      'listed: [0] = "east" | There is no machine that runs backends of this name. | Write north or south, or remove it.',
    ],
  ],
  [
    "a worker that left, beside those that stay",
    lab({ workers: 2, listed: ["worker1", "worker2", "worker3"] }),
    [
      'listed: [2] = "worker3" | There is no machine that runs backends of this name. | worker1 is named already: remove this one.',
    ],
  ],
  [
    "a name of another kind, beside all that there are",
    lab({ workers: ["north"], publishing: ["balancer1", "north"] }),
    ['publishing: [1] = "north" | There is no balancer of this name. | Remove it.'],
  ],
  [
    "a worker of many",
    lab({ workers: 9, listed: ["x"], projects: [project({ softmapTorWorkers: 1 })] }),
    [
      'listed: [0] = "x" | There is no machine that runs backends of this name. | Write worker1, worker2, worker3, worker4, worker5, worker6 or another of the 9, or remove it.',
    ],
  ],
  [
    "a balancer that runs no backends, listed",
    lab({ listed: ["balancer1"] }),
    [
      'listed: [0] = "balancer1" | There is no machine that runs backends of this name. | balancer1 is a balancer only: set workersOnBalancers: true, or remove it here.',
    ],
  ],
  [
    "names of machines that ssh reaches",
    ssh({
      publishing: ["w1"],
      listed: ["w1", "w9"],
      workers: [machine("w1", "203.0.113.2"), machine("w2", "203.0.113.3")],
    }),
    [
      'publishing: [0] = "w1" | There is no balancer of this name. | Did you mean b1?',
      'listed: [1] = "w9" | There is no machine that runs backends of this name. | Did you mean w2?',
    ],
  ],
  [
    "names twice",
    lab({ publishing: ["balancer1", "balancer1"], listed: ["worker2", "worker1", "worker2"] }),
    [
      'publishing: [1] = "balancer1" | The machine is named twice. | Remove one of them.',
      'listed: [2] = "worker2" | The machine is named twice. | Remove one of them.',
    ],
  ],
  [
    "nobody publishes and nobody is listed",
    lab({ publishing: [], listed: [] }),
    [
      "stack: publishing | Without a balancer that publishes every site would be gone. | Name at least one, or remove `publishing`: then every balancer publishes.",
      "stack: listed | Without a listed worker no site has a backend. | Name at least one, or remove `listed`: then every worker is listed.",
    ],
  ],
  [
    "a number of listed workers, and a name that is none",
    lab({ listed: 2, publishing: [1] }),
    [
      'publishing: [0] = 1 | It must be text, but is a number. | Give it, e.g. "balancer1".',
      'stack: listed = 2 | It must be a list, but is a number. | Give it, e.g. ["worker1","worker2"].',
    ],
  ],
  [
    "12 backends on listed workers",
    lab({
      publisher: "onionbalance",
      workers: 8,
      listed: ["worker1", "worker2", "worker3", "worker4"],
      projects: [project({ softmapTorWorkers: 3 })],
    }),
    [
      "project news: softmapTorWorkers = 3 | 4 listed workers x 3 tor daemons = 12 backends x 2 introduction points = 24 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Remove `publisher` or set it to distinct, or set softmapTorWorkers to 2, or list at most 3 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "waves of no worker, and a canary below none",
    lab({ rollout: { canary: -1, waveSize: 0 } }),
    [
      "rollout: canary = -1 | It must be from 0 to 50. | Choose a number there, e.g. 1.",
      "rollout: waveSize = 0 | It must be from 1 to 50. | Choose a number there, e.g. 2.",
    ],
  ],
  [
    "half a worker, and a pause without unit",
    lab({ rollout: { waveSize: 1.5, pause: 60 } }),
    [
      "rollout: waveSize = 1.5 | It must be a whole number, but is a fraction. | Give it, e.g. 2.",
      "rollout: pause = 60 | It must be text, but is a number. | Write 60s if seconds are meant.",
    ],
  ],
  [
    "a pause of a day",
    lab({ rollout: { pause: "24h" } }),
    ['rollout: pause = "24h" | It must be from 0s to 1h. | Choose a value there; the default is 0s.'],
  ],
  [
    "a misspelt key and an unknown one in the rollout",
    lab({ rollout: { wavesize: 2, colour: "blue" } }),
    [
      "rollout: wavesize | There is no such key in rollout. | Did you mean waveSize?",
      "rollout: colour | There is no such key in rollout. | Remove it; the keys there are canary, waveSize, pause.",
    ],
  ],
  [
    "a number for the rollout",
    lab({ rollout: 2 }),
    [
      'stack: rollout = 2 | It must be an object, but is a number. | Give it, e.g. {"canary":1,"waveSize":2,"pause":"1m"}.',
    ],
  ],
  [
    "a key of the rollout in the stack",
    lab({ canary: 2 }),
    ["stack: canary | There is no such key in the stack's config. | It belongs to rollout: move it there."],
  ],
  [
    "times out of range",
    lab({ drainTimeout: "2h", rollbackWindow: "721h" }),
    [
      'stack: drainTimeout = "2h" | It must be from 0s to 1h. | Choose a value there; the default is 2m.',
      'stack: rollbackWindow = "721h" | It must be from 0s to 720h. | Choose a value there; the default is 24h.',
    ],
  ],
];

testFaults(faults);
