import * as pulumi from "@pulumi/pulumi";
import { releaseProgram, type ProjectProof, type Service, type StateDir, type StateFile } from "../host/program";
import {
  controlSocket,
  dataDir,
  nginxHealthSocket,
  nginxSocket,
  nginxSocketDir,
  nginxStateDir,
  onionDir,
  torSocksSocket,
  torStateDir,
  units,
  users,
  workerFiles,
} from "../plan/names";
import type { Host } from "./hosts/host";
import { releaseDefaults } from "./releaseDefaults";
import { ownerOf } from "./retirement";
import type { PlannedFile } from "./unitFiles";
import type { BackendService } from "./workers";

/** The rendered files of one project, the same on every worker. */
export interface ProjectFiles {
  readonly project: string;
  readonly nginx: pulumi.Output<string>;
  readonly listen: pulumi.Output<string>;
  /** A file for each site. */
  readonly sites: readonly {
    readonly domain: string;
    readonly onion: pulumi.Output<string>;
    readonly nginx: pulumi.Output<string>;
  }[];
  readonly obConfig: pulumi.Output<string>;
  /** One torrc for each daemon, in their order. */
  readonly daemons: readonly { readonly daemon: string; readonly torrc: pulumi.Output<string> }[];
}

/** The rendered units of a worker. */
export interface WorkerUnits {
  readonly tor: pulumi.Output<string>;
  readonly nginx: pulumi.Output<string>;
}

/** What one worker gets. */
export interface WorkerReleaseArgs {
  readonly host: Host;
  /** The component's name. */
  readonly workers: string;
  readonly projects: readonly ProjectFiles[];
  readonly units: WorkerUnits;
  /** The backends of this worker. */
  readonly backends: readonly BackendService[];
  /** Seconds that the machine is watched after a change. */
  readonly pause: number;
}

/** Debian's packages that a worker needs: tor and nginx with the modules that its config loads; ss counts visitors. */
const packages = [
  "tor",
  "nginx",
  "libnginx-mod-http-headers-more-filter",
  "libnginx-mod-http-lua",
  "ca-certificates",
  "curl",
  "iproute2",
];

/** The whole of a worker as one program: packages, users, keys, every project's nginx and tors. */
export function workerRelease(args: WorkerReleaseArgs): pulumi.Output<string> {
  const { host, workers, projects, units: unitFiles, backends, pause } = args;
  const keys = backends.map(({ name, project, daemon, key }) => ({
    name,
    project,
    daemon,
    address: key.address,
    secretKey: key.secretKey,
    publicKey: key.publicKey,
    hostname: key.hostname,
  }));
  return pulumi
    .output({ projects, files: workerFilesOf(projects, unitFiles), keys, instance: host.instance })
    .apply((known) =>
      releaseProgram({
        ...releaseDefaults(),
        role: "worker",
        owner: ownerOf(workers, host),
        host: host.name,
        instance: known.instance ?? "",
        packages,
        users: [
          { name: users.nginx, groups: [] },
          { name: users.tor, groups: [users.nginx] },
        ],
        dirs: [
          { path: torStateDir, owner: users.tor, group: users.tor, mode: "0700" },
          ...known.projects.flatMap(({ project }) => nginxDirs(project)),
          ...known.keys.flatMap(({ daemon }) => [dataDir(daemon), onionDir(daemon)]).map(torOwned),
        ],
        files: known.files,
        state: known.keys.flatMap(onionFiles),
        services: workerServices(projects),
        proof: known.projects.map(({ project, sites }): ProjectProof => ({
          project,
          unit: units.nginx(project),
          socket: nginxSocket(project, 1),
          sites: sites.map(({ onion }) => onion),
          domains: sites.map(({ domain }) => domain),
          backends: known.keys
            .filter((key) => key.project === project)
            .map(({ name, daemon, address }) => ({
              name,
              address,
              unit: units.tor(daemon),
              socks: torSocksSocket(daemon),
            })),
        })),
        pauseSeconds: pause,
      }),
    );
}

/** Every file of a worker's release. */
export function workerFilesOf(projects: readonly ProjectFiles[], unitFiles: WorkerUnits): PlannedFile[] {
  return [
    { path: workerFiles.torUnit, text: unitFiles.tor },
    { path: workerFiles.nginxUnit, text: unitFiles.nginx },
    ...projects.flatMap(({ project, nginx, listen, sites, obConfig, daemons }): PlannedFile[] => [
      { path: workerFiles.nginx(project), text: nginx },
      { path: workerFiles.nginxListen(project), text: listen },
      ...sites.map((site) => ({ path: workerFiles.nginxSite(project, site.domain), text: site.nginx })),
      ...daemons.flatMap(({ daemon, torrc }): PlannedFile[] => [
        { path: workerFiles.torrc(daemon), text: torrc },
        {
          path: workerFiles.obConfig(daemon),
          text: obConfig,
          install: { ...torOwned(`${onionDir(daemon)}/ob_config`), mode: "0600" },
        },
      ]),
    ]),
  ];
}

/** Paths of a worker's release that the plan has; a host may carry others for what is about to leave. */
export function plannedFiles(projects: readonly ProjectFiles[]): string[] {
  return projects.flatMap(({ project, sites, daemons }) => [
    workerFiles.nginx(project),
    workerFiles.nginxListen(project),
    ...sites.map(({ domain }) => workerFiles.nginxSite(project, domain)),
    ...daemons.flatMap(({ daemon }) => [workerFiles.torrc(daemon), workerFiles.obConfig(daemon)]),
  ]);
}

/** Every unit of a worker. */
export function workerServices(projects: readonly ProjectFiles[]): Service[] {
  return projects.flatMap(({ project, daemons }) => [
    nginxService(project),
    ...daemons.map(({ daemon }) => torService(daemon)),
  ]);
}

/** A HiddenServiceDir's three files, as tor itself would have made them. */
function onionFiles(key: { daemon: string; secretKey: string; publicKey: string; hostname: string }): StateFile[] {
  const file = (name: string, base64: string): StateFile => ({
    ...torOwned(`${onionDir(key.daemon)}/${name}`),
    mode: "0600",
    base64,
  });
  return [
    file("hs_ed25519_secret_key", key.secretKey),
    file("hs_ed25519_public_key", key.publicKey),
    file("hostname", Buffer.from(key.hostname).toString("base64")),
  ];
}

function torOwned(path: string): { path: string; owner: string; group: string; mode: string } {
  return { path, owner: users.tor, group: users.tor, mode: "0700" };
}

/** The unit makes them too, but nginx must pass its test before the unit has ever run. */
function nginxDirs(project: string): StateDir[] {
  const owner = { owner: users.nginx, group: users.nginx };
  return [
    { path: nginxSocketDir(project), ...owner, mode: "0750" },
    { path: nginxStateDir(project), ...owner, mode: "0700" },
  ];
}

/** The nginx of a project. A restart, which only another unit asks for, turns visitors away for a moment: all else is reloaded. */
export function nginxService(project: string): Service {
  return {
    unit: units.nginx(project),
    verify: ["nginx", "-e", "stderr", "-t", "-q", "-c", `{release}/${workerFiles.nginx(project)}`],
    verifyAs: users.nginx,
    reloadOn: [workerFiles.nginx(project), workerFiles.nginxListen(project), workerFiles.nginxSites(project)],
    restartOn: [],
    health: { kind: "nginx", socket: nginxHealthSocket(project) },
  };
}

/**
 * One tor daemon. What only a start takes over is in its generation, so no change of the config restarts it; a machine whose `ob_config` or
 * key was changed by hand does.
 */
function torService(daemon: string): Service {
  return {
    unit: units.tor(daemon),
    verify: ["tor", "--verify-config", "--defaults-torrc", "/dev/null", "-f", `{release}/${workerFiles.torrc(daemon)}`],
    verifyAs: users.tor,
    reloadOn: [workerFiles.torrc(daemon)],
    restartOn: [`${onionDir(daemon)}/ob_config`, `${onionDir(daemon)}/hs_ed25519_secret_key`],
    health: { kind: "tor", control: controlSocket(daemon), uploads: true },
  };
}
