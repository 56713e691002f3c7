// What the name of an EC2 instance type tells: https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html

export type Architecture = "arm64" | "amd64";

interface TypeName {
  readonly family: string;
  readonly options: string;
  readonly size: string;
}

/** `c7gn.2xlarge`: series c, generation 7, options gn, size 2xlarge. */
function nameOf(type: string): TypeName | undefined {
  const [, family = "", options = "", size = ""] = /^([a-z]+)[0-9]+([a-z-]*)\.([a-z0-9-]+)$/.exec(type) ?? [];
  return family === "" ? undefined : { family, options, size };
}

/**
 * The architecture that an instance type runs: a `g` among its options, or the first generation a1, is Graviton. Undefined for a name of
 * another form.
 * @example architectureOf("t4g.small") // "arm64"
 */
export function architectureOf(type: string): Architecture | undefined {
  const name = nameOf(type);
  if (name === undefined) return undefined;
  return name.family === "a" || name.options.startsWith("g") ? "arm64" : "amd64";
}

const small = ["nano", "micro", "small", "medium", "large"];

/**
 * How many virtual cores an instance type has, from its size; undefined for sizes that no rule gives (metal).
 * @example vcpusOf("t4g.small") // 2
 * @example vcpusOf("c7g.medium") // 1
 */
export function vcpusOf(type: string): number | undefined {
  const name = nameOf(type);
  if (name === undefined) return undefined;
  const { family, size } = name;
  if (family === "t" && small.includes(size)) return 2;
  if (size === "medium") return 1;
  if (size === "large") return 2;
  const [, times] = /^([0-9]*)xlarge$/.exec(size) ?? [];
  return times === undefined ? undefined : 4 * Number(times === "" ? 1 : times);
}

/** The type of a machine for which none is chosen: two cores and 2 GiB, the cheapest that bears a few tors and an nginx. */
export function defaultType(architecture: Architecture): string {
  return architecture === "arm64" ? "t4g.small" : "t3.small";
}
