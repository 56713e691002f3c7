import { controlSocket, dataDir, torClient, torSocksSocket } from "../plan/names";
import { torrc } from "./quote";
import type { Template } from "./template";

/** The torrc of a worker's client, where single onion services run. */
export interface ClientTorrcModel {
  /** More torrc lines, of a private Tor network; none for the public one. */
  readonly network: readonly string[];
}

export const clientTorrc: Template<ClientTorrcModel> = {
  language: torrc,
  sources: ["client-torrc"],
  title: () => "torrc of the client",
  locals: () => ({
    dataDir: dataDir(torClient),
    control: controlSocket(torClient),
    socks: torSocksSocket(torClient),
  }),
};
