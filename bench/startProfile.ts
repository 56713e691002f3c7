/** What the program's Node did, from its profile (`node --cpu-prof`). */

/** What is told apart. */
export const PARTS = ["load", "transpile", "serialize", "stack traces", "garbage", "other", "idle"] as const;
export type Part = (typeof PARTS)[number];

/** A profile as V8 writes it, as far as it is read. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** Functions with their files, innermost first; the first rule that fits tells the part. */
const rules: readonly (readonly [Part, RegExp])[] = [
  ["idle", /^\(idle\)/],
  ["garbage", /^\(garbage collector\)/],
  ["transpile", /transpileModule|cli\/register\.js:compile/],
  ["stack traces", /prepareStackTrace/],
  // Loading what serializes is loading.
  [
    "load",
    /^(?:(?!closure\/(?:create|serialize)Closure|node:inspector).)*(?:Module\._load|wrapModuleLoad|wrapSafe|requireBuiltin)/s,
  ],
  ["serialize", /runtime\/closure\/|node:inspector/],
];

/** Seconds of each part. */
export function partsOf({ nodes, samples, timeDeltas }: Profile): Readonly<Record<Part, number>> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const parts = new Map<number, Part>();
  const partOf = (id: number): Part => {
    const stack: string[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const { functionName, url } = frames.get(at) ?? { functionName: "", url: "" };
      stack.push(`${functionName} ${url}:${functionName}`);
    }
    const text = stack.join("\n");
    return rules.find(([, rule]) => rule.test(text))?.[0] ?? "other";
  };
  const sums = Object.fromEntries(PARTS.map((part) => [part, 0])) as Record<Part, number>;
  samples.forEach((id, n) => {
    const part = parts.get(id) ?? partOf(id);
    parts.set(id, part);
    sums[part] += (timeDeltas[n] ?? 0) / 1e6;
  });
  return sums;
}
