// Backends: whether each is in its sites' frontends, and how many introduction points there are of it.
import { mostBackends, mostDistinct, mostPoints } from "../../../plan/budget";
import { count } from "../../../config/words";
import { span } from "../../desk/table";
import type { BackendKnown, PublishedSite } from "../../desk/survey";
import { follows, type Check, type Told } from "../finding";
import { daemonWith, runs, seenAs, some, unitNamed, unitOfKind, younger, type Publisher, type View } from "../view";
import { askedRows, backendFault, silence, startSeconds } from "./publication";
import { pointSeconds } from "./units";

type Row = PublishedSite["backends"][number];

/** Where a backend is missing: its row in a site that its balancer publishes. */
interface Missing {
  readonly publisher: Publisher;
  readonly site: PublishedSite;
  readonly row: Row;
}

export const backend: Check = {
  name: "backend",
  looksFor: "a planned backend that is not in the frontend, and why",
  find: (view) => view.survey.backends.flatMap((each) => missingBackend(view, each)),
};

/** With the network asked, what it holds counts; else what Onionbalance has. A site without a descriptor, or with somebody else's, is told by "descriptor". */
function isMissing({ site, row }: Missing): boolean {
  const { published } = site;
  if (published === null) return row.received === null || row.points === 0;
  const others = published.unknown > 0 && site.backends.every(({ listed }) => (listed ?? 0) === 0);
  if (published.error !== null || published.points === 0 || others || (row.listed ?? 0) > 0) return false;
  // A directory that gave none just now may be the one that has it.
  const silent = new Set(published.silent.map(({ fingerprint }) => fingerprint));
  return !askedRows(site).some((each) => silent.has(each.fingerprint) && each.backends.includes(row.name ?? ""));
}

function missingBackend(view: View, each: BackendKnown): Told[] {
  const rows = view.publishers.flatMap((publisher) =>
    publisher.publisher.error !== null
      ? []
      : publisher.publisher.sites.flatMap((site) =>
          site.backends.flatMap((row) => (row.address === each.address ? [{ publisher, site, row }] : [])),
        ),
  );
  // Who is left out is told by "left-out".
  const missing = rows.filter((one) => isMissing(one) && !isLeftOut(one.site, each.address));
  const [first] = missing;
  if (first === undefined) return [];
  const domains = [...new Set(missing.map(({ site }) => site.domain))];
  const where = `${each.name} is not in the frontend of ${some(domains)}`;
  const seen = seenAs(view, each.worker);
  const daemon = seen && daemonWith(seen, each.address);
  const because = backendFault(view, each) ?? silence(view, first.publisher) ?? noPoints(view, each);
  const fresh =
    younger(seen && daemon && unitNamed(seen, daemon.unit), startSeconds) ||
    younger(unitOfKind(first.publisher.seen, "onionbalance"), startSeconds);
  const severity = fresh ? "amber" : "red";
  if (because !== undefined)
    return [follows(because, { severity, subject: each.name, what: `${where}: ${lowered(because)}`, next: "" })];
  if (seen && !daemon) {
    const what = `${where}: no daemon on ${each.worker} has its key, so another release serves there than was planned.`;
    return [{ severity, subject: each.name, what, next: "pulumi up --refresh releases the plan there again." }];
  }
  return [{ severity, subject: each.name, ...whyNot(where, each, first) }];
}

const isLeftOut = ({ told }: PublishedSite, address: string): boolean =>
  told?.leftOut.some((mark) => mark.address === address) ?? false;

/** What the balancer knows of a backend that runs: at which step it is lost. */
function whyNot(where: string, { worker }: BackendKnown, { publisher: { name }, site, row }: Missing) {
  const again = `If it stays so for five minutes: npx softmap restart ${name}, which makes Onionbalance fetch it anew.`;
  if (row.received === null)
    return {
      what: `${where}: Onionbalance on ${name} has never got its descriptor, though its tor runs.`,
      next: `npx softmap logs ${worker} says whether its tor uploads one. ${again}`,
    };
  if (site.published !== null && row.listed === null)
    return {
      what: `${where}: its own descriptor does not come from the network; Onionbalance got one ${span(row.received)} ago.`,
      next: `npx softmap logs ${worker} says whether its tor uploads one. ${again}`,
    };
  return {
    what: `${where}: Onionbalance on ${name} got its descriptor ${span(row.received)} ago, with ${count(row.points ?? 0, "introduction point")}, and tried to publish ${span(site.attempted)} ago.`,
    next: again,
  };
}

const lowered = (sentence: string): string => sentence.replace(/^(None|Units?|On) /, (word) => word.toLowerCase());

/** Introduction points that a backend has to have, where the plan is not known: the least that a config may ask for. */
const leastPoints = 3;

/** A backend that keeps too few introduction points. */
function fewPoints(view: View, { name, worker, address }: BackendKnown): Told | undefined {
  const seen = seenAs(view, worker);
  const daemon = seen && daemonWith(seen, address);
  const its = daemon?.backend;
  if (!seen || !daemon || !its || daemon.error !== null) return undefined;
  const unit = unitNamed(seen, daemon.unit);
  if ((unit && !runs(unit)) || younger(unit, pointSeconds)) return undefined;
  const planned = its.plannedPoints ?? leastPoints;
  if (its.introductionPoints >= planned) return undefined;
  const severity = its.introductionPoints === 0 ? "red" : "amber";
  const what = `${name} keeps ${count(its.introductionPoints, "introduction point")}, and should keep ${planned} for each of its two descriptors.`;
  const next = `npx softmap logs ${worker} says why circuits fail. tor asks for others by itself; with none for five minutes: npx softmap restart ${worker}.`;
  return { severity, subject: name, what, next };
}

/** The same, where it is what keeps the backend out of the frontend. */
function noPoints(view: View, each: BackendKnown): string | undefined {
  const few = fewPoints(view, each);
  return few?.severity === "red" ? few.what : undefined;
}

export const introductionPoints: Check = {
  name: "introduction-points",
  looksFor: `more than ${mostPoints} introduction points in a descriptor, more backends than it can have, or too few points for a backend`,
  find: (view) => [
    ...view.publishers.flatMap((publisher) => publisher.publisher.sites.flatMap((site) => tooMany(publisher, site))),
    ...view.survey.backends.flatMap((each) => {
      const few = fewPoints(view, each);
      return few ? [follows(backendFault(view, each), few)] : [];
    }),
  ],
};

/** A machine that tells no mode has Onionbalance as it is. */
function tooMany({ name, publisher: { told } }: Publisher, { domain, backends, published }: PublishedSite): Told[] {
  const points = published?.points ?? 0;
  const distinct = told?.mode === "distinct";
  const most = distinct ? mostDistinct : mostBackends;
  if (points <= mostPoints && backends.length <= most) return [];
  const reason = distinct
    ? `six directories with ${mostPoints} introduction points each have room for ${most}, and some are found by nobody`
    : `with two introduction points each that is more than ${mostPoints}, and clients refuse it`;
  const what =
    points > mostPoints
      ? `The descriptor of ${domain} holds ${points} introduction points: clients refuse more than ${mostPoints}, and the site is gone for them.`
      : `Onionbalance on ${name} has ${backends.length} backends for ${domain}: ${reason}.`;
  const fewer = `List fewer: softmapTorWorkers, or listed, so that workers x tor daemons is at most ${most}`;
  const next = `${fewer}${distinct ? "" : `; or publisher: distinct, for up to ${mostDistinct}`}; then pulumi up --refresh.`;
  return [{ severity: "red", subject: domain, what, next }];
}
