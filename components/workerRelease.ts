import * as pulumi from "@pulumi/pulumi";
import { releaseProgram, type Service, type StateDir, type StateFile } from "../host/program";
import {
  controlSocket,
  dataDir,
  nginxHealthSocket,
  nginxSocketDir,
  nginxStateDir,
  onionDir,
  torStateDir,
  units,
  users,
  workerFiles,
} from "../plan/names";
import type { Host } from "./hosts/host";
import { releaseDefaults } from "./releaseDefaults";
import { ownerOf } from "./retirement";
import type { BackendService } from "./workers";

/** The rendered files of one project, the same on every worker. */
export interface ProjectFiles {
  readonly project: string;
  readonly nginx: pulumi.Output<string>;
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
}

/** Debian's packages that a worker needs: tor and nginx with the modules that its config loads. */
const packages = [
  "tor",
  "nginx",
  "libnginx-mod-http-headers-more-filter",
  "libnginx-mod-http-lua",
  "ca-certificates",
  "curl",
];

/** The whole of a worker as one program: packages, users, keys, every project's nginx and tors. */
export function workerRelease({
  host,
  workers,
  projects,
  units: unitFiles,
  backends,
}: WorkerReleaseArgs): pulumi.Output<string> {
  const keys = backends.map(({ daemon, key }) => ({
    daemon,
    secretKey: key.secretKey,
    publicKey: key.publicKey,
    hostname: key.hostname,
  }));
  return pulumi.output({ projects, unitFiles, keys, instance: host.instance }).apply((known) =>
    releaseProgram({
      ...releaseDefaults,
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
      files: [
        { path: workerFiles.torUnit, text: known.unitFiles.tor },
        { path: workerFiles.nginxUnit, text: known.unitFiles.nginx },
        ...known.projects.flatMap(({ project, nginx, obConfig, daemons }) => [
          { path: workerFiles.nginx(project), text: nginx },
          ...daemons.flatMap(({ daemon, torrc }) => [
            { path: workerFiles.torrc(daemon), text: torrc },
            {
              path: workerFiles.obConfig(daemon),
              text: obConfig,
              install: { ...torOwned(`${onionDir(daemon)}/ob_config`), mode: "0600" },
            },
          ]),
        ]),
      ],
      state: known.keys.flatMap(onionFiles),
      services: known.projects.flatMap(({ project, daemons }) => [
        nginxService(project),
        ...daemons.map(({ daemon }) => torService(daemon)),
      ]),
    }),
  );
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

function nginxService(project: string): Service {
  return {
    unit: units.nginx(project),
    verify: ["nginx", "-e", "stderr", "-t", "-q", "-c", `{release}/${workerFiles.nginx(project)}`],
    verifyAs: users.nginx,
    reloadOn: [workerFiles.nginx(project)],
    restartOn: [],
    health: { kind: "nginx", socket: nginxHealthSocket(project) },
  };
}

/** A new frontend in `ob_config` works only after tor's next descriptor rebuild, minutes later: such a change restarts the daemon. */
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
