// Every name and path that softmap makes on a host, in one place: whoever renders, releases, checks or retires takes them from here.

/** Unprivileged system users, each with a group of the same name. */
export const users = {
  /** Every tor: the backends' and the balancer's. */
  tor: "softmap-tor",
  /** Every nginx, its master too. */
  nginx: "softmap-nginx",
  /** Onionbalance with our layer: the publisher. */
  onionbalance: "softmap-onionbalance",
  /** What probes the backends: it can read no site key, and no control socket. */
  watchdog: "softmap-watchdog",
} as const;

/** The parts of a host that are released apart, each with its own tree: the machine's base; all backends of all projects; the balancer's tor; Onionbalance; what tells of them to Prometheus. */
export type Role = "base" | "worker" | "balancer" | "publisher" | "metrics";

/** The longest path a unix socket can have, in bytes: sun_path is 108 with its closing NUL (unix(7)). */
export const longestSocketPath = 107;

/** The most tor daemons a project can have on one worker: its nginx has sockets for so many. How many can be published is plan/budget.ts's. */
export const mostDaemons = 20;

const etc = "/etc/softmap";
const lib = "/var/lib/softmap";
const run = "/run/softmap";

/**
 * `<project>-<n>-<generation>`: the n-th (from 1) tor daemon of a project on any worker, e.g. `news-1-3fa9`. The
 * generation, 4 hex digits, stands for all that a tor takes over at its start alone: a change of that is another daemon.
 */
export function daemonName(project: string, n: number, generation: string): string {
  return `${project}-${n}-${generation}`;
}

/**
 * The tor of a worker that is a client and no backend: single onion services have no SocksPort, so their proofs go through it.
 * No project's daemon can have the name: theirs end in a number and a generation.
 */
export const torClient = "client";

/** `<project>-<worker>-<n>`: one tor daemon on one worker, an instance to Onionbalance, e.g. `news-worker1-2`. */
export function backendName(project: string, worker: string, n: number): string {
  return `${project}-${worker}-${n}`;
}

/** `/etc/softmap/<role>`: a role's tree of releases. */
const roleDir = (role: Role): string => `${etc}/${role}`;
/** `/etc/softmap/<role>/releases`: one directory a release, named by its content. */
export const releasesDir = (role: Role): string => `${roleDir(role)}/releases`;
/** `/etc/softmap/<role>/current`: link to the release that serves. */
export const currentLink = (role: Role): string => `${roleDir(role)}/current`;
/** Where a file of the serving release is, e.g. `/etc/softmap/worker/current/nginx/news.conf`. */
export const currentFile = (role: Role, file: string): string => `${currentLink(role)}/${file}`;

/** Files of a worker's release, relative to it. */
export const workerFiles = {
  torrc: (daemon: string): string => `tor/${daemon}/torrc`,
  obConfig: (daemon: string): string => `tor/${daemon}/ob_config`,
  /** What concerns the whole project: the file that nginx is started with, and includes the others. */
  nginx: (project: string): string => `nginx/${project}.conf`,
  /** The folder of the project's sites, with its closing slash: all that is in it begins so. */
  nginxSites: (project: string): string => `nginx/${project}/`,
  /** One site, a file of its own: a site that comes or goes is a file that comes or goes. */
  nginxSite: (project: string, domain: string): string => `nginx/${project}/${domain}.conf`,
  /** The sockets that every site of the project listens on, for http and for https. */
  nginxListen: (project: string, kind: "http" | "https"): string => `nginx/${project}.${kind}.listen`,
  /** A site's certificate with its chain: beside the site's file, public. */
  nginxCertificate: (project: string, domain: string): string => `nginx/${project}/${domain}.crt`,
  /** What a site shows its upstream, the same. */
  nginxUpstreamCertificate: (project: string, domain: string): string => `nginx/${project}/${domain}.upstream.crt`,
  /** By whom a site's upstream is vouched for, where that is not the system's authorities. */
  nginxUpstreamAuthorities: (project: string, domain: string): string => `nginx/${project}/${domain}.authorities.crt`,
  /** The folder that nginx is started in (`-p`): all of its files are below it. With its closing slash. */
  nginxPrefix: "nginx/",
  /** What runs inside nginx, for all projects (proxy/), with its closing slash. */
  nginxLua: "nginx/lua/",
  torUnit: "units/softmap-tor@.service",
  nginxUnit: "units/softmap-nginx@.service",
} as const;

/** Files of the release of a balancer's tor, relative to it. */
export const balancerFiles = {
  torrc: "tor/torrc",
  torUnit: "units/softmap-balancer-tor.service",
  /** The watchdog's own tor: probing costs circuits, and must not slow what publishes. */
  proberTorrc: "prober/torrc",
  proberUnit: "units/softmap-prober-tor.service",
} as const;

/** Files of Onionbalance's release, relative to it. */
export const publisherFiles = {
  onionbalance: "onionbalance/config.yaml",
  /** What the unit runs: Onionbalance with our layer, host/publisher.py packed. */
  program: "onionbalance/publisher.py",
  /** The publisher's and the watchdog's settings. */
  settings: "onionbalance/publisher.yaml",
  unit: "units/softmap-onionbalance.service",
  watchdog: "onionbalance/watchdog.py",
  watchdogUnit: "units/softmap-watchdog.service",
} as const;

/** Files of the release of a machine's base, relative to it; `place` says where a copy is put for the program that reads it. */
export const baseFiles = {
  firewall: "base/firewall.nft",
  firewallLoad: "base/firewall.sh",
  apply: "base/apply.sh",
  renew: "base/renew.py",
  kernel: { path: "base/kernel.conf", place: "/etc/sysctl.d/60-softmap.conf" },
  journal: { path: "base/journal.conf", place: "/etc/systemd/journald.conf.d/60-softmap.conf" },
  upgrades: { path: "base/upgrades.conf", place: "/etc/apt/apt.conf.d/52softmap" },
  needrestart: { path: "base/needrestart.conf", place: "/etc/needrestart/conf.d/softmap.conf" },
  apparmor: {
    tor: { path: "base/apparmor/tor", place: "/etc/apparmor.d/softmap-tor" },
    nginx: { path: "base/apparmor/nginx", place: "/etc/apparmor.d/softmap-nginx" },
    onionbalance: { path: "base/apparmor/onionbalance", place: "/etc/apparmor.d/softmap-onionbalance" },
  },
  firewallUnit: "units/softmap-firewall.service",
  firewallPath: "units/softmap-firewall.path",
  firewallReload: "units/softmap-firewall-reload.service",
  baseUnit: "units/softmap-base.service",
  renewUnit: "units/softmap-renew.service",
  renewTimer: "units/softmap-renew.timer",
} as const;

/** Files of the release of a machine's metrics, relative to it. */
export const metricsFiles = {
  program: "metrics/metrics.py",
  collectUnit: "units/softmap-metrics-collect.service",
  unit: "units/softmap-metrics.service",
} as const;

/** Where the collector writes what it found, for the exporter alone to read from: text, no secret in it. */
export const metricsText = `${run}/metrics/metrics.prom`;

/** What a machine's base has to say to people, a line each: what the machine cannot do. */
export const baseNotes = `${run}/base.notes`;

/** AppArmor profiles of the services, by the same names in `/etc/apparmor.d`. */
export const profiles = { tor: "softmap-tor", nginx: "softmap-nginx", onionbalance: "softmap-onionbalance" } as const;

/** The table of nftables that is ours, family inet. */
export const firewallTable = "softmap";

/** `/var/lib/softmap/tor`: the daemons' state, one directory each. */
export const torStateDir = `${lib}/tor`;
/** DataDirectory of a daemon, 0700 softmap-tor. */
export const dataDir = (daemon: string): string => `${torStateDir}/${daemon}`;
/** HiddenServiceDir of a daemon: tor's three key files and `ob_config`. */
export const onionDir = (daemon: string): string => `${dataDir(daemon)}/onion`;
/** ControlSocket of a daemon. */
export const controlSocket = (daemon: string): string => `${run}/tor/${daemon}/control`;
/** SocksPort of a daemon, for the release step: only root and softmap-tor can enter its folder. */
export const torSocksSocket = (daemon: string): string => `${run}/tor/${daemon}/socks`;

/** nginx's own folder for a project: bodies and answers too large for memory. 0700 softmap-nginx. */
export const nginxStateDir = (project: string): string => `${lib}/nginx/${project}`;
/** Where the keys of a project's certificates are. */
export const nginxKeyDir = (project: string): string => `${nginxStateDir(project)}/tls`;
/** A site's private key, 0400 softmap-nginx. Another certificate is another file: a staged config never meets the key of another one. */
export const nginxKeyFile = (project: string, domain: string, fingerprint: string): string =>
  `${nginxKeyDir(project)}/${domain}-${fingerprint.slice(0, 12)}.key`;
/** The key of what a site shows its upstream, the same. */
export const nginxUpstreamKeyFile = (project: string, domain: string, fingerprint: string): string =>
  nginxKeyFile(project, `${domain}-upstream`, fingerprint);
/** `/run/softmap/nginx/<project>`: 0750 softmap-nginx:softmap-nginx, tor is in that group. */
export const nginxSocketDir = (project: string): string => `${run}/nginx/${project}`;
/** What an nginx socket speaks: http or https; on a circuit's socket after a line of the PROXY protocol, which names the circuit. */
export type NginxSocketKind = "http" | "https" | "circuit http" | "circuit https";

const socketNames: Readonly<Record<NginxSocketKind, string>> = {
  http: "sock",
  https: "tls.sock",
  "circuit http": "circuit.sock",
  "circuit https": "circuit.tls.sock",
};

/** Every kind of socket that nginx has for a daemon. */
export const nginxSocketKinds = Object.keys(socketNames) as NginxSocketKind[];

/**
 * Where the n-th daemon's tor hands its streams to nginx: sockets of its own for each number, so that a request can be told from
 * its backend. A daemon and the next generation of it share theirs.
 * @example nginxSocket("news", 2, "circuit https") // "/run/softmap/nginx/news/2.circuit.tls.sock"
 */
export const nginxSocket = (project: string, n: number, kind: NginxSocketKind = "http"): string =>
  `${nginxSocketDir(project)}/${n}.${socketNames[kind]}`;
/** Answers 200 with the release marker; tor does not know it. */
export const nginxHealthSocket = (project: string): string => `${nginxSocketDir(project)}/health.sock`;
/** Answers with nginx's own counters (stub_status), where the machine is monitored; tor does not know it either. */
export const nginxStatusSocket = (project: string): string => `${nginxSocketDir(project)}/status.sock`;

/** The balancer's tor and Onionbalance on their host. */
export const balancerPaths = {
  dataDir: `${lib}/balancer-tor`,
  controlSocket: `${run}/balancer-tor/control`,
  socksSocket: `${run}/balancer-tor/socks`,
  /** 0700 softmap-onionbalance: the balancer's tor, which is in that group, cannot read a site key. */
  keysDir: `${lib}/onionbalance/keys`,
  statusSocket: `${run}/onionbalance/status`,
} as const;

/** The watchdog's own tor. */
export const proberPaths = {
  dataDir: `${lib}/prober-tor`,
  controlSocket: `${run}/prober-tor/control`,
  socksSocket: `${run}/prober-tor/socks`,
} as const;

/** What the publisher tells of its descriptors, directory by directory. */
export const publisherStatus = `${run}/onionbalance/publisher.json`;

/** What the watchdog writes: which backends are to be left out, and how it finds each. */
export const watchdogPaths = {
  leaveOut: `${run}/watchdog/leave-out.json`,
  status: `${run}/watchdog/status.json`,
} as const;

/** The operator's own list of backends to leave out; kept over reboots. */
export const operatorLeaveOut = `${lib}/leave-out/operator.json`;

/** A site's key for Onionbalance (tor's 96-byte format), by its address with or without `.onion`. */
export function siteKeyFile(address: string): string {
  return `${balancerPaths.keysDir}/${address.replace(/\.onion$/, "")}.key`;
}

/** systemd units. */
export const units = {
  tor: (daemon: string): string => `softmap-tor@${daemon}.service`,
  nginx: (project: string): string => `softmap-nginx@${project}.service`,
  balancerTor: "softmap-balancer-tor.service",
  onionbalance: "softmap-onionbalance.service",
  watchdog: "softmap-watchdog.service",
  proberTor: "softmap-prober-tor.service",
  firewall: "softmap-firewall.service",
  firewallPath: "softmap-firewall.path",
  firewallReload: "softmap-firewall-reload.service",
  base: "softmap-base.service",
  renewTimer: "softmap-renew.timer",
  metrics: "softmap-metrics.service",
  metricsCollect: "softmap-metrics-collect.service",
} as const;

/** Every socket of a kind that nginx has for a project's daemons, whether there is such a daemon or not: their number can change and nginx's files do not. */
export const nginxSockets = (project: string, kind: NginxSocketKind = "http"): string[] =>
  Array.from({ length: mostDaemons }, (_, at) => nginxSocket(project, at + 1, kind));

/** Every kind of unix socket that carries a project's name, each at its longest. */
export function projectSockets(project: string): string[] {
  const daemon = daemonName(project, mostDaemons, "0000");
  const proxy = nginxSocketKinds.map((kind) => nginxSocket(project, mostDaemons, kind));
  return [nginxHealthSocket(project), ...proxy, controlSocket(daemon), torSocksSocket(daemon)];
}

/** The longest project name whose sockets all have a path that the kernel takes. */
export const longestProjectName = Math.min(...projectSockets("").map((path) => longestSocketPath - path.length));

/** The longest host name: one DNS label (RFC 1035), because it becomes the machine's own. */
export const longestHostName = 63;

/** Name of the n-th (from 1) machine where only a number of them is given: `worker1`, `balancer1`. */
export const countedHost = (kind: "balancer" | "worker", n: number): string => `${kind}${n}`;
