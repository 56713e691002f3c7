import { balancerPaths } from "../plan/names";
import { loopback } from "./backend-torrc";
import { torrc } from "./quote";
import type { Template } from "./template";

/** The torrc of a balancer: a client that fetches the backends' descriptors and uploads the frontends'. */
export interface BalancerTorrcModel {
  /** Where it tells what it counts, plan/metrics.ts. Absent: nowhere. */
  readonly metrics?: string;
  /** More torrc lines, of a private Tor network; none for the public one. */
  readonly network: readonly string[];
}

export const balancerTorrc: Template<BalancerTorrcModel> = {
  language: torrc,
  sources: ["balancer-torrc"],
  title: () => "torrc of the balancer",
  locals: ({ metrics }) => ({
    metrics: metrics && loopback(metrics),
    dataDir: balancerPaths.dataDir,
    control: balancerPaths.controlSocket,
    cookie: balancerPaths.controlSocket.replace(/[^/]*$/, "cookie"),
    socks: balancerPaths.socksSocket,
  }),
};
