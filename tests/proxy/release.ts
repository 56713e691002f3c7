import { X509Certificate } from "node:crypto";
import {
  hasTls,
  resolveProject,
  resolveSite,
  type GivenProjectSettings,
  type GivenSiteSettings,
  type SiteSettings,
} from "../../config/schema";
import { run } from "../../lab/run";
import { nginxKeyFile, nginxUpstreamKeyFile, workerFiles } from "../../plan/names";
import { proxyFiles } from "../../proxy";
import { render } from "../../templates";
import { readSources } from "../../templates/sources";

/** A site with its address, and its settings as parsed. */
export interface ProxySite extends GivenSiteSettings {
  readonly domain: string;
  readonly onion: string;
  readonly upstreamCertificateKey?: string;
}

/** A project as its proxy sees it. A text `shared:NAME` anywhere in it is that file of the rig's folder. */
export interface ProxySettings extends GivenSiteSettings, GivenProjectSettings {
  readonly project: string;
  readonly sites: readonly ProxySite[];
  readonly backendHeader?: boolean;
}

/** A file of a worker: of the release when its path is relative, else a private key. */
export interface WorkerFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a worker that belong to a project's nginx, rendered as a deployment does it. */
export async function releaseOf(given: ProxySettings): Promise<WorkerFile[]> {
  const { project } = given;
  const settings = resolveProject(given);
  const sites = given.sites.map((site) => ({ ...site, settings: resolveSite(given, site) }));
  const { circuitRequestRate, circuitRequestBurst, circuitConnections } = settings;
  const main = render("nginx", readSources("nginx"), {
    ...settings,
    project,
    backendHeader: given.backendHeader ?? false,
    sites: sites.map(({ domain, onion, settings }) => ({ domain, onion, tls: hasTls(settings) })),
    circuits: { requestRate: circuitRequestRate, requestBurst: circuitRequestBurst, connections: circuitConnections },
  });
  return [
    { path: workerFiles.nginx(project), text: main },
    ...(["http", "https"] as const).map((kind) => ({
      path: workerFiles.nginxListen(project, kind),
      text: render("nginx-listen", readSources("nginx-listen"), { project, kind }),
    })),
    ...proxyFiles(),
    ...(await Promise.all(sites.map((site) => siteFiles(project, site, settings.nginxCacheSize)))).flat(),
  ];
}

async function siteFiles(
  project: string,
  site: ProxySite & { readonly settings: SiteSettings },
  nginxCacheSize: string,
): Promise<WorkerFile[]> {
  const { domain, onion, settings, upstreamCertificateKey } = site;
  const files: WorkerFile[] = [];
  const tls = hasTls(settings);
  const pair = tls ? await selfSigned(onion) : undefined;
  const certificate = pair && fingerprint(pair.certificate);
  if (pair && certificate) {
    files.push({ path: workerFiles.nginxCertificate(project, domain), text: pair.certificate });
    files.push({ path: nginxKeyFile(project, domain, certificate), text: pair.key });
  }
  const shows = settings.upstreamCertificate;
  const upstreamCertificate = shows === undefined ? undefined : fingerprint(shows);
  if (shows !== undefined && upstreamCertificate !== undefined) {
    files.push({ path: workerFiles.nginxUpstreamCertificate(project, domain), text: shows });
    files.push({
      path: nginxUpstreamKeyFile(project, domain, upstreamCertificate),
      text: upstreamCertificateKey ?? "",
    });
  }
  const authorities = settings.nginxProxySslTrustedCertificate;
  if (authorities !== undefined) {
    files.push({ path: workerFiles.nginxUpstreamAuthorities(project, domain), text: authorities });
  }
  const text = render("nginx-site", readSources("nginx-site"), {
    project,
    site: { domain, onion, tls },
    subdomains: [],
    settings,
    nginxCacheSize,
    certificate,
    upstreamCertificate,
  });
  return [...files, { path: workerFiles.nginxSite(project, domain), text }];
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** A certificate of an onion for itself and its sub-hosts. */
async function selfSigned(onion: string): Promise<{ certificate: string; key: string }> {
  const request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  const names = ["-subj", `/CN=${onion.slice(0, 60)}`, "-addext", `subjectAltName=DNS:${onion},DNS:*.${onion}`];
  const { text } = await run([...request, ...names, "-days", "9", "-keyout", "-", "-out", "-"]);
  const part = (kind: string): string =>
    new RegExp(`-----BEGIN ${kind}-----[^]*?-----END ${kind}-----\n?`).exec(text)?.[0] ?? "";
  return { certificate: part("CERTIFICATE"), key: part("PRIVATE KEY") };
}
