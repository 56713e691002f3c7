import { nginxHealthSocket, nginxSocket, nginxSocketDir, nginxStateDir } from "../plan/names";
import { hostName, identifier, nginx, onionName, unfit } from "./quote";
import type { Template } from "./template";

/** One site of a project as its proxy sees it. */
export interface NginxSite {
  readonly domain: string;
  /** Its address, with .onion. */
  readonly onion: string;
  /** Names below the domain whose links are rewritten with their scheme, e.g. `cdn` for cdn.www.example.org. */
  readonly subdomains: readonly string[];
}

/** The nginx.conf of one project on a worker: its daemons' streams in, the sites' origins out. */
export interface NginxModel {
  readonly project: string;
  /** Tor daemons of the project on this worker, each with a socket of its own. */
  readonly daemons: number;
  readonly sites: readonly NginxSite[];
  /** Resolvers for the origins' names, `10.0.0.2`, `10.0.0.2:5353` or `[fd00::2]`; empty: the host's own, from host.conf. */
  readonly nginxResolver: readonly string[];
  /** Seconds until an origin counts as silent: connect, and between two reads. */
  readonly nginxTimeout: number;
  /** Whether answers name their backend in a header, `X-Softmap-Backend`; default no. */
  readonly backendHeader?: boolean;
}

/** A text in a body or a header and what takes its place. */
export interface Replacement {
  readonly from: string;
  readonly to: string;
}

/**
 * Domain to onion, longest first so that a name never loses to one that it ends with. The onion is served over plain
 * HTTP, so the scheme is a part of what is replaced, for each domain and each listed subdomain; a bare domain brings
 * every other subdomain along. `\/` is JSON's slash, `%3A%2F%2F` a link inside a query, `\.` a regular expression.
 */
export function replacements(sites: readonly NginxSite[]): Replacement[] {
  const all = new Map<string, string>();
  const add = (from: string, to: string): void => void (all.has(from) || all.set(from, to));
  const schemes = (domain: string, onion: string): void => {
    for (const slashes of ["://", ":\\/\\/", "%3A%2F%2F"]) add(`https${slashes}${domain}`, `http${slashes}${onion}`);
    add(`wss://${domain}`, `ws://${onion}`);
  };
  // Sites first: a domain with its own onion is that onion's even where it is also some other site's subdomain.
  for (const { domain, onion } of sites) {
    schemes(domain, onion);
    add(domain, onion);
    add(domain.replaceAll(".", "\\."), onion.replaceAll(".", "\\."));
  }
  for (const { domain, onion, subdomains } of sites) {
    for (const sub of subdomains) schemes(`${sub}.${domain}`, `${sub}.${onion}`);
  }
  return [...all]
    .map(([from, to]) => ({ from, to }))
    .sort((a, b) => b.from.length - a.from.length || (a.from < b.from ? -1 : 1));
}

/** What is rewritten: pages, styles, scripts, data and their manifests. text/html is always among sub_filter's. */
const types = [
  "text/css",
  "text/javascript",
  "application/javascript",
  "application/x-javascript",
  "application/json",
  "application/ld+json",
  "application/manifest+json",
  "application/xhtml+xml",
  "application/xml",
  "text/xml",
];

function domainName(domain: string): string {
  if (!hostName(domain).includes(".")) throw unfit(domain, "it is a single label: a site's domain has a dot in it");
  return domain;
}

function resolver(address: string): string {
  if (!/^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d{1,5})?$/.test(address)) {
    throw unfit(address, "it is not the address of a resolver: 10.0.0.2, 10.0.0.2:5353 or [fd00::2]");
  }
  return address;
}

export const nginxConf: Template<NginxModel> = {
  language: nginx,
  sources: ["nginx", "nginx/rewrite"],
  title: (model) => `nginx.conf of project ${model.project}`,
  locals: ({ project, daemons, sites, nginxResolver, backendHeader }) => {
    const checked = sites.map(({ domain, onion, subdomains }) => ({
      domain: domainName(domain),
      onion: onionName(onion),
      subdomains: subdomains.map(hostName),
    }));
    return {
      sites: checked,
      replacements: replacements(checked),
      // Headers have neither JSON's slashes nor links inside queries.
      linked: replacements(checked).filter(({ from }) => !/[\\%]/.test(from)),
      types,
      runDir: nginxSocketDir(identifier(project)),
      stateDir: nginxStateDir(project),
      sockets: Array.from({ length: daemons }, (_, at) => nginxSocket(project, at + 1)),
      health: nginxHealthSocket(project),
      resolvers: nginxResolver.map(resolver),
      backendHeader: backendHeader ?? false,
    };
  },
};
