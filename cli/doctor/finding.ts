// What the doctor says, and what one of its checks is.
import type { View } from "./view";

/** `red`: readers are turned away, or will be before anybody looks again. `amber`: to be seen to, and nothing is lost yet. */
export type Severity = "red" | "amber";

/** One fault, or one thing that follows from it. */
export interface Finding {
  /** Name of the check, and of its page. @example "publishing" */
  readonly check: string;
  readonly severity: Severity;
  /** The machine, site or backend that it is about; else the stack. */
  readonly subject: string;
  /** One sentence, with the numbers. */
  readonly what: string;
  /** What to do, whole sentences. */
  readonly next: string;
  /** From the root of the repository. @example "docs/doctor/publishing.md" */
  readonly page: string;
  /** The `what` of the fault that this one follows from: mending that one mends this. Absent: it is a fault of its own. */
  readonly because?: string;
}

/** What a check tells: the table adds its name and page. */
export type Told = Omit<Finding, "check" | "page">;

/** One check. */
export interface Check {
  /** @example "ob-config" */
  readonly name: string;
  /** What it looks for, half a sentence: a line of docs/doctor/README.md. */
  readonly looksFor: string;
  /** Never throws, whatever machines say. */
  readonly find: (view: View) => Told[];
}

/** The page of a check. */
export const pageOf = (name: string): string => `docs/doctor/${name}.md`;

/** What follows from a fault that is told elsewhere: never a second alarm. */
export function follows(because: string | undefined, { subject, what, next, severity }: Told): Told {
  return because === undefined
    ? { subject, what, next, severity }
    : { subject, what, next: "Mend that first; this follows from it.", severity: "amber", because };
}
