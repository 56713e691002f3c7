import * as pulumi from "@pulumi/pulumi";
import { releaseProgram, type ProjectProof, type Service, type StateFile } from "../host/program";
import {
  controlSocket,
  dataDir,
  nginxSocket,
  onionDir,
  torClient,
  torSocksSocket,
  torStateDir,
  units,
  users,
  workerFiles,
} from "../plan/names";
import { proxyFiles } from "../proxy";
import type { FileSet } from "./fileSet";
import type { Host } from "./hosts/host";
import { dirsOfProxy, filesOfProxy, keysOfProxy, nginxService, type ProjectProxy } from "./projectProxy";
import { releaseDefaults } from "./releaseDefaults";
import { ownerOf } from "./retirement";
import type { PlannedFile } from "./unitFiles";
import type { BackendService } from "./workers";

/** The rendered files of one project, the same on every worker. */
export interface ProjectFiles {
  readonly project: string;
  /** Whether its daemons are single onion services: then they have no SocksPort, and the worker has a client for their proofs. */
  readonly singleOnion: boolean;
  readonly proxy: ProjectProxy;
  readonly obConfig: pulumi.Output<string>;
  /** One torrc for each daemon, in their order. */
  readonly daemons: readonly { readonly daemon: string; readonly torrc: pulumi.Output<string> }[];
}

/** What is rendered once for all projects of a worker: its units, and the torrc of its client where it has one. */
export interface WorkerUnits {
  readonly tor: pulumi.Output<string>;
  readonly nginx: pulumi.Output<string>;
  readonly clientTorrc?: pulumi.Output<string>;
}

/** What every worker of a pool gets, known. */
export type PoolContent = pulumi.Unwrap<{ projects: readonly ProjectFiles[]; files: readonly PlannedFile[] }>;

/** Put together once for a pool: with 100 sites on 30 machines it was seconds when each machine did. */
export function poolContent(
  projects: readonly ProjectFiles[],
  files: readonly PlannedFile[],
): pulumi.Output<PoolContent> {
  return pulumi.output({ projects, files });
}

/** What one worker gets. */
export interface WorkerReleaseArgs {
  readonly host: Host;
  /** The component's name. */
  readonly workers: string;
  readonly projects: readonly ProjectFiles[];
  readonly content: FileSet<PoolContent>;
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
  const { host, workers, projects, content, backends, pause } = args;
  const keys = backends.map(({ name, project, daemon, key }) => ({
    name,
    project,
    daemon,
    address: key.address,
    secretKey: key.secretKey,
    publicKey: key.publicKey,
    hostname: key.hostname,
  }));
  return content.made(pulumi.output({ keys, instance: host.instance }), (shared, own) => {
    const known = { ...own, ...shared };
    return releaseProgram({
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
        ...known.projects.flatMap(({ project }) => dirsOfProxy(project)),
        ...(hasClient(projects) ? [torOwned(dataDir(torClient))] : []),
        ...known.keys.flatMap(({ daemon }) => [dataDir(daemon), onionDir(daemon)]).map(torOwned),
      ],
      files: known.files,
      state: [...known.keys.flatMap(onionFiles), ...known.projects.flatMap(({ proxy }) => keysOfProxy(proxy))],
      services: workerServices(projects),
      proof: known.projects.map(({ project, singleOnion, proxy }): ProjectProof => ({
        project,
        unit: units.nginx(project),
        socket: nginxSocket(project, 1),
        tlsSocket: nginxSocket(project, 1, "https"),
        sites: proxy.sites.map(({ onion, domain, certificate }) => ({
          address: onion,
          domain,
          ...(certificate && { fingerprint: certificate.fingerprint }),
        })),
        backends: known.keys
          .filter((key) => key.project === project)
          .map(({ name, daemon, address }) => ({
            name,
            address,
            unit: units.tor(daemon),
            socks: torSocksSocket(singleOnion ? torClient : daemon),
          })),
      })),
      pauseSeconds: pause,
    });
  });
}

/** Every file of a worker's release. */
export function workerFilesOf(projects: readonly ProjectFiles[], unitFiles: WorkerUnits): PlannedFile[] {
  return [
    { path: workerFiles.torUnit, text: unitFiles.tor },
    { path: workerFiles.nginxUnit, text: unitFiles.nginx },
    ...(unitFiles.clientTorrc === undefined
      ? []
      : [{ path: workerFiles.torrc(torClient), text: unitFiles.clientTorrc }]),
    ...proxyFiles(),
    ...projects.flatMap(({ proxy, obConfig, daemons }): PlannedFile[] => [
      ...filesOfProxy(proxy),
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

/** Whether a worker with these projects runs a tor that is a client alone: see torClient in plan/names.ts. */
export function hasClient(projects: readonly ProjectFiles[]): boolean {
  return projects.some(({ singleOnion }) => singleOnion);
}

/** Paths of a worker's release that the plan has; a host may carry others for what is about to leave. */
export function plannedFiles(projects: readonly ProjectFiles[]): string[] {
  return [
    ...(hasClient(projects) ? [workerFiles.torrc(torClient)] : []),
    ...proxyFiles().map(({ path }) => path),
    ...projects.flatMap(({ proxy, daemons }) => [
      ...filesOfProxy(proxy).map(({ path }) => path),
      ...daemons.flatMap(({ daemon }) => [workerFiles.torrc(daemon), workerFiles.obConfig(daemon)]),
    ]),
  ];
}

/** Every unit of a worker. */
export function workerServices(projects: readonly ProjectFiles[]): Service[] {
  return [
    ...(hasClient(projects) ? [clientService()] : []),
    ...projects.flatMap(({ project, daemons }) => [
      nginxService(project),
      ...daemons.map(({ daemon }) => torService(daemon)),
    ]),
  ];
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

/**
 * One tor daemon. What only a start takes over is in its generation, so no change of the config restarts it; a machine whose `ob_config` or
 * key was changed by hand does.
 */
function torService(daemon: string): Service {
  return {
    ...torUnit(daemon),
    restartOn: [`${onionDir(daemon)}/ob_config`, `${onionDir(daemon)}/hs_ed25519_secret_key`],
    health: { kind: "tor", control: controlSocket(daemon), uploads: true },
  };
}

/** The client for the proofs of single onion services. It has no visitors, so another unit may restart it. */
function clientService(): Service {
  return { ...torUnit(torClient), restartOn: [], health: { kind: "tor", control: controlSocket(torClient) } };
}

function torUnit(daemon: string): Pick<Service, "unit" | "verify" | "verifyAs" | "reloadOn"> {
  const torrc = workerFiles.torrc(daemon);
  return {
    unit: units.tor(daemon),
    verify: ["tor", "--verify-config", "--defaults-torrc", "/dev/null", "-f", `{release}/${torrc}`],
    verifyAs: users.tor,
    reloadOn: [torrc],
  };
}
