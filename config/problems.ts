/**
 * What is wrong with an operator's input, said so that they can mend it: which component, which property, which value, what to do next.
 * Validators return lists of these and never throw at the first, so that one run shows everything.
 */
export interface Problem {
  /** The piece it belongs to, as the operator names it, e.g. `project news` or `hosts`. */
  readonly component: string;
  /** Path of the property in the operator's words, e.g. `sites[1].onion`. */
  readonly property: string;
  /** The value that was given; undefined when it says nothing or could be a secret. */
  readonly value?: unknown;
  /** What is wrong with it, one sentence. */
  readonly message: string;
  /** What to do next, one sentence. */
  readonly next: string;
  /** Where it is in the input, e.g. `["projects", 0, "sites", 1, "onion"]`: from this `check` finds the line. */
  readonly path?: readonly (string | number)[];
  /** Line in the stack's file, counted from 1, where that is known. */
  readonly line?: number;
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
  const headline =
    problems.length === 1 ? "1 problem in the configuration:" : `${problems.length} problems in the configuration:`;
  return [headline, ...problems.map(describe)].join("\n\n");
}

function describe({ component, property, value, message, next, line }: Problem): string {
  const given = value === undefined ? "" : ` = ${shown(value)}`;
  const where = line === undefined ? "" : ` (line ${line})`;
  return `  ${component}: ${property}${given}${where}\n    ${message}\n    Next: ${next}`;
}

// A pasted file must not fill the screen: a value is there to be recognised.
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 100 ? text : `${text.slice(0, 60)}... (${text.length} characters)`;
}
