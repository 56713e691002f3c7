// npx softmap status: every machine, daemon and site of a stack, and what is wrong with them.
import { count } from "../../config/words";
import { mostPoints } from "../../plan/budget";
import { examine, lookOptions, theWorld, type Tools, withBackups } from "../doctor/examine";
import type { Finding } from "../doctor/finding";
import { called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import type { MachineSeen, PublishedSite, Survey, TorSeen, UnitSeen, WatchedBackend } from "./survey";
import { daemonOf, span, tableOf } from "./table";

const usage = `usage: npx softmap status [--stack NAME] [--quick] [--json]

Asks every machine of a stack, all at once, and shows each with its daemons, and each site with what is published of it.
A machine that does not answer is shown as that, with all others. Changes nothing, and waits for no \`pulumi up\`.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --quick        ask the machines alone: no descriptor from the network, no site of its origin
  --json         everything that was found, as JSON (cli/desk/survey.ts has its form), with what is wrong

Exit code 1 when something is wrong. What it is and what to do: npx softmap doctor.`;

/** Runs the command. */
export function main(args: readonly string[], streams: Streams, tools: Tools = theWorld): Promise<Exit> {
  const options = { ...stackOption, ...lookOptions };
  return called(args, streams, { usage, options }, async ({ values }) => {
    const { found, findings, backups, exit } = await examine(values, tools);
    streams.out(
      values.json
        ? JSON.stringify({ ...found, findings, backups: backups ?? null }, null, 2)
        : withBackups(statusText(found, findings), backups),
    );
    return exit;
  });
}

/** A survey for people: a table of machines and daemons, one of sites, who is left out, then what is wrong. */
export function statusText(found: Survey, findings: readonly Finding[]): string {
  const watched = watchedIn(found);
  return [
    `${found.stack}, ${found.taken}`,
    tableOf(
      [...machineHead, ...(watched.length > 0 ? ["watchdog"] : [])],
      found.machines.flatMap((machine) => machineRows(machine, found)),
    ),
    ...(siteRows(found).length === 0 ? [] : [tableOf(siteHead, siteRows(found))]),
    ...leftOutText(found),
    findings.length === 0
      ? "Nothing is wrong."
      : `${count(findings.length, "finding")}:\n${findings.map(({ severity, what }) => `  ${severity}: ${what}`).join("\n")}\n  Next: npx softmap doctor says what to do.`,
  ].join("\n\n");
}

/** Who is left out of the descriptors: a line for each backend, however many sites it is in. */
function leftOutText(found: Survey): string[] {
  const lines = publishedIn(found).flatMap(({ balancer, site }) =>
    (site.told?.leftOut ?? []).map(
      ({ name, by, age, why }) => `  ${name} by the ${by} for ${span(age)} (${balancer}): ${why}`,
    ),
  );
  return lines.length === 0 ? [] : [`Left out of the descriptors:\n${[...new Set(lines)].join("\n")}`];
}

const machineHead = [
  "host",
  "project",
  "daemon",
  "unit",
  "up for",
  "bootstrap",
  "points",
  "descriptor",
  "in frontend",
  "release",
  "drift",
];

function machineRows({ name, error, seen }: Survey["machines"][number], found: Survey): string[][] {
  if (seen === undefined) return [[name, "", `not reached: ${error}`]];
  const rows = seen.units
    .filter(({ kind, planned }) => kind !== "base" || planned === "leaving")
    .map((unit) => unitRow(name, unit, seen, found));
  const bad = seen.units.filter((unit) => unit.kind === "base" && unit.state !== "active");
  rows.push(...bad.map((unit) => unitRow(name, unit, seen, found)));
  return rows.length > 0 ? rows : [[name, "", "nothing is deployed here"]];
}

function unitRow(host: string, unit: UnitSeen, seen: MachineSeen, found: Survey): string[] {
  const tor = seen.tors.find((each) => each.unit === unit.unit);
  const state = unit.planned === "run" ? unit.state : `${unit.state} (${unit.planned})`;
  return [
    host,
    unit.project ?? "-",
    daemonOf(unit.unit),
    state,
    span(unit.age),
    bootstrapOf(tor),
    tor?.backend ? String(tor.backend.introductionPoints) : "-",
    span(receivedOf(tor, found)),
    listedOf(tor, found),
    releaseOf(unit, seen),
    driftOf(seen),
    ...(watchedIn(found).length > 0 ? [watchedText(tor?.backend?.address, found)] : []),
  ];
}

function bootstrapOf(tor: TorSeen | undefined): string {
  if (tor === undefined) return "-";
  return tor.bootstrapped === null ? "no answer" : `${tor.bootstrapped} %`;
}

/** The sites of a survey, as each balancer that publishes sees them. */
export function publishedIn({ machines }: Survey): { readonly balancer: string; readonly site: PublishedSite }[] {
  return machines.flatMap(({ name, seen }) =>
    seen?.publisher && !seen.publisher.standby ? seen.publisher.sites.map((site) => ({ balancer: name, site })) : [],
  );
}

/** Since Onionbalance got a backend's descriptor: the oldest of those of all sites and balancers. */
function receivedOf(tor: TorSeen | undefined, found: Survey): number | null {
  const ages = rowsIn(tor?.backend?.address, found).map(({ row: { received } }) => received);
  return ages.some((age) => age === null) || ages.length === 0 ? null : Math.max(...ages.map(Number));
}

/** `yes`, `2 of 6` of the directories that were asked (of the site where it is in the fewest), `1 of 2 sites`, or by whom it is left out. */
function listedOf(tor: TorSeen | undefined, found: Survey): string {
  const address = tor?.backend?.address;
  if (address === undefined) return "-";
  const marks = publishedIn(found).flatMap(
    ({ site }) => site.told?.leftOut.filter((each) => each.address === address) ?? [],
  );
  if (marks[0] !== undefined) return `out: ${marks[0].by}`;
  const rows = rowsIn(address, found);
  if (rows.length === 0) return "no";
  if (rows.some(({ row }) => row.listed === null)) return "?";
  const there = rows.filter(({ row }) => row.listed !== 0);
  if (there.length < rows.length) return there.length === 0 ? "no" : `${there.length} of ${rows.length} sites`;
  const [fewest] = there
    .map(({ row, site }) => ({ in: row.directories ?? 0, of: site.published?.asked ?? 1 }))
    .sort((a, b) => a.in - b.in);
  return fewest === undefined || fewest.of < 2 ? "yes" : `${fewest.in} of ${fewest.of}`;
}

/** What the watchdogs of the balancers that publish say. */
const watchedIn = ({ machines }: Survey): readonly WatchedBackend[] =>
  machines.flatMap(({ seen }) => seen?.publisher?.watchdog?.backends ?? []);

/** How a backend is to the watchdog that thinks worst of it. */
function watchedText(address: string | undefined, found: Survey): string {
  const words = watchedIn(found).filter((each) => each.address === address);
  const [worst] = words.sort((a, b) => Number(a.state === "answers") - Number(b.state === "answers"));
  if (worst === undefined) return "-";
  return worst.state === "answers" ? `${(worst.seconds ?? 0).toFixed(1)} s` : `${worst.state} ${span(worst.age)}`;
}

function rowsIn(address: string | undefined, found: Survey) {
  return publishedIn(found).flatMap(({ site }) =>
    site.backends.flatMap((row) => (row.address === address ? [{ site, row }] : [])),
  );
}

const roleOfKind: Readonly<Record<UnitSeen["kind"], string>> = {
  tor: "worker",
  "client tor": "worker",
  nginx: "worker",
  "balancer tor": "balancer",
  "prober tor": "balancer",
  onionbalance: "publisher",
  watchdog: "publisher",
  base: "base",
};

function releaseOf({ kind }: UnitSeen, { roles }: MachineSeen): string {
  return roles.find(({ role }) => role === roleOfKind[kind])?.release ?? "none";
}

const driftOf = ({ drift }: MachineSeen): string => (drift.length === 0 ? "no" : String(drift.length));

const siteHead = ["site", "project", "address", "published", "points", "tried", "certificate", "balancer"];

function siteRows(found: Survey): string[][] {
  return found.sites.map(({ domain, project, address }) => {
    const seen = publishedIn(found).find(({ site }) => site.address === address);
    const ends = found.machines
      .flatMap((machine) => machine.seen?.certificates ?? [])
      .filter((each) => each.project === project && each.domain === domain)
      .map(({ left }) => left);
    return [
      domain,
      project,
      address,
      publishedText(seen?.site),
      seen?.site.published ? `${seen.site.published.points} of ${mostPoints}` : "-",
      seen ? span(seen.site.attempted) : "-",
      ends.length === 0 ? "none" : `${span(Math.min(...ends))} left`,
      seen === undefined ? "-" : balancerText(seen.balancer, found),
    ];
  });
}

/** A balancer, and how it publishes. */
function balancerText(name: string, { machines }: Survey): string {
  const mode = machines.find((machine) => machine.name === name)?.seen?.publisher?.told?.mode;
  return mode === undefined ? name : `${name}, ${mode}`;
}

function publishedText(site: PublishedSite | undefined): string {
  if (site === undefined) return "no balancer";
  if (site.published === null) return "not asked";
  if (site.published.error !== null) return "no descriptor";
  const there = site.backends.filter(({ name, listed }) => name !== null && listed !== null && listed > 0).length;
  return `${there} of ${site.backends.filter(({ name }) => name !== null).length} backends`;
}
