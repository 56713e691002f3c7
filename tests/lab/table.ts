import { appendFileSync, readFileSync } from "node:fs";

/** One change of a stack and what its visitors noticed of it. */
export interface ChangeRow {
  /** What was changed, in a few words. */
  readonly change: string;
  /** Requests that started or finished during the change, how many of them failed, and how many were tried a second time, whatever came of it. */
  readonly requests: number;
  readonly failures: number;
  readonly secondTries: number;
  /** Of the whole `pulumi up`. */
  readonly seconds: number;
  /** Host to ssh connections that the change opened; hosts without one may be left out. */
  readonly connectionsPerHost: Readonly<Record<string, number>>;
  /** From the start of `pulumi up` until the new descriptors were published; null when the change publishes nothing. */
  readonly secondsUntilPublished: number | null;
  /** What a reader has to know. */
  readonly note?: string;
}

/** Names the file that {@link recordChange} appends to. */
export const TABLE_VARIABLE = "SOFTMAP_TABLE";

const COLUMNS: readonly {
  readonly title: string;
  readonly number: boolean;
  readonly cell: (row: ChangeRow) => string;
}[] = [
  { title: "change", number: false, cell: (row) => row.change },
  { title: "requests", number: true, cell: (row) => String(row.requests) },
  { title: "failed", number: true, cell: (row) => String(row.failures) },
  { title: "second try", number: true, cell: (row) => String(row.secondTries) },
  { title: "seconds", number: true, cell: (row) => row.seconds.toFixed(1) },
  { title: "published after", number: true, cell: (row) => row.secondsUntilPublished?.toFixed(1) ?? "-" },
  { title: "connections", number: false, cell: (row) => connections(row.connectionsPerHost) },
  { title: "note", number: false, cell: (row) => row.note ?? "" },
];

/** The rows as aligned text for people, with a header: one line each, no trailing spaces. */
export function changeTable(rows: readonly ChangeRow[]): string {
  const lines = [
    COLUMNS.map((column) => column.title),
    ...rows.map((row) => COLUMNS.map((column) => oneLine(column.cell(row)))),
  ];
  const widths = COLUMNS.map((_, n) => Math.max(...lines.map((line) => line[n]?.length ?? 0)));
  const pad = (cell: string, n: number) =>
    COLUMNS[n]?.number ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0);
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

/** Appends the row as a line of JSON to the file that SOFTMAP_TABLE names; without it does nothing. Each test file runs in a process of its own: the file is where their rows meet. */
export function recordChange(row: ChangeRow, env: NodeJS.ProcessEnv = process.env): void {
  const file = env[TABLE_VARIABLE];
  if (file) appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** The rows of such a file, in the order in which they were recorded. */
export function readChanges(file: string): ChangeRow[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ChangeRow);
}

/** `balancer1 1  worker1 2`, worker2 before worker10; hosts without a connection are left out. */
function connections(perHost: Readonly<Record<string, number>>): string {
  const some = Object.entries(perHost).filter(([, count]) => count > 0);
  some.sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
  return some.length === 0 ? "none" : some.map(([host, count]) => `${host} ${count}`).join("  ");
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ");
