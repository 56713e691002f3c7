// Faults of a balancer with distinct descriptors and a watchdog, as a survey shows them.
import { distinct, look, onion } from "../desk/samples";
import type { LeftOut, Survey } from "../desk/survey";
import { at, on, sites, unlisted, type Fault } from "./faultKit";

const publisher = (survey: Survey) => on(survey, "balancer1").publisher ?? at([]);
const watchdog = (survey: Survey) => publisher(survey).watchdog ?? at([]);
const told = (survey: Survey, site = 0) => at(sites(survey), site).told ?? at([]);
/** A directory that clients ask, of the descriptor that they ask for. */
const directory = (survey: Survey, index: number, site = 0) =>
  at(at(told(survey, site).descriptors).directories, index);

/** Leaves a backend out of every site. */
export function leave(survey: Survey, name: string, more: Partial<LeftOut> = {}): void {
  const { address = onion("a") } = survey.backends.find((each) => each.name === name) ?? {};
  unlisted(survey, name);
  for (const site of sites(survey)) {
    site.told?.leftOut.push({ ...{ name, address, by: "watchdog", why: "no answer for 12 s", age: 90 }, ...more });
    if (site.told) site.told.listed -= 1;
  }
}

const down = { state: "failed", sub: "failed", age: null, restarts: 4 };
const balancer = { base: distinct, subject: "balancer1" } as const;
const daily = { base: distinct, subject: "www.daily.test" } as const;

/** By check. */
export const publisherFaults: readonly Fault[] = [
  {
    ...balancer,
    check: "publishing",
    words: "the publisher refuses an Onionbalance that it does not know",
    change: (survey) => {
      Object.assign(at(on(survey, "balancer1").units, 2), down);
      Object.assign(publisher(survey), {
        error: "its status socket does not answer",
        said: "Onionbalance 0.3.0 on this host cannot be used: the version is unknown; not started.",
        told: null,
      });
    },
    severity: "red",
    says: /does not run \(failed\/failed, 4 restarts\): .* It said last: Onionbalance 0\.3\.0 on this host cannot be used: the version is unknown; not started\.$/,
  },
  {
    ...balancer,
    check: "publishing",
    words: "a leave-out list is rubbish",
    change: (survey) => publisher(survey).told?.problems.push("the list of the operator cannot be read: ignored"),
    severity: "amber",
    says: /^The publisher on balancer1 goes on, and has trouble: the list of the operator cannot be read: ignored\.$/,
  },
  {
    ...balancer,
    check: "publishing",
    words: "the publisher's loop stands still",
    change: (survey) => Object.assign(publisher(survey).told ?? {}, { age: 400 }),
    severity: "red",
    says: /has told nothing of its descriptors for 7 min/,
  },
  {
    ...daily,
    check: "directories",
    words: "directories refuse and hang",
    change: (survey) => {
      Object.assign(directory(survey, 0), {
        state: "refused",
        reason: "the directory has a descriptor that is not older",
      });
      Object.assign(directory(survey, 5), { state: "pending", tries: 3, reason: "no answer in 60 s" });
      Object.assign(directory(survey, 1), { state: "pending", tries: 1 });
      Object.assign(directory(survey, 3), { state: "failed", tries: 4, reason: "clients do not ask this one" });
    },
    severity: "amber",
    says: /^2 of 6 directories that clients ask for www\.daily\.test do not have what balancer1 published last: 00000000 refused \(the .*\) and 55555555 does not answer \(no answer in 60 s\)\.$/,
  },
  {
    ...daily,
    check: "directories",
    words: "most directories take nothing",
    change: (survey) => {
      for (const n of [0, 1, 2, 4]) Object.assign(directory(survey, n), { state: "failed", tries: 4 });
    },
    severity: "red",
    says: /^4 of 6 directories/,
  },
  {
    ...daily,
    check: "directories",
    words: "half of the directories give none, though they have stored it",
    change: (survey) => {
      const silent = [0, 1, 2].map((n) => ({ fingerprint: String(n).repeat(40), why: "NOT_FOUND" }));
      at(sites(survey)).published = look({ asked: 6, silent });
      Object.assign(at(at(sites(survey)).backends), { listed: 0, directories: 0 });
    },
    severity: "amber",
    says: /^3 of 6 directories that clients ask for www\.daily\.test gave balancer1 no descriptor: 00000000 \(NOT_FOUND\), /,
  },
  {
    ...{ base: distinct, subject: "news-worker1-1", check: "left-out" },
    words: "a backend is silent",
    change: (survey) => leave(survey, "news-worker1-1"),
    severity: "amber",
    says: /^news-worker1-1 is left out by the watchdog on balancer1 for 90 s: no answer for 12 s\.$/,
  },
  {
    ...{ base: distinct, subject: "organization/softmap/prod", check: "left-out" },
    words: "a worker is drained",
    change: (survey) =>
      ["news-worker1-1", "news-worker1-2"].forEach((name) =>
        leave(survey, name, { by: "operator", why: "olga: new disk", age: 90_000 }),
      ),
    severity: "amber",
    says: /^news-worker1-1 and news-worker1-2 are left out by hand for 25 h: olga: new disk\.$/,
  },
  {
    ...daily,
    check: "left-out",
    words: "too many are silent, and stay listed",
    change: (survey) => Object.assign(told(survey), { spared: ["news-worker1-1", "news-worker1-2"], listed: 4 }),
    severity: "red",
    says: /^news-worker1-1 and news-worker1-2 of www\.daily\.test are to be left out, and stay listed on balancer1: 4 of 4 backends/,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "it does not run",
    change: (survey) => Object.assign(at(on(survey, "balancer1").units, 4), down),
    severity: "amber",
    says: /^The watchdog on balancer1 does not run \(failed\/failed, 4 restarts\)\. Backends that die stay listed/,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "it has told nothing for long",
    change: (survey) => (watchdog(survey).age = 400),
    severity: "amber",
    says: /runs and has told nothing for 7 min\./,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "it has told nothing at all",
    change: (survey) => (publisher(survey).watchdog = null),
    severity: "amber",
    says: /runs and has told nothing\. Backends/,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "it does not trust its probes",
    change: (survey) => (watchdog(survey).broken = "no backend has answered for 40 s"),
    severity: "amber",
    says: /^The watchdog on balancer1 holds nothing against anybody: no backend has answered for 40 s\./,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "its tor is down, and that is why",
    change: (survey) => {
      Object.assign(at(on(survey, "balancer1").units, 3), down);
      Object.assign(at(on(survey, "balancer1").tors, 1), { error: "nothing listens", bootstrapped: null });
      watchdog(survey).broken = "the prober's tor went away";
    },
    severity: "amber",
    says: /^The watchdog's tor on balancer1 does not run \(failed\/failed, 4 restarts\)\./,
  },
  {
    ...balancer,
    check: "watchdog",
    words: "its tor is not in the network",
    change: (survey) => Object.assign(at(on(survey, "balancer1").tors, 1), { bootstrapped: 10, summary: "Connecting" }),
    severity: "amber",
    says: /^On balancer1 the watchdog's tor stands at 10 % \(Connecting\)\./,
  },
];
