import type * as pulumi from "@pulumi/pulumi";
import { hasTls } from "../config/schema";
import type { Service, StateDir, StateFile } from "../host/program";
import {
  nginxHealthSocket,
  nginxKeyDir,
  nginxKeyFile,
  nginxSocketDir,
  nginxStateDir,
  nginxUpstreamKeyFile,
  units,
  users,
  workerFiles,
} from "../plan/names";
import type { CertificatePair } from "./onionCertificate";
import type { renderer } from "./renderer";
import type { Site, SoftmapProject } from "./softmapProject";
import type { PlannedFile } from "./unitFiles";

/** Of a certificate what a host gets. */
type CertificateParts = Pick<CertificatePair, "certificate" | "key" | "fingerprint">;

/** A certificate and its key as files. */
interface CertificateFiles extends CertificateParts {
  readonly path: string;
}

/** One site of a project's nginx. */
export interface SiteProxy {
  readonly domain: string;
  readonly onion: pulumi.Output<string>;
  readonly nginx: pulumi.Output<string>;
  /** What visitors are shown, where the onion has TLS. */
  readonly certificate: CertificateFiles | undefined;
  /** What the upstream is shown. */
  readonly upstreamCertificate: CertificateFiles | undefined;
  /** PEM of those who vouch for the upstream. */
  readonly authorities: string | undefined;
}

/** The rendered nginx of one project, the same on every worker. */
export interface ProjectProxy {
  readonly project: string;
  readonly nginx: pulumi.Output<string>;
  readonly listen: Readonly<Record<"http" | "https", pulumi.Output<string>>>;
  readonly sites: readonly SiteProxy[];
}

/** Renders a project's nginx, each file once: a preview shows a change once. `monitored`: it counts for Prometheus. */
export function renderProxy(
  project: SoftmapProject,
  render: ReturnType<typeof renderer>,
  monitored: boolean,
): ProjectProxy {
  const { name, settings, backendHeader } = project;
  const seen = project.sites.map(({ domain, key, settings: own }) => ({
    domain,
    onion: key.address,
    tls: hasTls(own),
  }));
  const nginx = render(`${name}-nginx`, "nginx", {
    project: name,
    sites: seen,
    foreignMaps: [...settings.foreignMaps],
    preserve: [...settings.preserve],
    onionifyEmails: settings.onionifyEmails,
    nginxWorkers: settings.nginxWorkers,
    nginxRlim: settings.nginxRlim,
    nginxSyslog: settings.nginxSyslog,
    circuits: {
      requestRate: settings.circuitRequestRate,
      requestBurst: settings.circuitRequestBurst,
      connections: settings.circuitConnections,
    },
    backendHeader,
    ...(monitored && { metrics: true }),
  });
  const listen = (kind: "http" | "https") =>
    render(`${name}-nginx-listen-${kind}`, "nginx-listen", { project: name, kind });
  return {
    project: name,
    nginx,
    listen: { http: listen("http"), https: listen("https") },
    sites: project.sites.map((site) => renderSite(project, site, render)),
  };
}

function renderSite(project: SoftmapProject, site: Site, render: ReturnType<typeof renderer>): SiteProxy {
  const { domain, subdomains, key, settings, certificate, upstreamCertificate, authorities } = site;
  const { name } = project;
  const nginx = render(`${name}-${domain}-nginx`, "nginx-site", {
    project: name,
    site: { domain, onion: key.address, tls: hasTls(settings) },
    subdomains: [...subdomains],
    settings,
    nginxCacheSize: project.settings.nginxCacheSize,
    certificate: certificate?.fingerprint,
    upstreamCertificate: upstreamCertificate?.fingerprint,
  });
  const { nginxCertificate, nginxUpstreamCertificate } = workerFiles;
  return {
    domain,
    onion: key.address,
    nginx,
    certificate: certificate && { ...partsOf(certificate), path: nginxCertificate(name, domain) },
    upstreamCertificate: upstreamCertificate && {
      ...partsOf(upstreamCertificate),
      path: nginxUpstreamCertificate(name, domain),
    },
    authorities,
  };
}

/** Only these of a certificate: it may be a resource, and carry much else. */
function partsOf({ certificate, key, fingerprint }: CertificatePair): CertificateParts {
  return { certificate, key, fingerprint };
}

/** Every file of a project's nginx; keys travel apart. */
export function filesOfProxy({ project, nginx, listen, sites }: ProjectProxy): PlannedFile[] {
  return [
    { path: workerFiles.nginx(project), text: nginx },
    { path: workerFiles.nginxListen(project, "http"), text: listen.http },
    { path: workerFiles.nginxListen(project, "https"), text: listen.https },
    ...sites.flatMap(({ domain, nginx: text, certificate, upstreamCertificate, authorities }): PlannedFile[] => [
      { path: workerFiles.nginxSite(project, domain), text },
      ...[certificate, upstreamCertificate].flatMap((pair) =>
        pair === undefined ? [] : { path: pair.path, text: pair.certificate },
      ),
      ...(authorities === undefined
        ? []
        : [{ path: workerFiles.nginxUpstreamAuthorities(project, domain), text: authorities }]),
    ]),
  ];
}

/** The private keys of a project's certificates, each under a name of its own certificate. */
export function keysOfProxy({ project, sites }: pulumi.Unwrap<ProjectProxy>): StateFile[] {
  const file = (path: string, key: string): StateFile => ({
    path,
    owner: users.nginx,
    group: users.nginx,
    mode: "0400",
    base64: Buffer.from(key).toString("base64"),
  });
  return sites.flatMap(({ domain, certificate, upstreamCertificate }) => [
    ...(certificate ? [file(nginxKeyFile(project, domain, certificate.fingerprint), certificate.key)] : []),
    ...(upstreamCertificate
      ? [file(nginxUpstreamKeyFile(project, domain, upstreamCertificate.fingerprint), upstreamCertificate.key)]
      : []),
  ]);
}

/** The unit makes them too, but nginx must pass its test before the unit has ever run. */
export function dirsOfProxy(project: string): StateDir[] {
  const owner = { owner: users.nginx, group: users.nginx };
  return [
    { path: nginxSocketDir(project), ...owner, mode: "0750" },
    { path: nginxStateDir(project), ...owner, mode: "0700" },
    { path: nginxKeyDir(project), ...owner, mode: "0700" },
  ];
}

/** The nginx of a project. A restart, which only another unit asks for, turns visitors away for a moment: all else is reloaded. */
export function nginxService(project: string): Service {
  return {
    unit: units.nginx(project),
    verify: [
      ...["nginx", "-e", "stderr", "-t", "-q"],
      ...["-p", `{release}/${workerFiles.nginxPrefix}`, "-c", `{release}/${workerFiles.nginx(project)}`],
    ],
    verifyAs: users.nginx,
    reloadOn: [
      workerFiles.nginx(project),
      workerFiles.nginxListen(project, "http"),
      workerFiles.nginxListen(project, "https"),
      workerFiles.nginxSites(project),
      workerFiles.nginxLua,
    ],
    restartOn: [],
    health: { kind: "nginx", socket: nginxHealthSocket(project) },
  };
}
