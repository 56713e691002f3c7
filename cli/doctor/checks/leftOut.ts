// Who is left out of the descriptors, whether the watchdog that judges them can be trusted, and which directories do not take what is published.
import { count } from "../../../config/words";
import { span } from "../../desk/table";
import type { DirectoryTold, LeftOut, PublishedSite } from "../../desk/survey";
import { follows, type Check, type Told } from "../finding";
import { groupedBy, runs, some, unitOfKind, younger, type Publisher, type View } from "../view";
import { clockFault } from "./machines";
import { askedRows, backendFault, silence, startSeconds } from "./publication";
import { guardFault, proberFault } from "./units";

/** A backend that is left out on a balancer, once however many sites it is in. */
interface Out extends LeftOut {
  readonly balancer: string;
}

export const leftOut: Check = {
  name: "left-out",
  looksFor: "backends that are left out of the descriptors, by the watchdog or by hand",
  find: (view) => [...bySilence(view), ...byHand(view), ...spared(view)],
};

/** Those whom somebody leaves out, each once. */
function outBy(view: View, by: string): Out[] {
  const marks = view.publishers.flatMap(({ name, publisher }) =>
    publisher.sites.flatMap(({ told }) => (told?.leftOut ?? []).map((mark): Out => ({ ...mark, balancer: name }))),
  );
  return [
    ...groupedBy(
      marks.filter((mark) => mark.by === by),
      ({ address }) => address,
    ).values(),
  ].flatMap(([first]) => (first === undefined ? [] : [first]));
}

const isOut = (n: number): string => (n === 1 ? "is" : "are");
const longest = (marks: readonly Out[]): string => span(Math.max(...marks.map(({ age }) => age ?? 0)));

/** By the watchdog: those whose silence another check explains follow from that, those of each cause together. */
function bySilence(view: View): Told[] {
  const causes = groupedBy(outBy(view, "watchdog"), ({ address }) => {
    const known = view.survey.backends.find((each) => each.address === address);
    return (known && backendFault(view, known)) ?? "";
  });
  return [...causes].map(([because, marks]) => {
    const names = some(marks.map(({ name }) => name));
    const why = marks[0]?.why.replace(/\.$/, "") ?? "";
    const what = `${names} ${isOut(marks.length)} left out by the watchdog on ${marks[0]?.balancer ?? ""} for ${longest(marks)}: ${why}.`;
    const next =
      "npx softmap logs of their workers says what became of them. They come back by themselves as soon as they answer.";
    const subject = marks.length === 1 ? names : (marks[0]?.balancer ?? "");
    return follows(because === "" ? undefined : because, { severity: "amber", subject, what, next });
  });
}

/** By hand: it lasts until somebody ends it. */
function byHand(view: View): Told[] {
  return [...groupedBy(outBy(view, "operator"), ({ why }) => why)].map(([why, marks]) => {
    const names = some(marks.map(({ name }) => name));
    const what = `${names} ${isOut(marks.length)} left out by hand for ${longest(marks)}: ${why.replace(/\.$/, "")}.`;
    const next = `When that is over: npx softmap undrain ${marks.map(({ name }) => name).join(" ")}.`;
    return { severity: "amber", subject: marks.length === 1 ? names : view.survey.stack, what, next };
  });
}

/** Silent backends that stay listed because too few would be left: readers are sent to them. */
function spared(view: View): Told[] {
  return view.publishers.flatMap(({ name, publisher }) =>
    publisher.sites.flatMap(({ domain, told }) => {
      if (told === null || told.spared.length === 0) return [];
      const what = `${some(told.spared)} of ${domain} ${isOut(told.spared.length)} to be left out, and stay${told.spared.length === 1 ? "s" : ""} listed on ${name}: ${told.listed} of ${told.backends} backends are listed, and the floor keeps these.`;
      const next =
        "Too many are silent at once: look at what they have in common, npx softmap status. Readers reach the others by trying again.";
      return [{ severity: "red", subject: domain, what, next }];
    }),
  );
}

/** So long it may be silent: it writes at every round. */
const silentRounds = 6;
const leastSilence = 60;

export const watchdog: Check = {
  name: "watchdog",
  looksFor: "a watchdog that does not run, says nothing, or does not trust its own probes",
  find: (view) => view.publishers.flatMap((publisher) => watchdogOf(view, publisher)),
};

function watchdogOf(view: View, publisher: Publisher): Told[] {
  const { name, seen } = publisher;
  const its = publisher.publisher.watchdog;
  const unit = unitOfKind(seen, "watchdog");
  if (unit === undefined || unit.planned !== "run") return [];
  const balancerTor = seen.units.find(({ kind }) => kind === "balancer tor")?.unit ?? "";
  const cut = guardFault(view, name, balancerTor);
  const told = (what: string, next: string): Told[] => [
    follows(cut, { severity: "amber", subject: name, what: `${what} Backends that die stay listed meanwhile.`, next }),
  ];
  const logs = `npx softmap logs ${name} says why.`;
  const fault = proberFault(publisher);
  if (fault !== undefined) return told(fault, `${logs} Then npx softmap start ${name}.`);
  if (!runs(unit)) {
    const state = `${unit.state}/${unit.sub}, ${count(unit.restarts, "restart")}`;
    return told(`The watchdog on ${name} does not run (${state}).`, `${logs} Then npx softmap start ${name}.`);
  }
  if (younger(unit, startSeconds)) return [];
  if (its === null || its.age > Math.max(leastSilence, silentRounds * its.every)) {
    const since = its === null ? "" : ` for ${span(its.age)}`;
    return told(`The watchdog on ${name} runs and has told nothing${since}.`, `${logs} npx softmap restart ${name}.`);
  }
  if (its.broken === "") return [];
  return told(
    `The watchdog on ${name} holds nothing against anybody: ${its.broken.replace(/\.$/, "")}.`,
    `If all backends are well, it is its tor: ${logs} If none answers, see the other findings first.`,
  );
}

export const directories: Check = {
  name: "directories",
  looksFor: "directories that refuse what is published, or do not take it",
  find: (view) =>
    view.publishers.flatMap((publisher) =>
      publisher.publisher.sites.flatMap((site) => [
        ...directoriesOf(view, publisher, site),
        ...silentDirectories(view, publisher, site),
      ]),
    ),
};

/** It did not take it; one that hangs is tried again and again, and not yet given up. */
const isUntaken = ({ state, tries }: DirectoryTold): boolean =>
  state === "refused" || state === "failed" || (state === "pending" && tries > 1);

function directoriesOf(view: View, publisher: Publisher, site: PublishedSite): Told[] {
  const rows = askedRows(site);
  const others = view.publishers.filter(({ name }) => name !== publisher.name);
  const hasTheirs = ({ fingerprint }: DirectoryTold): boolean =>
    others.some(({ publisher: { sites } }) =>
      sites
        .filter(({ address }) => address === site.address)
        .flatMap(askedRows)
        .some((row) => row.fingerprint === fingerprint && row.state === "stored"),
    );
  const bad = rows.filter((row) => isUntaken(row) && !(row.state === "refused" && hasTheirs(row)));
  if (bad.length === 0) return [];
  const refused = bad.some(({ state }) => state === "refused");
  const words = bad.map(({ fingerprint, state, reason }) => {
    const short = `${fingerprint.slice(0, 8)} ${state === "pending" ? "does not answer" : state}`;
    return reason === "" ? short : `${short} (${reason.replace(/\.$/, "")})`;
  });
  const what = `${bad.length} of ${rows.length} directories that clients ask for ${site.domain} do not have what ${publisher.name} published last: ${some(words, 3)}.`;
  const next = refused
    ? "A newer one of somebody else's is there: another publisher with the same key, or a clock that was ahead. It is tried again every minute: see the page."
    : `Nothing: ${publisher.name} tries again, and readers ask other directories. All of them: see its way into the Tor network.`;
  const because = silence(view, publisher) ?? clockFault(view, publisher.name);
  return [
    follows(because, { severity: bad.length * 2 > rows.length ? "red" : "amber", subject: site.domain, what, next }),
  ];
}

/** Asked just now as readers ask them: half of them and more gave none. With none at all it is told by "descriptor". */
function silentDirectories(view: View, publisher: Publisher, { domain, published }: PublishedSite): Told[] {
  if (published === null || published.error !== null || published.silent.length * 2 < published.asked) return [];
  if (published.silent.length === 0) return [];
  const words = published.silent.map(
    ({ fingerprint, why }) => `${fingerprint.slice(0, 8)} (${why.replace(/\.$/, "")})`,
  );
  const what = `${published.silent.length} of ${published.asked} directories that clients ask for ${domain} gave ${publisher.name} no descriptor: ${some(words, 3)}.`;
  const next = `npx softmap whoserves ${domain} asks again. Readers ask other directories; if it stays so, npx softmap restart ${publisher.name} publishes anew.`;
  const because = silence(view, publisher);
  return [follows(because, { severity: "amber", subject: domain, what, next })];
}
