/**
 * What is wrong with an operator's input, said so that they can mend it: which component, which property, which value, what to do next.
 * Validators return lists of these and never throw at the first, so that one run shows everything.
 */
export interface Problem {
  /** The piece it belongs to, as the operator names it, e.g. `project news` or `hosts`. */
  readonly component: string;
  /** Path of the property in the operator's words, e.g. `sites[1].onion`. */
  readonly property: string;
  /** The value that was given; never put a secret here. */
  readonly value: unknown;
  /** What is wrong with it, one sentence. */
  readonly message: string;
  /** What to do next, one sentence. */
  readonly next: string;
}

/** All problems of one input. `message` is the whole report, ready to print. */
export class ProblemsError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(report(problems));
    this.name = "ProblemsError";
  }
}

/** Throws a {@link ProblemsError} when there is any problem. */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ProblemsError(problems);
}

/** The report a person reads: a headline with the count, then one block a problem. */
export function report(problems: readonly Problem[]): string {
  const headline = problems.length === 1 ? "1 problem in the configuration:" : `${problems.length} problems in the configuration:`;
  return [headline, ...problems.map(describe)].join("\n\n");
}

function describe({ component, property, value, message, next }: Problem): string {
  const given = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
  return `  ${component}: ${property}${given}\n    ${message}\n    Next: ${next}`;
}
