import { proberPaths } from "../plan/names";
import { torrc } from "./quote";
import type { Template } from "./template";

/** The torrc of a watchdog's tor: a client that meets the backends as a visitor would. */
export interface ProberTorrcModel {
  /** More torrc lines, of a private Tor network; none for the public one. */
  readonly network: readonly string[];
}

export const proberTorrc: Template<ProberTorrcModel> = {
  language: torrc,
  sources: ["prober-torrc"],
  title: () => "torrc of the watchdog's tor",
  locals: () => ({
    dataDir: proberPaths.dataDir,
    control: proberPaths.controlSocket,
    socks: proberPaths.socksSocket,
  }),
};
