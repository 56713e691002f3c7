// A setting that may be left out: what stands in its place is known apart from parsing, so that a site can take its project's.
import type { z } from "zod";
import type { Exact } from "./check";

/** One setting: its schema, and what stands where nobody gave it (undefined: nothing). */
export interface Setting<Schema extends z.ZodType = z.ZodType, Fallback = unknown> {
  readonly schema: Schema;
  readonly fallback: Fallback;
}

/** A setting with a default, given as the operator would write it. */
export function setting<Schema extends z.ZodType>(
  schema: Schema,
  fallback: z.input<Schema>,
): Setting<Schema, z.output<Schema>> {
  return { schema: schema.meta({ default: fallback }), fallback: schema.parse(fallback) };
}

/** A setting without a default: absent where nobody gave it. */
export function bare<Schema extends z.ZodType>(schema: Schema): Setting<Schema, undefined> {
  return { schema, fallback: undefined };
}

/** Settings by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** A value that nobody changes any more, all the way in. */
export type Frozen<Value> = Value extends object ? { readonly [Key in keyof Value]: Frozen<Value[Key]> } : Value;

type Output<All extends Settings, Key extends keyof All> = Frozen<z.output<All[Key]["schema"]>>;
type Filled<All extends Settings> = {
  [Key in keyof All]: All[Key]["fallback"] extends undefined ? never : Key;
}[keyof All];

/** Settings with their defaults; those that have none are absent where nobody gave them. */
export type Resolved<All extends Settings> = {
  readonly [Key in Filled<All>]: Output<All, Key>;
} & { readonly [Key in Exclude<keyof All, Filled<All>>]?: Output<All, Key> };

/** Settings as they were given, parsed; any may be absent. */
export type Given<All extends Settings> = {
  readonly [Key in keyof All]?: Output<All, Key> | undefined;
};

type Optional<All extends Settings> = { [Key in keyof All]: z.ZodOptional<All[Key]["schema"]> };

/** The shape for an object's schema in which all are optional and none is filled. */
export function optional<All extends Settings>(settings: All): Optional<All> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, { schema }]) => [key, schema.optional()]),
  ) as Optional<All>;
}

type FilledShape<All extends Settings> = {
  [Key in keyof All]: All[Key]["fallback"] extends undefined
    ? z.ZodOptional<All[Key]["schema"]>
    : z.ZodPrefault<All[Key]["schema"]>;
};

/** The shape for an object's schema in which defaults are filled. */
export function filled<All extends Settings>(settings: All): FilledShape<All> {
  return Object.fromEntries(
    Object.entries(settings).map(([key, { schema, fallback }]) => [
      key,
      fallback === undefined ? schema.optional() : schema.prefault(schema.meta()?.["default"]),
    ]),
  ) as FilledShape<All>;
}

/** Every setting out of the first of `given` that has it, else its default. */
export function resolve<All extends Settings>(settings: All, ...given: readonly Given<All>[]): Exact<Resolved<All>> {
  const entries = Object.entries(settings).flatMap(([key, { fallback }]) => {
    const value: unknown = given.map((each) => each[key]).find((each) => each !== undefined) ?? fallback;
    return value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(entries) as Exact<Resolved<All>>;
}
