import { createHash } from "node:crypto";
import { torPorts, type TorSettings } from "./torSettings";

/** What a tor daemon takes over at its start alone. */
export interface TakenAtStart {
  /** The sites of the daemon's project: a domain, and the address that the config names, where it names one. */
  readonly sites: readonly {
    readonly domain: string;
    readonly onion?: string | undefined;
    readonly replaceAddress?: string | undefined;
  }[];
  /** What the project's config says to its tors; what a reload takes over may be in it and makes no difference. */
  readonly tor: TorAtStart;
  /** Text of tor's systemd unit. */
  readonly unit: string;
}

/** The tor settings of a project that a running daemon does not take over, or not cleanly. */
export type TorAtStart = Pick<
  TorSettings,
  "torSingleOnion" | "torExportCircuitId" | "torIntroDosDefense" | "torIntroDosRatePerSec" | "torIntroDosBurstPerSec"
>;

/**
 * The generation of a project's tor daemons: 4 hex digits, a hash of what only a start can take over.
 *
 * tor cannot learn a new frontend on SIGHUP, and a restart, which would teach it, cuts off every visitor of the daemon. So such
 * a change restarts nothing: another hash is another daemon, with keys of its own, started beside the old one and published
 * instead of it. In the hash are, beside the frontends and the unit:
 * - single onion mode: tor exits on a SIGHUP that changes it;
 * - the defence of the introduction points: they are told of it when the daemon comes to them, and one that it keeps over a
 *   reload is not told again, for up to a day;
 * - the sockets behind the ports, and with them the export of circuit ids: a reload takes both over for the next stream, but
 *   nginx reads a PROXY line on some sockets only, and is reloaded on its own: with sockets that are a daemon's for its whole
 *   life no stream comes to one that its nginx does not have, in a rollback neither.
 * Not in it is what a reload takes over cleanly: the number of introduction points, the limits of streams (tor looks at them
 * when a stream comes, of old circuits too), the log's level, and all that is nginx's. It must not make new daemons. Nor is the
 * order of the sites in it: it means nothing.
 *
 * Only what the config says is in it, no key and no address that is made: the daemon's name must be known before any resource is.
 * Four digits tell the generations of one project apart that are on a machine together, a few: two of them fall together once in
 * 65536 changes.
 * @example generationOf({ sites: [{ domain: "www.example.org" }], tor: resolveProject({}), unit }) // "3fa9"
 */
export function generationOf({ sites, tor, unit }: TakenAtStart): string {
  const frontends = sites
    .map(({ domain, onion, replaceAddress }) => JSON.stringify([domain, onion ?? null, replaceAddress ?? null]))
    .sort();
  return createHash("sha256")
    .update(JSON.stringify([frontends, daemonOf(tor), unit]))
    .digest("hex")
    .slice(0, 4);
}

/** The project's and the daemon's own names in a path are the same for every generation of it: any do. */
function daemonOf(tor: TorAtStart): unknown[] {
  const { torIntroDosRatePerSec: rate, torIntroDosBurstPerSec: burst } = tor;
  return [
    tor.torSingleOnion,
    torPorts("", 1, tor.torExportCircuitId).map(({ port, socket }) => [port, socket]),
    tor.torIntroDosDefense ? [rate ?? null, burst ?? null] : null,
  ];
}
