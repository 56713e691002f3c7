import { nginxSockets, workerFiles } from "../plan/names";
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

/** The nginx file of one site of a project: its server block. It says nothing of other sites and of the daemons. */
export interface NginxSiteModel {
  readonly project: string;
  readonly site: NginxSite;
  /** Resolvers for the origin's names, `10.0.0.2`, `10.0.0.2:5353` or `[fd00::2]`; empty: the host's own, from host.conf. */
  readonly nginxResolver: readonly string[];
}

/** The sockets that every site of a project listens on. */
export interface NginxListenModel {
  readonly project: string;
}

/** A site of names that can be written. Throws {@link unfit} for one that cannot. */
export function checkedSite({ domain, onion, subdomains }: NginxSite): NginxSite {
  if (!hostName(domain).includes(".")) throw unfit(domain, "it is a single label: a site's domain has a dot in it");
  return { domain, onion: onionName(onion), subdomains: subdomains.map(hostName) };
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

export const nginxSite: Template<NginxSiteModel> = {
  language: nginx,
  sources: ["nginx-site"],
  title: ({ project, site }) => `nginx file of site ${site.domain} of project ${project}`,
  locals: ({ project, site, nginxResolver }) => ({
    site: checkedSite(site),
    listen: besideMain(workerFiles.nginxListen(identifier(project))),
    resolvers: nginxResolver.map(resolver),
  }),
};

export const nginxListen: Template<NginxListenModel> = {
  language: nginx,
  sources: ["nginx-listen"],
  title: ({ project }) => `nginx sockets of project ${project}`,
  locals: ({ project }) => ({ sockets: nginxSockets(identifier(project)) }),
};
