/** Order of names for people and files: digits by their number, so worker10 comes after worker2; the same on every machine. */
export function byName(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

const collator = new Intl.Collator("en", { numeric: true });
