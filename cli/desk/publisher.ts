// npx softmap ob-status, whoserves: what the balancers publish, as Onionbalance tells it and as the network has it.
import { mostPoints } from "../../plan/budget";
import { CallError, called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { theWorld, type Tools } from "../doctor/examine";
import type { DeployedStack, MachineLook, PublishedSite, PublisherSeen, SiteKnown, WatchdogSeen } from "./survey";
import { span, tableOf } from "./table";

const obStatusUsage = `usage: npx softmap ob-status [--stack NAME] [--json]

Asks every balancer for what its publisher says of each site: when it last tried to upload, since when it has each backend's descriptor,
and in how many of the directories that clients ask it stored one with that backend. Who is left out is said with by whom, and beside it
what the watchdog finds, where there is one. It tells what the publisher knows; what the network has: npx softmap whoserves.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON

Exit code 1 when a balancer cannot be asked, or its Onionbalance does not answer.`;

const whoservesUsage = `usage: npx softmap whoserves [--stack NAME] [--json] SITE

Fetches the descriptor of a site that is in the network right now, decrypts it, and says whose introduction points are in it. Where each
directory has its own, all of those that clients ask are asked. SITE is a domain or an onion address.

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
  if (publisher.error !== null) return `${name}: Onionbalance: ${publisher.error}${saidText(publisher)}`;
  if (publisher.standby) return `${name}: stands by with ${publisher.sites.length} sites`;
  const { told, watchdog, sites } = publisher;
  const rows = sites.flatMap((site) =>
    site.backends.map((each, i) => [
      ...(i === 0 ? [site.domain, site.address, span(site.attempted)] : ["", "", ""]),
      each.name ?? "unknown",
      each.received === null ? "never" : span(each.received),
      each.points === null ? "-" : String(each.points),
      ...(told === null ? [] : [storedText(site, each)]),
      ...(watchdog === null ? [] : [watchedText(watchdog, each)]),
    ]),
  );
  const more = [...(told === null ? [] : ["directories"]), ...(watchdog === null ? [] : ["watchdog"])];
  return [
    told === null ? name : `${name}, ${told.mode}`,
    ...(told?.problems ?? []).map((each) => `  ${each}`),
    ...(watchdog && watchdog.broken !== "" ? [`  The watchdog is not judging: ${watchdog.broken}`] : []),
    tableOf(["site", "address", "tried", "backend", "received", "its points", ...more], rows),
  ].join("\n");
}

const saidText = ({ said }: PublisherSeen): string => (said === null ? "" : `; it said last: ${said}`);

type Row = PublishedSite["backends"][number];

/** In how many of the directories that clients ask a descriptor with the backend is stored, by the publisher's word; or by whom it is left out. */
function storedText({ told }: PublishedSite, { name, address }: Row): string {
  if (told === null) return "-";
  const mark = told.leftOut.find((each) => each.address === address);
  if (mark !== undefined) return `out: ${mark.by}`;
  const asked = told.descriptors
    .filter(({ readers }) => readers)
    .flatMap(({ directories }) => directories.filter((each) => each.asked));
  const there = asked.filter(({ state, backends }) => state === "stored" && backends.includes(name ?? address));
  return `${there.length} of ${asked.length}`;
}

function watchedText({ backends }: WatchdogSeen, { address }: Row): string {
  const its = backends.find((each) => each.address === address);
  if (its === undefined) return "-";
  return its.state === "answers"
    ? `answers in ${(its.seconds ?? 0).toFixed(1)} s`
    : `${its.state} for ${span(its.age)}`;
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

/** Every backend is in some descriptor, but for those that are left out by intent or for their silence; and nobody else is. */
function isServed({ backends, published, told }: PublishedSite): boolean {
  const out = new Set(told?.leftOut.map(({ address }) => address));
  return (
    published !== null &&
    published.error === null &&
    published.unknown === 0 &&
    backends.every(
      ({ name, listed, address }) => out.has(address) || (name === null) === (listed === 0 || listed === null),
    )
  );
}

function whoservesText(site: PublishedSite, balancer: string | undefined): string {
  const { domain, address, backends, published, told } = site;
  const head = `${domain} ${address}`;
  if (published === null || published.error !== null)
    return `${head}\nno descriptor: ${published?.error ?? "not asked"}`;
  const { points, all, unknown, took, asked, silent } = published;
  const many = asked > 1;
  const out = new Map(told?.leftOut.map((each) => [each.address, each]));
  const rows = backends.map((each) => {
    const mark = out.get(each.address);
    const number = each.listed === null ? "its own descriptor is not in the network" : String(each.listed);
    return [
      each.name ?? "unknown",
      each.address,
      ...(many ? [each.directories === null ? "-" : `${each.directories} of ${asked - silent.length}`] : []),
      mark === undefined ? number : `${number}, left out by the ${mark.by}: ${mark.why}`,
    ];
  });
  const strangers = unknown > 0 ? [["nobody known", "-", ...(many ? ["-"] : []), String(unknown)]] : [];
  const fullest = many ? ` in the fullest of ${asked - silent.length} descriptors, ${all} in all` : "";
  return [
    head,
    `${points} of ${mostPoints} introduction points${fullest}, fetched by ${balancer} in ${took.toFixed(1)} s`,
    ...silent.map(({ fingerprint, why }) => `no descriptor from the directory ${fingerprint.slice(0, 8)}: ${why}`),
    tableOf(
      ["backend", "its own address", ...(many ? ["directories"] : []), "points in the descriptor"],
      [...rows, ...strangers],
    ),
  ].join("\n");
}
