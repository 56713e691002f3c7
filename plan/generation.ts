import { createHash } from "node:crypto";

/** What a tor daemon takes over at its start alone. */
export interface TakenAtStart {
  /** The sites of the daemon's project: a domain, and the address that the config names, where it names one. */
  readonly sites: readonly {
    readonly domain: string;
    readonly onion?: string | undefined;
    readonly replaceAddress?: string | undefined;
  }[];
  /** Text of tor's systemd unit. */
  readonly unit: string;
}

/**
 * The generation of a project's tor daemons: 4 hex digits, a hash of what only a start can take over.
 *
 * tor cannot learn a new frontend on SIGHUP, and a restart, which would teach it, cuts off every visitor of the daemon. So such
 * a change restarts nothing: another hash is another daemon, with keys of its own, started beside the old one and published
 * instead of it. What can be reloaded (introduction points, subdomains, resolvers,
 * time-outs) is not in the hash: it must not make new daemons. Nor is the order of the sites: it means nothing.
 *
 * Only what the config says is in it, no key and no address that is made: the daemon's name must be known before any resource is.
 * Four digits tell the generations of one project apart that are on a machine together, a few: two of them fall together once in
 * 65536 changes.
 * @example generationOf({ sites: [{ domain: "www.example.org" }], unit }) // "3fa9"
 */
export function generationOf({ sites, unit }: TakenAtStart): string {
  const frontends = sites
    .map(({ domain, onion, replaceAddress }) => JSON.stringify([domain, onion ?? null, replaceAddress ?? null]))
    .sort();
  return createHash("sha256")
    .update(JSON.stringify([frontends, unit]))
    .digest("hex")
    .slice(0, 4);
}
