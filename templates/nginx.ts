import { nginxHealthSocket, nginxSocketDir, nginxSockets, nginxStateDir, workerFiles } from "../plan/names";
import { besideMain, checkedSite, type NginxSite } from "./nginx-site";
import { identifier, nginx } from "./quote";
import type { Template } from "./template";

/** The nginx.conf of one project on a worker: what its sites have in common. Each site is a file of its own, nginx-site.ts. */
export interface NginxModel {
  readonly project: string;
  /** All of them, for the links between them: what one site's page says of another is rewritten, too. */
  readonly sites: readonly NginxSite[];
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

export const nginxConf: Template<NginxModel> = {
  language: nginx,
  sources: ["nginx", "nginx/rewrite"],
  title: (model) => `nginx.conf of project ${model.project}`,
  locals: ({ project, sites, backendHeader }) => {
    const checked = sites.map(checkedSite);
    return {
      sites: checked,
      replacements: replacements(checked),
      // Headers have neither JSON's slashes nor links inside queries.
      linked: replacements(checked).filter(({ from }) => !/[\\%]/.test(from)),
      types,
      runDir: nginxSocketDir(identifier(project)),
      stateDir: nginxStateDir(project),
      siteFiles: `${besideMain(workerFiles.nginxSites(project))}*.conf`,
      sockets: nginxSockets(project),
      health: nginxHealthSocket(project),
      backendHeader: backendHeader ?? false,
    };
  },
};
