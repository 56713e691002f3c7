// For the samples of faults: a survey that is well, opened to be changed.
import { healthy, seenOf } from "../desk/samples";
import type { MachineSeen, PublishedSite, Survey } from "../desk/survey";

/** A fault, and what has to come of it. */
export interface Fault {
  readonly check: string;
  /** What is wrong, for the test's name. */
  readonly words: string;
  readonly change: (survey: Survey) => void;
  /** What is changed. @default a stack that is well, with Onionbalance's own descriptors */
  readonly base?: () => Survey;
  readonly severity: "red" | "amber";
  readonly subject: string;
  /** In the finding's sentence. */
  readonly says: RegExp;
}

type Open<T> = T extends object ? { -readonly [K in keyof T]: Open<T[K]> } : T;

/** A machine of the sample, to be changed. */
export const on = (survey: Survey, name: string): Open<MachineSeen> => seenOf(survey, name) as Open<MachineSeen>;

/** Its sites as the balancer publishes them. */
export const sites = (survey: Survey): Open<PublishedSite>[] =>
  (seenOf(survey, "balancer1").publisher?.sites ?? []) as Open<PublishedSite>[];

export function at<T>(list: readonly T[], index = 0): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no ${index} of ${list.length}`);
  return found;
}

/** A backend leaves the frontends: as the network has them, and as Onionbalance does. */
export function unlisted(survey: Survey, name: string): void {
  for (const { backends, published } of sites(survey))
    for (const row of backends)
      if (row.name === name) {
        row.listed = 0;
        if (published) published.points -= 2;
      }
}

export const machines = (survey: Survey): Open<Survey["machines"]> => survey.machines as Open<Survey["machines"]>;

/** The sample with a fault. */
export function withFault({ change, base = healthy }: Pick<Fault, "change" | "base">): Survey {
  // Machines of the sample share what they have in common: each gets its own.
  const survey = JSON.parse(JSON.stringify(base())) as Survey;
  change(survey);
  return survey;
}
