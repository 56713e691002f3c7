import { csvOf, markdown } from "./figures";

/** One size of stack, and how it went. Seconds and bytes are absent where it did not come to it. */
export interface Row {
  readonly workers: number;
  readonly sites: number;
  /** Tor daemons on each worker. */
  readonly daemons: number;
  readonly resources?: number | undefined;
  readonly stateBytes?: number;
  readonly firstSeconds?: number;
  readonly upSeconds?: number;
  readonly sameSeconds?: number;
  /** The most memory of all processes together, in bytes: of the first `up`, of the preview in which nothing changes. */
  readonly upPeak?: number;
  readonly samePeak?: number;
  /** ssh logins of the first `up`, all hosts together; of the preview in which nothing changes. */
  readonly upLogins?: number;
  readonly sameLogins?: number;
  /** What hindered it; "" when nothing did. */
  readonly broke: string;
}

const number = (value: number | undefined, digits = 0): string => value?.toFixed(digits) ?? "-";
const mega = (bytes: number | undefined, digits = 1): string =>
  number(bytes === undefined ? undefined : bytes / 1e6, digits);

/** A line for each size. */
export function table(rows: readonly Row[]): string {
  const head = [
    ...["workers", "sites", "daemons each", "resources", "state, MB"],
    ...["first preview, s", "`up`, s", "nothing changes, s", "memory of `up`, MB", "of nothing, MB"],
    ...["logins: `up`", "logins: nothing changes", "what broke"],
  ];
  const lines = rows.map((row) => [
    ...[row.workers, row.sites, row.daemons, number(row.resources), mega(row.stateBytes)],
    ...[row.firstSeconds, row.upSeconds, row.sameSeconds].map((seconds) => number(seconds, 1)),
    ...[row.upPeak, row.samePeak].map((bytes) => mega(bytes, 0)),
    ...[number(row.upLogins), number(row.sameLogins), row.broke],
  ]);
  return markdown(head, lines);
}

const NAMES = [
  ...(["workers", "sites", "daemons", "resources", "stateBytes", "firstSeconds", "upSeconds"] as const),
  ...(["sameSeconds", "upPeak", "samePeak", "upLogins", "sameLogins", "broke"] as const),
];

/** Everything that was measured. */
export const csv = (rows: readonly Row[]): string => csvOf(NAMES, rows);

/** How many resources a preview's summary tells of: `+ 60 to create`, `60 unchanged`. */
export function resourcesIn(summary: string): number | undefined {
  const [, many] = /^\s*(?:\+ )?(\d+) (?:to create|created|unchanged)/m.exec(summary) ?? [];
  return many === undefined ? undefined : Number(many);
}
