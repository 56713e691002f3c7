import { controlSocket, dataDir, nginxSocket, onionDir, torSocksSocket } from "../plan/names";
import { identifier, torrc } from "./quote";
import type { Template } from "./template";

/** The torrc of one tor daemon of a project on a worker. */
export interface BackendTorrcModel {
  /** `<project>-<n>-<generation>` */
  readonly daemon: string;
  readonly project: string;
  /** The daemon's number in its project on this worker, from 1: its socket to nginx. */
  readonly index: number;
  /** Introduction points of the backend itself, 3 to 20 (Onionbalance takes 2 of them). */
  readonly torIntrosPerDaemon: number;
  /** More torrc lines, of a private Tor network; none for the public one. */
  readonly network: readonly string[];
}

export const backendTorrc: Template<BackendTorrcModel> = {
  language: torrc,
  sources: ["backend-torrc"],
  title: (model) => `torrc of backend daemon ${model.daemon}`,
  locals: ({ daemon, project, index }) => ({
    dataDir: dataDir(identifier(daemon)),
    control: controlSocket(daemon),
    socks: torSocksSocket(daemon),
    onionDir: onionDir(daemon),
    target: nginxSocket(identifier(project), index),
  }),
};
