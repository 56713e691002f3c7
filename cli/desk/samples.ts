// A stack that is well, for tests: one balancer, two workers, one project of two sites. Each test changes what it is about.
import type { DeployedStack, MachineSeen, PublishedSite, SiteTold, Survey, TorSeen, UnitSeen } from "./survey";

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

type Open<T> = T extends object ? { -readonly [K in keyof T]: Open<T[K]> } : T;
type Looked = Open<NonNullable<PublishedSite["published"]>>;

/** What came when a site's descriptor was asked for; well, but for what is given. */
export const look = (more: Partial<Looked> = {}): Looked => ({
  ...{ error: null, points: 8, all: 8, unknown: 0, took: 1.2, asked: 1, silent: [], ...more },
});

/** A site as a publisher tells of it when every directory has stored its descriptor; `at` says which backend is at the n-th. */
export function siteTold(names: readonly string[], at: (backend: number, directory: number) => boolean): SiteTold {
  const directories = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({
    ...{ fingerprint: String(n).repeat(40), replica: n < 4 ? 1 : 2, asked: n % 4 < 3, state: "stored", reason: "" },
    ...{ tries: 1, seconds: 1.2, bytes: 41_000, backends: names.filter((_, i) => at(i, n)) },
  }));
  const common = { age: 600, why: "it was not published before", points: 8 * names.length, directories };
  return {
    ...{ backends: names.length, listed: names.length, leftOut: [], spared: [] },
    descriptors: [
      { which: "first", period: 19_000, readers: true, ...common },
      { which: "second", period: 19_001, readers: false, ...common },
    ],
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
    said: null,
    told: { mode: "onionbalance", age: 3, problems: [] },
    watchdog: null,
    sites: sites.map(({ domain, address }) => ({
      domain,
      address,
      attempted: 600,
      backends: backends.map(({ name, address: own }) => ({
        ...{ name, address: own, received: 60, points: 3, listed: 2, directories: 1 },
      })),
      told: siteTold(
        backends.map(({ name }) => name),
        () => true,
      ),
      published: look(),
    })),
  },
};

/** The same with distinct descriptors and a watchdog: each backend at three of the six directories that clients ask. */
export function distinct(): Survey {
  const survey = JSON.parse(JSON.stringify(healthy())) as Survey;
  const { publisher, units, tors } = seenOf(survey, "balancer1");
  const watched = backends.map(({ name, address }) => ({
    ...{ name, address, state: "answers", age: 900, answered: 4, seconds: 0.8, failures: 0, probes: 180, why: "" },
  }));
  Object.assign(publisher ?? {}, {
    told: { mode: "distinct", age: 3, problems: [] },
    watchdog: { age: 2, every: 5, broken: "", backends: watched },
  });
  for (const site of publisher?.sites ?? []) {
    const names = backends.map(({ name }) => name);
    const told = siteTold(names, (backend, directory) => (backend + directory + Number(directory > 3)) % 2 === 0);
    const published = look({ took: 2.5, asked: 6 });
    Object.assign(site, { told, published });
    for (const row of site.backends) Object.assign(row, { listed: 6, directories: 3 });
  }
  (units as UnitSeen[]).push(
    unit("softmap-prober-tor.service", "prober tor"),
    unit("softmap-watchdog.service", "watchdog"),
  );
  (tors as TorSeen[]).push(tor("softmap-prober-tor.service"));
  return survey;
}

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
