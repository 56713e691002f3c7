/** What one directory had of one address. */
export interface Look {
  /** When the answer came, Unix seconds. */
  readonly at: number;
  /** Without `.onion`. */
  readonly address: string;
  /** Authentication keys of the introduction points. */
  readonly points: readonly string[];
}

/** A publication that is waited for; addresses with or without `.onion`. */
export interface Wanted {
  readonly frontend: string;
  /** Every backend that may be listed. */
  readonly backends: readonly string[];
  /** Those that are to be listed. */
  readonly planned: readonly string[];
}

const bare = (address: string): string => address.replace(/\.onion$/, "");

/**
 * When the directories held exactly the planned backends: the time of the first of `agree` answers in a row since then that all do. Every
 * introduction point in them must be one of a planned backend's, and every planned backend must have one. A point that no look at a backend
 * has shown yet is nobody's for now: a later look may tell whose it was, and then the answer counts from its own time.
 * @param since Unix seconds: earlier answers about the frontend do not count
 * @returns Unix seconds, undefined when it is not so yet
 */
export function settledAt(looks: readonly Look[], wanted: Wanted, since: number, agree: number): number | undefined {
  const owners = new Map<string, string>();
  for (const backend of wanted.backends.map(bare))
    for (const look of looks) if (look.address === backend) for (const point of look.points) owners.set(point, backend);
  const planned = new Set(wanted.planned.map(bare));
  const holds = ({ points }: Look): boolean => {
    const listed = new Set(points.map((point) => owners.get(point)));
    return listed.size === planned.size && [...planned].every((backend) => listed.has(backend));
  };
  const frontend = bare(wanted.frontend);
  const answers = looks.filter(({ address, at }) => address === frontend && at >= since);
  const first = answers.findIndex((_, n) => n + agree <= answers.length && answers.slice(n, n + agree).every(holds));
  return answers[first]?.at;
}
