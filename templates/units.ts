import {
  balancerFiles,
  balancerPaths,
  controlSocket,
  currentFile,
  dataDir,
  nginxSocketDir,
  proberPaths,
  publisherFiles,
  users,
  watchdogPaths,
  workerFiles,
} from "../plan/names";
import { systemd } from "./quote";
import type { Template } from "./template";

/** Units whose text is the same everywhere. */
export type UnitModel = Record<string, never>;

// systemd wants RuntimeDirectory= and StateDirectory= relative to /run and /var/lib.
const below = (root: string, path: string): string => path.slice(root.length + 1);
const folder = (path: string): string => path.slice(0, path.lastIndexOf("/"));

/** softmap-tor@<daemon>.service on a worker. */
export const unitTor: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-tor", "sandbox"],
  title: () => "unit of the backend tors",
  locals: () => ({
    user: users.tor,
    nginxGroup: users.nginx,
    torrc: currentFile("worker", workerFiles.torrc("%i")),
    state: below("/var/lib", dataDir("%i")),
    runtime: below("/run", folder(controlSocket("%i"))),
  }),
};

/** softmap-nginx@<project>.service on a worker. */
export const unitNginx: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-nginx", "sandbox"],
  title: () => "unit of the nginxes",
  locals: () => ({
    user: users.nginx,
    config: currentFile("worker", workerFiles.nginx("%i")),
    prefix: currentFile("worker", workerFiles.nginxPrefix),
    state: "softmap/nginx/%i",
    sockets: nginxSocketDir("%i"),
    pid: `${nginxSocketDir("%i")}/nginx.pid`,
    runtime: below("/run", nginxSocketDir("%i")),
  }),
};

/** softmap-balancer-tor.service on a balancer. */
export const unitBalancerTor: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-balancer-tor", "sandbox"],
  title: () => "unit of the balancer's tor",
  locals: () => ({
    user: users.tor,
    group: users.onionbalance,
    torrc: currentFile("balancer", balancerFiles.torrc),
    state: below("/var/lib", balancerPaths.dataDir),
    runtime: below("/run", folder(balancerPaths.controlSocket)),
  }),
};

/** softmap-onionbalance.service on a balancer. */
export const unitOnionbalance: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-onionbalance", "sandbox"],
  title: () => "unit of Onionbalance",
  locals: () => ({
    user: users.onionbalance,
    program: currentFile("publisher", publisherFiles.program),
    settings: currentFile("publisher", publisherFiles.settings),
    config: currentFile("publisher", publisherFiles.onionbalance),
    control: balancerPaths.controlSocket,
    status: balancerPaths.statusSocket,
    runtime: below("/run", folder(balancerPaths.statusSocket)),
  }),
};

/** softmap-prober-tor.service on a balancer: the watchdog's own tor. */
export const unitProberTor: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-prober-tor", "sandbox"],
  title: () => "unit of the watchdog's tor",
  locals: () => ({
    user: users.tor,
    group: users.watchdog,
    torrc: currentFile("balancer", balancerFiles.proberTorrc),
    state: below("/var/lib", proberPaths.dataDir),
    runtime: below("/run", folder(proberPaths.socksSocket)),
  }),
};

/** softmap-watchdog.service on a balancer. */
export const unitWatchdog: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-watchdog", "sandbox"],
  title: () => "unit of the watchdog",
  locals: () => ({
    user: users.watchdog,
    program: currentFile("publisher", publisherFiles.watchdog),
    config: currentFile("publisher", publisherFiles.onionbalance),
    settings: currentFile("publisher", publisherFiles.settings),
    socks: proberPaths.socksSocket,
    folder: folder(watchdogPaths.leaveOut),
    runtime: below("/run", folder(watchdogPaths.leaveOut)),
  }),
};
