// What readers get: whether somebody publishes, and what the descriptors in the network hold.
import { count } from "../../../config/words";
import { span } from "../../desk/table";
import type { BackendKnown, DirectoryTold, PublishedSite } from "../../desk/survey";
import { follows, type Check, type Told } from "../finding";
import { daemonWith, runs, seenAs, some, unitOfKind, younger, type Publisher, type View } from "../view";
import { unreachableFault } from "./machines";
import { guardFault, unitFault } from "./units";

/** Onionbalance uploads when something changed, and else once an hour; directories keep a descriptor for three (rend-spec-v3, 2.2.1: `descriptor-lifetime`). */
const attempt = { amber: 75 * 60, red: 2 * 3600 };
/** The first fetch, the wait after it and the first upload (plan/publisher.ts), with a bootstrap before. */
export const startSeconds = 180;
/** The publisher tells of itself every ten seconds (host/publishing.py). */
const toldSeconds = { amber: 60, red: 300 };
/** The status socket is there as soon as its tor has let it in. */
const socketSeconds = 30;
const balancerTor = "softmap-balancer-tor.service";

/** What keeps a balancer's Onionbalance from its work and is told by other checks. */
function torFault(view: View, name: string): string | undefined {
  return unitFault(view, name, balancerTor) ?? guardFault(view, name, balancerTor);
}

/** What is wrong with a balancer's Onionbalance as a whole; undefined: it answers. */
function onionbalanceFault({ name, seen, publisher }: Publisher): Told | undefined {
  const unit = unitOfKind(seen, "onionbalance");
  const start = `npx softmap logs ${name} says why; then npx softmap start ${name}, or sudo systemctl restart ${unit?.unit ?? "softmap-onionbalance.service"} there.`;
  if (unit && !runs(unit)) {
    const last =
      publisher.said === null ? "" : ` It said last: ${publisher.said.replace(/\s+/g, " ").replace(/\.$/, "")}.`;
    const what = `Onionbalance on ${name} does not run (${unit.state}/${unit.sub}, ${count(unit.restarts, "restart")}): its sites lapse within three hours.${last}`;
    return { severity: "red", subject: name, what, next: start };
  }
  if (publisher.error === null) return undefined;
  const what = `Onionbalance on ${name} runs and does not tell what it does: ${publisher.error.replace(/\.$/, "")}.`;
  return { severity: younger(unit, socketSeconds) ? "amber" : "red", subject: name, what, next: start };
}

/** Why a balancer publishes nothing, as a finding says it; undefined: it does. */
export function silence(view: View, publisher: Publisher): string | undefined {
  return torFault(view, publisher.name) ?? onionbalanceFault(publisher)?.what;
}

/** Sites that Onionbalance has not tried to upload for long, or never. */
function lateSites({ name, seen, publisher }: Publisher): Told[] {
  const fresh = younger(unitOfKind(seen, "onionbalance"), startSeconds);
  const late = publisher.sites.filter(({ attempted }) => (attempted ?? Infinity) >= attempt.amber);
  if (late.length === 0 || fresh) return [];
  const ages = late.map(({ attempted }) => attempted ?? Infinity);
  const longest = Math.max(...ages);
  const age = longest === Infinity ? "at all" : `for ${span(longest)}`;
  const what = `Onionbalance on ${name} has not tried to publish ${some(late.map(({ domain }) => domain))} ${age}; once an hour is due.`;
  const next = `npx softmap logs ${name} says why. npx softmap restart ${name} makes it begin anew.`;
  return [{ severity: longest >= attempt.red ? "red" : "amber", subject: name, what, next }];
}

/** What it does, and not as it should: it says so itself, or says nothing any more. */
function ownWords({ name, seen, publisher: { told } }: Publisher): Told[] {
  if (told === null || younger(unitOfKind(seen, "onionbalance"), toldSeconds.amber)) return [];
  if (told.age >= toldSeconds.amber) {
    const what = `The publisher on ${name} has told nothing of its descriptors for ${span(told.age)}; every ten seconds is due.`;
    const next = `npx softmap logs ${name} says why. npx softmap restart ${name} makes it begin anew.`;
    return [{ severity: told.age >= toldSeconds.red ? "red" : "amber", subject: name, what, next }];
  }
  if (told.problems.length === 0) return [];
  const words = told.problems.map((each) => each.replace(/\s+/g, " ").replace(/\.$/, ""));
  const what = `The publisher on ${name} goes on, and has trouble: ${some(words, 3)}.`;
  const next = `npx softmap logs ${name} says more. A list that it ignores: see who writes it; npx softmap undrain --all writes the operator's anew.`;
  return [{ severity: "amber", subject: name, what, next }];
}

/** Nobody is to publish, or nobody is known to. */
function nobody({ survey, seen, workers, publishers }: View): Told[] {
  if (publishers.length > 0 || survey.sites.length === 0) return [];
  const subject = survey.stack;
  const silent = survey.machines.filter(({ name, error }) => error !== undefined && !workers.has(name));
  const sites = count(survey.sites.length, "site");
  if (silent[0] !== undefined) {
    const what = `Nobody can say what is published of ${sites}: ${some(silent.map(({ name }) => name))} cannot be asked.`;
    const because = `${silent[0].name} cannot be asked: ${silent[0].error ?? ""}.`;
    return [follows(because, { severity: "red", subject, what, next: "" })];
  }
  const waiting = seen.filter((machine) => machine.seen.publisher?.standby);
  const what =
    waiting.length > 0
      ? `Nobody publishes ${sites}: ${some(waiting.map(({ name }) => name))} stand${waiting.length === 1 ? "s" : ""} by.`
      : `Nobody publishes ${sites}: Onionbalance is on no machine of the stack.`;
  return [
    { severity: "red", subject, what, next: "Name a balancer in publishing, or give the stack one; then pulumi up." },
  ];
}

export const publishing: Check = {
  name: "publishing",
  looksFor: "an Onionbalance that does not publish, or nobody who is to",
  find: (view) => [
    ...nobody(view),
    ...view.publishers.flatMap((publisher) => {
      const fault = onionbalanceFault(publisher);
      return fault
        ? [follows(torFault(view, publisher.name), fault)]
        : [...lateSites(publisher), ...ownWords(publisher)];
    }),
  ],
};

/** Why nobody can serve a site: each of its backends has a fault of its own, and this is the first of them. */
function allDown(view: View, { backends }: PublishedSite): string | undefined {
  const mine = view.survey.backends.filter((one) => backends.some(({ address }) => address === one.address));
  const faults = mine.map((one) => backendFault(view, one));
  return faults.length > 0 && faults.every((fault) => fault !== undefined) ? faults[0] : undefined;
}

export const descriptor: Check = {
  name: "descriptor",
  looksFor: "a site without a descriptor in the network, or with somebody else's",
  find: (view) =>
    view.publishers.flatMap((publisher) =>
      publisher.publisher.sites.flatMap((site) => descriptorOf(view, publisher, site)),
    ),
};

/** Of the descriptor that clients ask for now, the directories that they ask. */
export const askedRows = ({ told }: PublishedSite): readonly DirectoryTold[] =>
  (told?.descriptors ?? [])
    .filter(({ readers }) => readers)
    .flatMap((each) => each.directories.filter(({ asked }) => asked));

function descriptorOf(view: View, publisher: Publisher, site: PublishedSite): Told[] {
  const { domain, address, published, backends } = site;
  if (published === null) return [];
  const because = silence(view, publisher) ?? allDown(view, site);
  const fresh = younger(unitOfKind(publisher.seen, "onionbalance"), startSeconds);
  const told = (what: string, next: string, red = true): Told[] => [
    follows(because, { severity: red && !fresh ? "red" : "amber", subject: domain, what, next }),
  ];
  if (published.error !== null)
    return told(
      `${domain} cannot be reached by anybody new: no descriptor of ${address} came (${published.error.replace(/\.$/, "")}).`,
      `npx softmap whoserves ${domain} asks again. If it stays so, npx softmap logs ${publisher.name} says what becomes of the uploads.`,
    );
  if (published.points === 0)
    return told(
      `The descriptor of ${domain} holds no introduction point.`,
      `npx softmap logs ${publisher.name} says which backends Onionbalance has.`,
    );
  if (published.unknown === 0) return [];
  const ours = backends.some(({ listed }) => (listed ?? 0) > 0);
  const what = `${published.unknown} of ${published.all} introduction points in the descriptor${published.asked > 1 ? "s" : ""} of ${domain} belong to no backend as it is now.`;
  return ours
    ? told(
        what,
        "Backends have changed theirs: look again in five minutes. If it stays so, another Onionbalance publishes with this key.",
        false,
      )
    : told(
        what,
        "Somebody else publishes with the site's key, or Onionbalance with old descriptors: see the page before anything else.",
      ).map(({ because: _, ...root }) => ({ ...root, severity: fresh ? "amber" : "red" }));
}

/** What keeps a backend from serving and is told by other checks. */
export function backendFault(view: View, { worker, address }: BackendKnown): string | undefined {
  const lost = unreachableFault(view, worker);
  if (lost !== undefined) return lost;
  const seen = seenAs(view, worker);
  const daemon = seen && daemonWith(seen, address);
  return daemon && (unitFault(view, worker, daemon.unit) ?? guardFault(view, worker, daemon.unit));
}
