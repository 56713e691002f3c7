import { createHash } from "node:crypto";
import type { SiteSettings } from "../config/schema";
import {
  nginxKeyFile,
  nginxSockets,
  nginxStateDir,
  nginxUpstreamKeyFile,
  workerFiles,
  type NginxSocketKind,
} from "../plan/names";
import { hostName, identifier, nginx, onionName, unfit } from "./quote";
import type { Template } from "./template";

/** One site of a project as the others see it: what their links to it become. */
export interface NginxSite {
  readonly domain: string;
  /** Its address, with .onion. */
  readonly onion: string;
  /** Whether the onion is served with TLS; links to one that is not lose theirs. */
  readonly tls: boolean;
}

/** The nginx file of one site of a project: its server block. It says nothing of other sites and of the daemons. */
export interface NginxSiteModel {
  readonly project: string;
  readonly site: NginxSite;
  /** Names below the domain that are asked for often: connections to their origins stay open, as to the domain's. */
  readonly subdomains: readonly string[];
  /** Every setting, the defaults filled in. */
  readonly settings: SiteSettings;
  /** The most that the site's cache takes on disk, e.g. `256m`. */
  readonly nginxCacheSize: string;
  /** SHA-256 of the onion's certificate, hex: its key's file is named after it. Only with TLS. */
  readonly certificate?: string | undefined;
  /** The same of the certificate that the origin is shown. */
  readonly upstreamCertificate?: string | undefined;
}

/** The sockets that every site of the project listens on. */
export interface NginxListenModel {
  readonly project: string;
  readonly kind: "http" | "https";
}

/** A site of names that can be written. Throws {@link unfit} for one that cannot. */
export function checkedSite({ domain, onion, tls }: NginxSite): NginxSite {
  if (!hostName(domain).includes(".")) throw unfit(domain, "it is a single label: a site's domain has a dot in it");
  return { domain, onion: onionName(onion), tls };
}

function resolver(address: string): string {
  if (!/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(address)) {
    throw unfit(address, "it is not the address of a resolver: 10.0.0.2, 10.0.0.2:5353 or [fd00::2]");
  }
  return address;
}

/** How an nginx file names another one of its project: nginx looks for both beside the main file. */
export function besideMain(file: string): string {
  return file.slice(file.indexOf("/") + 1);
}

/** What `listen` says of a socket. */
export function listenWords(path: string, kind: NginxSocketKind): string[] {
  const tls = kind.endsWith("https") ? ["ssl", "http2"] : [];
  return [`unix:${path}`, ...tls, ...(kind.startsWith("circuit") ? ["proxy_protocol"] : [])];
}

/** Settings that nginx's own directives carry out; all others go to Lua. */
const directives = [
  "accessLog",
  "accessLogFormat",
  "certificate",
  "nginxBlockBusySize",
  "nginxBlockCount",
  "nginxBlockSize",
  "nginxCacheMinUses",
  "nginxCacheSeconds",
  "nginxClientMaxBodySize",
  "nginxProxySslTrustedCertificate",
  "nginxResolver",
  "nginxTimeout",
  "nginxTmpfileSize",
  "noCacheContentType",
  "noCacheHost",
  "onionTls",
  "selfSignedDays",
  "upstreamCertificate",
];

/** Whether a setting says nothing: Lua takes what is not there for that. */
function empty(value: unknown): boolean {
  return (
    value === undefined ||
    value === false ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0)
  );
}

/** The settings as a table for Lua: sorted, without what is off or empty. */
function tableOf({ site, settings }: NginxSiteModel, groups: readonly Group[]): Record<string, unknown> {
  const kept = Object.entries(settings)
    .filter(([key, value]) => !directives.includes(key) && !empty(value))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const named = Object.fromEntries(groups.map(({ host, name }) => [host, name]));
  return { ...site, groups: named, ...Object.fromEntries(kept) };
}

/** A group of connections to the origin of one name. */
interface Group {
  readonly host: string;
  readonly name: string;
}

function groupsOf({ project, site: { domain }, subdomains }: NginxSiteModel): Group[] {
  return [domain, ...subdomains.map((sub) => `${hostName(sub)}.${domain}`)].map((host) => ({
    host,
    name: `softmap_origin_${hashOf(`${project} ${host}`)}`,
  }));
}

/** Eight hex digits for a name that has to be one word, and nobody else's. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function cacheOf({ project, site, settings, nginxCacheSize }: NginxSiteModel) {
  if (settings.nginxCacheSeconds === 0) return undefined;
  // nginx cannot change the size of a zone that it has: another one has another name.
  const name = hashOf(`${project} ${site.domain} ${nginxCacheSize}`);
  return {
    name,
    zone: `softmap_cache_${name}`,
    path: `${nginxStateDir(project)}/cache-${name}`,
    size: nginxCacheSize,
    seconds: settings.nginxCacheSeconds,
    types: settings.noCacheContentType,
    hosts: settings.noCacheHost,
  };
}

function logOf(project: string, { accessLog, accessLogFormat }: SiteSettings) {
  if (accessLog === "off") return undefined;
  const tag = `softmap_${project.replaceAll("-", "_")}`;
  return {
    // To the journal, as everything: nginx has no file of its own that would have to be rotated.
    target: `syslog:server=unix:/run/systemd/journal/dev-log,nohostname,tag=${tag}`,
    format: `softmap_${accessLog}_${accessLogFormat}`,
  };
}

export const nginxSite: Template<NginxSiteModel> = {
  language: nginx,
  sources: ["nginx-site"],
  title: ({ project, site }) => `nginx file of site ${site.domain} of project ${project}`,
  locals: (model) => {
    const { project, settings, certificate, upstreamCertificate } = model;
    const site = checkedSite(model.site);
    const { domain } = site;
    const groups = groupsOf({ ...model, site });
    return {
      site,
      groups,
      settings,
      forLua: tableOf({ ...model, site }, groups),
      listen: {
        http: besideMain(workerFiles.nginxListen(identifier(project), "http")),
        https: besideMain(workerFiles.nginxListen(project, "https")),
      },
      tls: certificate !== undefined && {
        certificate: besideMain(workerFiles.nginxCertificate(project, domain)),
        key: nginxKeyFile(project, domain, certificate),
      },
      upstream: {
        authorities:
          settings.nginxProxySslTrustedCertificate !== undefined &&
          besideMain(workerFiles.nginxUpstreamAuthorities(project, domain)),
        certificate:
          upstreamCertificate !== undefined && besideMain(workerFiles.nginxUpstreamCertificate(project, domain)),
        key: upstreamCertificate !== undefined && nginxUpstreamKeyFile(project, domain, upstreamCertificate),
      },
      resolvers: settings.nginxResolver.map(resolver),
      cache: cacheOf(model),
      log: logOf(project, settings),
    };
  },
};

export const nginxListen: Template<NginxListenModel> = {
  language: nginx,
  sources: ["nginx-listen"],
  title: ({ project, kind }) => `nginx sockets of project ${project} for ${kind}`,
  locals: ({ project, kind }) => ({
    sockets: [kind, `circuit ${kind}` as const].flatMap((each) =>
      nginxSockets(identifier(project), each).map((path) => listenWords(path, each)),
    ),
  }),
};
