/** What a number of values come to; undefined of none. */
export interface Figures {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Of an even number of values the median is the mean of the middle two. */
export function figuresOf(values: readonly number[]): Figures | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined;
  return { median: (low + high) / 2, min, max };
}

/** `median (least - most)`, or `-` of none. `tell` makes a text of each, else they have one digit behind the point. */
export function spread(figures: Figures | undefined, tell = (value: number): string => value.toFixed(1)): string {
  if (figures === undefined) return "-";
  return `${tell(figures.median)} (${tell(figures.min)} - ${tell(figures.max)})`;
}

function cellOf(value: string | number | undefined): string {
  if (typeof value === "string") return `"${value.replaceAll('"', '""')}"`;
  return value === undefined ? "" : String(Math.round(value * 1000) / 1000);
}

/** A line for each row: texts in quotes, numbers to the thousandth, nothing for what is not there. */
export function csvOf<Name extends string>(
  names: readonly Name[],
  rows: readonly { readonly [Each in Name]?: string | number | undefined }[],
): string {
  const lines = [names.join(","), ...rows.map((row) => names.map((name) => cellOf(row[name])).join(","))];
  return `${lines.join("\n")}\n`;
}

/** A table in Markdown, the same for a terminal and for a page. */
export function markdown(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, n) => Math.max(...cells.map((row) => row[n]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = cells;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
