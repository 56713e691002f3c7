// npx softmap ob-status, whoserves: what the balancers publish, as Onionbalance tells it and as the network has it.
import { mostPoints } from "../../plan/budget";
import { CallError, called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { theWorld, type Tools } from "../doctor/examine";
import type { DeployedStack, MachineLook, PublishedSite, SiteKnown } from "./survey";
import { span, tableOf } from "./table";

const obStatusUsage = `usage: npx softmap ob-status [--stack NAME] [--json]

Asks every balancer for what its Onionbalance says of each site: when it last tried to upload, and since when it has each backend's
descriptor. It tells what Onionbalance has in mind; what the network has: npx softmap whoserves.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON

Exit code 1 when a balancer cannot be asked, or its Onionbalance does not answer.`;

const whoservesUsage = `usage: npx softmap whoserves [--stack NAME] [--json] SITE

Fetches the descriptor of a site that is in the network right now, decrypts it, and says whose introduction points are in it.
SITE is a domain or an onion address.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON

Exit code 1 when there is no descriptor, a planned backend is not in it, or somebody unknown is.`;

const options = { ...stackOption, json: { type: "boolean" } } as const;

/** Runs `ob-status`. */
export function main(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  return called(args, streams, { usage: obStatusUsage, options }, async ({ values }) => {
    const stack = await tools.read(values.stack);
    const { machines } = await tools.look(stack, { quick: true, only: stack.balancers });
    streams.out(values.json ? JSON.stringify(machines.map(shortOf), null, 2) : machines.map(obStatusText).join("\n\n"));
    return machines.every(({ seen }) => seen?.publisher && seen.publisher.error === null) ? 0 : 1;
  });
}

const shortOf = ({ name, error, seen }: MachineLook) => ({
  name,
  error: error ?? null,
  publisher: seen?.publisher ?? null,
});

function obStatusText({ name, error, seen }: MachineLook): string {
  if (seen === undefined) return `${name}: not reached: ${error}`;
  const { publisher } = seen;
  if (publisher === null) return `${name}: no balancer is deployed here`;
  if (publisher.error !== null) return `${name}: Onionbalance: ${publisher.error}`;
  if (publisher.standby) return `${name}: stands by with ${publisher.sites.length} sites`;
  const rows = publisher.sites.flatMap(({ domain, address, attempted, backends }) =>
    backends.map((each, i) => [
      ...(i === 0 ? [domain, address, span(attempted)] : ["", "", ""]),
      each.name ?? "unknown",
      each.received === null ? "never" : span(each.received),
      each.points === null ? "-" : String(each.points),
    ]),
  );
  return `${name}\n${tableOf(["site", "address", "tried", "backend", "received", "its points"], rows)}`;
}

/** Runs `whoserves`. */
export function whoserves(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  return called(args, streams, { usage: whoservesUsage, options }, async ({ values, positionals }) => {
    const stack = await tools.read(values.stack);
    const wanted = siteNamed(stack, positionals);
    const { machines } = await tools.look({ ...stack, sites: [] }, { only: stack.balancers });
    const [balancer, site] = publishedOn(machines, wanted);
    if (site === undefined) {
      streams.err(`${wanted.domain}: ${whyNobody(machines)}\n  Next: npx softmap doctor says what to do.`);
      return 1;
    }
    streams.out(values.json ? JSON.stringify({ balancer, ...site }, null, 2) : whoservesText(site, balancer));
    return isServed(site) ? 0 : 1;
  });
}

/** The site that a call names: by its domain or its onion, the subdomains and the scheme of a URL forgiven. @throws {CallError} */
export function siteNamed({ sites }: DeployedStack, words: readonly string[]): SiteKnown {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0) throw new CallError("Name one site, by its domain or its onion.");
  const host = word
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[/:].*$/, "")
    .toLowerCase();
  const found = sites.find(({ domain, address }) =>
    [domain, address, address.replace(/\.onion$/, "")].some((name) => host === name || host.endsWith(`.${name}`)),
  );
  if (found !== undefined) return found;
  throw new CallError(
    `No site of the stack is ${word}.\n  Next: there is ${sites.map(({ domain }) => domain).join(", ") || "none"}.`,
  );
}

/** What the first balancer that publishes says of a site; one on standby where none does. */
function publishedOn(machines: readonly MachineLook[], { address }: SiteKnown): [string, PublishedSite] | [] {
  const told = machines.flatMap(({ name, seen }) => (seen?.publisher ? [{ name, publisher: seen.publisher }] : []));
  const first = [...told].sort((a, b) => Number(a.publisher.standby) - Number(b.publisher.standby));
  for (const { name, publisher } of first) {
    const site = publisher.sites.find((each) => each.address === address);
    if (site !== undefined) return [name, site];
  }
  return [];
}

function whyNobody(machines: readonly MachineLook[]): string {
  const lost = machines.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`]));
  return lost.length > 0 ? `no balancer could be asked: ${lost.join("; ")}` : "no balancer of the stack knows it";
}

function isServed({ backends, published }: PublishedSite): boolean {
  return (
    published !== null &&
    published.error === null &&
    published.unknown === 0 &&
    backends.every(({ name, listed }) => (name === null) === (listed === 0 || listed === null))
  );
}

function whoservesText({ domain, address, backends, published }: PublishedSite, balancer: string | undefined): string {
  const head = `${domain} ${address}`;
  if (published === null || published.error !== null)
    return `${head}\nno descriptor: ${published?.error ?? "not asked"}`;
  const rows = backends.map(({ name, address: own, listed }) => [
    name ?? "unknown",
    own,
    listed === null ? "its own descriptor is not in the network" : String(listed),
  ]);
  const strangers = published.unknown > 0 ? [["nobody known", "-", String(published.unknown)]] : [];
  return [
    head,
    `${published.points} of ${mostPoints} introduction points, fetched by ${balancer} in ${published.took.toFixed(1)} s`,
    tableOf(["backend", "its own address", "points in the descriptor"], [...rows, ...strangers]),
  ].join("\n");
}
