// Plain words for a report: what a value is, and what the operator may have meant.

/** What a value of the input is, in words: `text`, `a number`, `a list`, ... */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return Number.isInteger(value) || !Number.isFinite(value) ? "a number" : "a fraction";
  if (typeof value === "boolean") return "true or false";
  return "an object";
}

/** `a, b or c`. */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}

/** `1 worker`, `2 workers`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/**
 * The known word nearest to a misspelt one, or undefined when none is near. Onionspray's spelling counts as the same word:
 * `softmap_tor_workers` means `softmapTorWorkers`.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = fold(word);
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(plain, fold(name));
    if (distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  const most = Math.max(1, Math.floor(Math.min(plain.length, 18) / 3));
  return best && best.distance <= most && best.distance < plain.length ? best.name : undefined;
}

function fold(word: string): string {
  return word
    .slice(0, 60)
    .toLowerCase()
    .replaceAll(/[_\s-]/g, "");
}

/** Insertions, deletions, replacements and swaps of neighbours from one word to the other (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change, swap));
    }
  }
  return at(a.length, b.length);
}
