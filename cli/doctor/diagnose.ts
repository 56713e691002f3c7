// From what machines say to what is wrong: a pure function, the same for people, programs and alerts.
import type { Survey } from "../desk/survey";
import { checks } from "./checks";
import { pageOf, type Finding } from "./finding";
import { viewOf } from "./view";

export type { Finding, Severity } from "./finding";

/**
 * Everything that is wrong, by a survey. Faults come first, red ones before amber ones, in the order of cli/doctor/checks.ts; after them
 * what follows from them, each with its cause in `because`. Empty: all is well. Never throws.
 */
export function diagnose(survey: Survey): Finding[] {
  const view = viewOf(survey);
  const found = checks.flatMap(({ name, find }) =>
    find(view).map((told): Finding => ({ check: name, page: pageOf(name), ...told })),
  );
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Array.sort keeps the order of those with the same rank. */
function rank({ severity, because }: Finding): number {
  if (because !== undefined) return 2;
  return severity === "red" ? 0 : 1;
}
