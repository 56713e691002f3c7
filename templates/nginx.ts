import {
  nginxHealthSocket,
  nginxStatusSocket,
  nginxSocketDir,
  nginxSocketKinds,
  nginxSockets,
  nginxStateDir,
  workerFiles,
} from "../plan/names";
import { besideMain, checkedSite, hashOf, listenWords, type NginxSite } from "./nginx-site";
import { hostName, identifier, nginx, onionName } from "./quote";
import type { Template } from "./template";

/** The nginx.conf of one project on a worker: what its sites have in common. Each site is a file of its own, nginx-site.ts. */
export interface NginxModel {
  readonly project: string;
  /** All of them, for the links between them: what one site's page says of another is rewritten, too. */
  readonly sites: readonly NginxSite[];
  /** Somebody else's onions: links to the domain become links to the onion, in the form that they have. */
  readonly foreignMaps: readonly { readonly domain: string; readonly onion: string }[];
  /** Texts that are left as they are, e.g. `press.example.org`. */
  readonly preserve: readonly string[];
  /** Whether the domain in an e-mail address is rewritten, too. */
  readonly onionifyEmails: boolean;
  /** Worker processes: `auto` is one for each core. */
  readonly nginxWorkers: "auto" | number;
  /** Open files of a worker process; connections are a quarter of it. */
  readonly nginxRlim: number;
  /** From which level on nginx writes to the journal. */
  readonly nginxSyslog: string;
  /** Limits for each of tor's circuits; without torExportCircuitId nothing is known of them. */
  readonly circuits: CircuitLimits;
  /** Whether answers name their backend in a header, `X-Softmap-Backend`; default no. */
  readonly backendHeader?: boolean;
  /** Whether it counts for Prometheus, on a socket of its own. @default false */
  readonly metrics?: boolean;
}

/** What one circuit may do. A limit that is left out is none. */
export interface CircuitLimits {
  /** Requests a second. */
  readonly requestRate?: number | undefined;
  /** Requests at once above the rate. */
  readonly requestBurst?: number | undefined;
  /** Requests or connections at the same time. */
  readonly connections?: number | undefined;
}

/** What Lua maps names by (proxy/softmap/mapping.lua). Another mapping has another mark: pages in a browser's cache carry it. */
export function mappingOf({ sites, foreignMaps, preserve, onionifyEmails }: NginxModel): Record<string, unknown> {
  const own = sites.map(checkedSite).map(({ domain, onion, tls }) => ({ domain, onion, tls }));
  const foreign = foreignMaps.map(({ domain, onion }) => ({ domain: hostName(domain), onion: onionName(onion) }));
  const mapping = { names: [...own, ...foreign], preserve: [...preserve], emails: onionifyEmails };
  return { ...mapping, mark: hashOf(JSON.stringify(mapping)) };
}

/** What the limits' directives say. A zone is named after all that it is: nginx cannot change one. */
function limitsOf({ requestRate, requestBurst, connections }: CircuitLimits) {
  const zone = (...parts: unknown[]): string =>
    `softmap_${hashOf(JSON.stringify(["softmap_circuit", "10m", ...parts]))}`;
  return {
    requests: requestRate !== undefined && {
      zone: zone("requests", requestRate),
      rate: requestRate,
      burst: requestBurst ?? requestRate,
    },
    connections: connections !== undefined && { zone: zone("connections"), most: connections },
  };
}

export const nginxConf: Template<NginxModel> = {
  language: nginx,
  sources: ["nginx", "nginx/log-formats", "nginx/circuits"],
  title: (model) => `nginx.conf of project ${model.project}`,
  locals: (model) => {
    const { project, circuits, nginxRlim, backendHeader, metrics } = model;
    return {
      mapping: mappingOf(model),
      ...limitsOf(circuits),
      workerConnections: Math.floor(nginxRlim / 4),
      runDir: nginxSocketDir(identifier(project)),
      stateDir: nginxStateDir(project),
      siteFiles: `${besideMain(workerFiles.nginxSites(project))}*.conf`,
      sockets: nginxSocketKinds.flatMap((kind) => nginxSockets(project, kind).map((path) => listenWords(path, kind))),
      health: nginxHealthSocket(project),
      status: metrics && nginxStatusSocket(project),
      backendHeader: backendHeader ?? false,
    };
  },
};
