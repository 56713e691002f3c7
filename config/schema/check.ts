import { z } from "zod";

/** What is wrong with one value, and the next step: what becomes a Problem once it is known where the value stands. */
export interface Fault {
  readonly message: string;
  readonly next: string;
  /** The value may be a secret that stands in the wrong place: it is not shown. */
  readonly hide?: boolean;
}

/** What the docs and the JSON schema say of a key, beside its type and default. */
export interface KeyMeta {
  /** One line. */
  description: string;
  /** Of what the number or text is, e.g. `duration`, `points`. */
  unit?: string;
  /** At least one. */
  examples: unknown[];
  /** For editors: a regular expression for the coarse form. The check itself is the judge. */
  pattern?: string;
}

/** A text with a check of its own; the fault's next step travels in the issue's params. */
export function text(check: (value: string) => Fault | undefined, meta: KeyMeta) {
  return z
    .string()
    .check((context) => {
      const fault = check(context.value);
      if (fault) {
        context.issues.push({
          code: "custom",
          message: fault.message,
          input: context.value,
          params: { next: fault.next, hide: fault.hide },
        });
      }
    })
    .meta({ ...meta });
}

/** A whole number in a range; both bounds and the reason are told at once. */
export function whole(least: number, most: number, why: string, meta: KeyMeta) {
  return z
    .int()
    .check((context) => {
      if (context.value >= least && context.value <= most) return;
      const next = `Choose a number there, e.g. ${String(meta.examples[0])}.`;
      const message = `It must be from ${least} to ${most}${why === "" ? "" : `: ${why}`}.`;
      context.issues.push({ code: "custom", message, input: context.value, params: { next } });
    })
    .meta({ ...meta, minimum: least, maximum: most });
}

/** A parsed object whose absent keys are absent, never undefined: what strict programs can hand on (exactOptionalPropertyTypes). */
export type Exact<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };
