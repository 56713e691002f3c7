import { controlSocket, dataDir, onionDir, torSocksSocket } from "../plan/names";
import { torPorts, type TorSettings } from "../plan/torSettings";
import { identifier, torrc, unfit } from "./quote";
import type { Template } from "./template";

/** The torrc of one tor daemon of a project on a worker. */
export interface BackendTorrcModel extends TorSettings {
  /** `<project>-<n>-<generation>` */
  readonly daemon: string;
  readonly project: string;
  /** The daemon's number in its project on this worker, from 1: its sockets to nginx. */
  readonly index: number;
  /** Introduction points of the backend itself, 3 to 20 (Onionbalance takes 2 of them). */
  readonly torIntrosPerDaemon: number;
  /** Where it tells what it counts, plan/metrics.ts; a reload takes it over. Absent: nowhere. */
  readonly metrics?: string;
  /** More torrc lines, of a private Tor network; none for the public one. */
  readonly network: readonly string[];
}

const logLevels: readonly string[] = ["err", "warn", "notice", "info"] satisfies TorSettings["torSyslog"][];

/** A level alone: tor would take a path behind one for the file to log to. */
function logLevel(level: string): string {
  if (!logLevels.includes(level)) throw unfit(level, `it is no level of tor's log: ${logLevels.join(", ")}`);
  return level;
}

/** An address and port on loopback, and nothing else: it asks for no password. */
export function loopback(place: string): string {
  if (!/^127(\.[0-9]{1,3}){3}:[0-9]{1,5}$/.test(place))
    throw unfit(place, "it is not an address of loopback with a port");
  return place;
}

export const backendTorrc: Template<BackendTorrcModel> = {
  language: torrc,
  sources: ["backend-torrc"],
  title: (model) => `torrc of backend daemon ${model.daemon}`,
  locals: ({ daemon, project, index, torSyslog, torExportCircuitId, metrics }) => ({
    metrics: metrics && loopback(metrics),
    dataDir: dataDir(identifier(daemon)),
    control: controlSocket(daemon),
    socks: torSocksSocket(daemon),
    level: logLevel(torSyslog),
    onionDir: onionDir(daemon),
    ports: torPorts(identifier(project), index, torExportCircuitId),
  }),
};
