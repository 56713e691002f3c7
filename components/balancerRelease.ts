import { dirname } from "node:path/posix";
import * as pulumi from "@pulumi/pulumi";
import {
  confirmProgram,
  publisherFile,
  publishProgram,
  releaseProgram,
  watchdogFile,
  type Service,
} from "../host/program";
import {
  balancerFiles,
  balancerPaths,
  operatorLeaveOut,
  proberPaths,
  publisherFiles,
  publisherStatus,
  siteKeyFile,
  units,
  users,
} from "../plan/names";
import type { Host } from "./hosts/host";
import { releaseDefaults, stackName } from "./releaseDefaults";
import { ownerOf } from "./retirement";
import type { PlannedFile } from "./unitFiles";
import type { BackendService, Workers } from "./workers";

/** A project as the balancer sees it: its sites with their keys, and the backends that answer for each of them. */
export interface PublishedProject {
  readonly sites: readonly {
    readonly domain: string;
    readonly address: pulumi.Output<string>;
    /** SHA-256 of the certificate that visitors are shown; absent: plain http. */
    readonly fingerprint?: pulumi.Output<string>;
    /** base64 of tor's file. */
    readonly secretKey: pulumi.Output<string>;
  }[];
  readonly backends: readonly { readonly name: string; readonly address: pulumi.Output<string> }[];
}

/** The rendered files of a balancer. */
export interface BalancerFiles {
  readonly torrc: pulumi.Output<string>;
  readonly torUnit: pulumi.Output<string>;
  readonly proberTorrc: pulumi.Output<string>;
  readonly proberUnit: pulumi.Output<string>;
  readonly onionbalance: pulumi.Output<string>;
  readonly settings: pulumi.Output<string>;
  readonly unit: pulumi.Output<string>;
  readonly watchdogUnit: pulumi.Output<string>;
}

/** Every site of every project that the workers run, with all listed backends of its project. */
export function publishedProjects({ projects, backends }: Workers): PublishedProject[] {
  return projects.map((project) => ({
    sites: project.sites.map(({ domain, key, certificate }) => ({
      domain,
      address: key.address,
      ...(certificate && { fingerprint: certificate.fingerprint }),
      secretKey: key.secretKey,
    })),
    backends: backends
      .filter((backend) => backend.project === project.name && backend.listed)
      .map(({ name, key }) => ({ name, address: key.address })),
  }));
}

const packages = ["tor", "onionbalance", "python3-stem", "python3-cryptography", "curl"];
// The watchdog talks to what answers it from outside: it is in nobody's group, and who reads its list or serves it is in its own.
const accounts = [
  { name: users.watchdog, groups: [] },
  { name: users.onionbalance, groups: [users.watchdog] },
  { name: users.tor, groups: [users.onionbalance, users.watchdog] },
];

/** The balancer's tor and its watchdog's as one program. It waits for no worker; `watching`: whether the watchdog is to run. */
export function balancerRelease(
  host: Host,
  balancer: string,
  files: BalancerFiles,
  watching: boolean,
): pulumi.Output<string> {
  return pulumi.output({ files: torFilesOf(files), instance: host.instance }).apply((known) =>
    releaseProgram({
      ...releaseDefaults(),
      role: "balancer",
      owner: ownerOf(balancer, host),
      host: host.name,
      instance: known.instance ?? "",
      packages,
      users: accounts,
      dirs: [balancerPaths.dataDir, proberPaths.dataDir].map((path) => ({
        ...{ path, owner: users.tor, group: users.tor, mode: "0700" },
      })),
      files: known.files,
      state: [],
      services: [torService, proberService(watching)],
    }),
  );
}

/** Files of the release of a balancer's tor, and its watchdog's. */
export function torFilesOf({ torrc, torUnit, proberTorrc, proberUnit }: BalancerFiles): PlannedFile[] {
  return [
    { path: balancerFiles.torrc, text: torrc },
    { path: balancerFiles.torUnit, text: torUnit },
    { path: balancerFiles.proberTorrc, text: proberTorrc },
    { path: balancerFiles.proberUnit, text: proberUnit },
  ];
}

/** Files of the release of Onionbalance. */
export function publisherFilesOf({ onionbalance, settings, unit, watchdogUnit }: BalancerFiles): PlannedFile[] {
  return [
    { path: publisherFiles.onionbalance, text: onionbalance },
    { path: publisherFiles.settings, text: settings },
    { path: publisherFiles.program, text: publisherFile() },
    { path: publisherFiles.unit, text: unit },
    { path: publisherFiles.watchdog, text: watchdogFile() },
    { path: publisherFiles.watchdogUnit, text: watchdogUnit },
  ];
}

/** A tor of a balancer, which reloads its torrc. */
const clientTor = (unit: string, torrc: string, control: string): Service => ({
  unit,
  verify: ["tor", "--verify-config", "--defaults-torrc", "/dev/null", "-f", `{release}/${torrc}`],
  verifyAs: users.tor,
  reloadOn: [torrc],
  restartOn: [],
  health: { kind: "tor", control },
});

/** The balancer's tor. */
export const torService: Service = clientTor(units.balancerTor, balancerFiles.torrc, balancerPaths.controlSocket);

/** The watchdog's tor; not running where no watchdog is. */
export function proberService(watching: boolean): Service {
  const service = clientTor(units.proberTor, balancerFiles.proberTorrc, proberPaths.controlSocket);
  return { ...service, standby: !watching };
}

/** Onionbalance with our layer; `standby`: installed and checked, not running. */
export function onionbalanceService(standby: boolean): Service {
  return {
    unit: units.onionbalance,
    // Changed settings or backends are neither: it looks at its files every second, and loses no descriptor over them.
    reloadOn: [],
    restartOn: [publisherFiles.program],
    health: { kind: "active" },
    standby,
  };
}

/** What probes the backends, where that is wanted. It looks at the config by itself, too. */
export function watchdogService(watching: boolean): Service {
  const read = [
    ...["-c", `{release}/${publisherFiles.onionbalance}`],
    ...["-s", `{release}/${publisherFiles.settings}`],
  ];
  return {
    unit: units.watchdog,
    // Without settings there is nothing to look at.
    ...(watching && {
      verify: ["python3", "-I", "-B", `{release}/${publisherFiles.watchdog}`, "--check", ...read],
      verifyAs: users.watchdog,
    }),
    reloadOn: [],
    // It looks at its settings by itself, too: a restart would forget who is silent.
    restartOn: [publisherFiles.watchdog],
    health: { kind: "active" },
    standby: !watching,
  };
}

/** What one publication is made of. */
export interface PublicationArgs {
  readonly host: Host;
  /** The component's name. */
  readonly balancer: string;
  readonly projects: readonly PublishedProject[];
  readonly files: BalancerFiles;
  readonly workers: Workers;
  /** Whether this host only stands by. */
  readonly standby: boolean;
  /** Whether its watchdog is to run. */
  readonly watching: boolean;
  /** Seconds. */
  readonly publishTimeout: number;
  /** Seconds. */
  readonly retireGrace: number;
  /** Seconds. */
  readonly rollbackWindow: number;
}

/** Onionbalance with the site keys, and the proof that what it published is the plan, as one program; on standby the proof that it could. */
export function publication(args: PublicationArgs): pulumi.Output<string> {
  const { host, balancer, projects, files, workers, standby, watching } = args;
  const { publishTimeout, retireGrace, rollbackWindow } = args;
  const addressesOf = (wanted: (backend: BackendService) => boolean) =>
    workers.backends.filter(wanted).map(({ key }) => key.address);
  const varying = {
    projects,
    files: publisherFilesOf(files),
    backendsRunOn: workers.runsOn,
    instance: host.instance,
    excused: excusedOf(workers),
    warm: addressesOf(({ listed }) => !listed),
  };
  return pulumi.output(varying).apply((known) =>
    publishProgram({
      ...releaseDefaults(),
      role: "publisher",
      owner: ownerOf(balancer, host),
      host: host.name,
      instance: known.instance ?? "",
      packages,
      users: accounts,
      // The user's alone, not the group's: the balancer's tor, which talks to the network, is in that group.
      dirs: [
        { path: balancerPaths.keysDir, owner: users.onionbalance, group: users.onionbalance, mode: "0700" },
        { path: dirname(operatorLeaveOut), owner: "root", group: users.onionbalance, mode: "0750" },
      ],
      files: known.files,
      state: known.projects.flatMap(({ sites }) =>
        sites.map(({ address, secretKey }) => ({
          path: siteKeyFile(address),
          base64: secretKey,
          owner: users.onionbalance,
          group: users.onionbalance,
          mode: "0400",
        })),
      ),
      services: [onionbalanceService(standby), watchdogService(watching)],
      frontends: known.projects.flatMap(({ sites, backends }) =>
        sites.map(({ secretKey: _own, ...site }) => ({ ...site, backends })),
      ),
      backendsRunOn: known.backendsRunOn,
      keysDir: balancerPaths.keysDir,
      control: balancerPaths.controlSocket,
      socks: balancerPaths.socksSocket,
      statusSocket: balancerPaths.statusSocket,
      publisherStatus,
      publishTimeoutSeconds: publishTimeout,
      graceSeconds: retireGrace,
      excused: known.excused,
      warm: known.warm,
      rollbackSeconds: rollbackWindow,
    }),
  );
}

/** Listed backends on hosts that do not answer: published, in the hope that they come back, and not waited for. */
function excusedOf({ backends, installations }: Workers): pulumi.Output<string[]> {
  const listed = backends.filter(({ listed }) => listed);
  const silent = listed.map(({ worker }) => installations.get(worker)?.silent ?? "");
  return pulumi
    .all([pulumi.all(silent), pulumi.all(listed.map(({ key }) => key.address))])
    .apply(([whys, addresses]) => addresses.filter((_, i) => whys[i] !== ""));
}

/** The proof of what is published, once more, after others have stopped publishing beside this host. */
export function confirmation(host: Host, publishing: readonly string[]): string {
  return confirmProgram({ host: host.name, stack: stackName(), publishing });
}
