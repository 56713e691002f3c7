/** A table as text: columns as wide as their widest cell, two blanks between, no blanks at the end of a line. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}

/** A span in the unit that people would take: `48 s`, `12 min`, `3 h`, `81 d`; `-` for one that is not known. */
export function span(seconds: number | null): string {
  if (seconds === null) return "-";
  const size = Math.abs(seconds);
  if (size < 120) return `${Math.round(seconds)} s`;
  if (size < 7200) return `${Math.round(seconds / 60)} min`;
  if (size < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `news-1-3fa9` of `softmap-tor@news-1-3fa9.service`, `onionbalance` of `softmap-onionbalance.service`. */
export function daemonOf(unit: string): string {
  return unit.replace(/\.service$/, "").replace(/^softmap-(tor@)?/, "");
}
