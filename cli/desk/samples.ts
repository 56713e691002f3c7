// A stack that is well, for tests: one balancer, two workers, one project of two sites. Each test changes what it is about.
import type { DeployedStack, MachineSeen, Survey, TorSeen, UnitSeen } from "./survey";

/** An onion of one letter, as it were. */
export const onion = (letter: string): string => `${letter.repeat(56)}.onion`;

const backends = ["worker1", "worker2"].flatMap((worker, w) =>
  [1, 2].map((n) => ({
    name: `news-${worker}-${n}`,
    worker,
    project: "news",
    address: onion("abcd"[w * 2 + n - 1] ?? ""),
  })),
);
const sites = [
  { project: "news", domain: "www.daily.test", address: onion("y") },
  { project: "news", domain: "court.test", address: onion("z") },
];

/** The stack, with keys that would show if they were printed. */
export const stack: DeployedStack = {
  stack: "organization/softmap/prod",
  machines: new Map(
    ["balancer1", "worker1", "worker2"].map((name, i) => [
      name,
      { host: `203.0.113.${i + 1}`, user: "admin", hostKey: "ssh-ed25519 AAAA", privateKey: "a private key" },
    ]),
  ),
  workers: ["worker1", "worker2"],
  balancers: ["balancer1"],
  backends,
  sites,
};

/** A unit that runs. */
export const unit = (name: string, kind: UnitSeen["kind"], more: Partial<UnitSeen> = {}): UnitSeen => ({
  unit: name,
  kind,
  project: null,
  planned: "run",
  state: "active",
  sub: "running",
  enabled: true,
  restarts: 0,
  age: 7200,
  memoryMb: 20,
  pid: 100,
  ...more,
});

/** A tor that works. */
export const tor = (name: string, backend: TorSeen["backend"] = null): TorSeen => ({
  unit: name,
  error: null,
  version: "0.4.8.16",
  bootstrapped: 100,
  summary: "Done",
  circuits: true,
  guards: { up: 2, all: 8 },
  backend,
});

const system: MachineSeen["system"] = {
  os: "Debian GNU/Linux 12 (bookworm)",
  architecture: "x86_64",
  cores: 2,
  load: 0.2,
  memoryMb: { total: 2000, free: 1200 },
  uptime: 100_000,
  clockAhead: 0,
  clockSynchronised: true,
  disks: [{ place: "/", totalMb: 20_000, freeMb: 12_000 }],
  packages: { tor: "0.4.8.16-1", nginx: "1.22.1-9", onionbalance: "0.2.2-1" },
};

const role = (name: MachineSeen["roles"][number]["role"], owner: string): MachineSeen["roles"][number] => ({
  role: name,
  owner,
  release: "0123456789ab",
  proved: "0123456789ab",
  age: 7200,
});

function worker(name: string): MachineSeen {
  const mine = backends.filter((backend) => backend.worker === name);
  const unitOf = (n: number): string => `softmap-tor@news-${n}-00ff.service`;
  return {
    system,
    lock: null,
    roles: [role("base", `hosts on ${name}`), role("worker", `workers on ${name}`)],
    drift: [],
    units: [
      unit("softmap-base.service", "base", { sub: "exited", pid: null, memoryMb: null }),
      unit("softmap-nginx@news.service", "nginx", { project: "news" }),
      ...mine.map((_, i) => unit(unitOf(i + 1), "tor", { project: "news" })),
    ],
    tors: mine.map(({ name: backend, address }, i) =>
      tor(unitOf(i + 1), {
        name: backend,
        address,
        introductionPoints: 6,
        obConfig: sites.map((site) => site.address),
      }),
    ),
    proxies: [
      {
        project: "news",
        unit: "softmap-nginx@news.service",
        answers: true,
        sites: [{ domain: sites[name === "worker1" ? 0 : 1]?.domain ?? "", status: 200, seconds: 0.1, error: null }],
      },
    ],
    certificates: [{ project: "news", domain: "www.daily.test", fingerprint: "0".repeat(64), left: 60 * 86_400 }],
    publisher: null,
  };
}

const balancer: MachineSeen = {
  ...worker("nobody"),
  roles: [
    role("base", "hosts on balancer1"),
    role("balancer", "balancer on balancer1"),
    role("publisher", "balancer on balancer1"),
  ],
  units: [
    unit("softmap-balancer-tor.service", "balancer tor"),
    unit("softmap-base.service", "base", { sub: "exited", pid: null, memoryMb: null }),
    unit("softmap-onionbalance.service", "onionbalance"),
  ],
  tors: [tor("softmap-balancer-tor.service")],
  proxies: [],
  certificates: [],
  publisher: {
    standby: false,
    error: null,
    sites: sites.map(({ domain, address }) => ({
      domain,
      address,
      attempted: 600,
      backends: backends.map(({ name, address: own }) => ({ name, address: own, received: 60, points: 3, listed: 2 })),
      published: { error: null, points: 8, unknown: 0, took: 1.2 },
    })),
  },
};

/** One look at it, all well. A fresh copy each time. */
export function healthy(): Survey {
  return structuredClone({
    stack: stack.stack,
    taken: "2026-01-01T12:00:00.000Z",
    backends,
    sites,
    machines: [
      { name: "balancer1", seen: balancer },
      { name: "worker1", seen: worker("worker1") },
      { name: "worker2", seen: worker("worker2") },
    ],
  });
}

/** What a machine of a survey says. Throws an Error when it says nothing. */
export function seenOf(survey: Survey, name: string): MachineSeen {
  const seen = survey.machines.find((machine) => machine.name === name)?.seen;
  if (seen === undefined) throw new Error(`${name} says nothing`);
  return seen;
}
