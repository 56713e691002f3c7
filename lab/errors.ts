/** Something the lab cannot do, said for a person: what went wrong and what to do next. */
export class LabError extends Error {
  constructor(
    readonly what: string,
    readonly next: string,
  ) {
    super(`${what}\n  Next: ${next}`);
    this.name = "LabError";
  }
}
