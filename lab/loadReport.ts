/** One request of a load, as load.py prints it. */
export interface LoadRecord {
  /** When it started, Unix seconds. */
  readonly at: number;
  /** How long it took. */
  readonly seconds: number;
  readonly client: string;
  /** The onion address with `.onion`. */
  readonly site: string;
  readonly path: string;
  /** HTTP status; 0 when no head of an answer came. */
  readonly status: number;
  /** The answer's X-Softmap-Backend; empty when it has none. */
  readonly backend: string;
  /** Empty when a whole answer with a status below 400 came in time, at the first try or the second, else why it failed. */
  readonly error: string;
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** 2 when the first try got no byte of an answer, so that it was tried again at once. */
  readonly tries: number;
  /** Why the first of two tries got none; empty when there was one try. */
  readonly firstError: string;
}

/** What requests came to. */
export interface LoadReport {
  readonly requests: number;
  readonly failures: number;
  readonly failed: readonly LoadRecord[];
  /** Requests that were tried a second time, whatever came of it. */
  readonly secondTries: number;
  readonly triedTwice: readonly LoadRecord[];
  /** Longest time in seconds during which every request that started failed; 0 when none failed. */
  readonly longestGap: number;
  /** Seconds of the requests that did not fail; 0 when there is none. A time-out's 60 seconds say nothing about how fast a site is. */
  readonly median: number;
  readonly p95: number;
  /** Backend to the number of answers that name it, those of failed requests included. */
  readonly backends: Readonly<Record<string, number>>;
}

/** The report on these requests. Their order does not matter. */
export function loadReport(requests: readonly LoadRecord[]): LoadReport {
  const failed = requests.filter((one) => one.error !== "");
  const triedTwice = requests.filter((one) => one.tries > 1);
  const seconds = requests.filter((one) => one.error === "").map((one) => one.seconds);
  const backends: Record<string, number> = {};
  for (const { backend } of requests) if (backend !== "") backends[backend] = (backends[backend] ?? 0) + 1;
  return {
    requests: requests.length,
    failures: failed.length,
    failed,
    secondTries: triedTwice.length,
    triedTwice,
    longestGap: longestGap(requests),
    median: percentile(seconds, 50),
    p95: percentile(seconds, 95),
    backends: Object.fromEntries(Object.entries(backends).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** From the start of a failed request to the start of the next one that did not fail, the longest such time; to the last failure's end when none follows. */
export function longestGap(requests: readonly LoadRecord[]): number {
  // of those that start at the same moment the failed come first: one that did not fail ends their gap at once
  const inOrder = [...requests].sort((a, b) => a.at - b.at || Number(a.error === "") - Number(b.error === ""));
  let longest = 0;
  let start: number | undefined;
  let end = 0;
  for (const { at, seconds, error } of inOrder) {
    if (error !== "") {
      start ??= at;
      end = Math.max(end, at + seconds);
    } else if (start !== undefined) {
      longest = Math.max(longest, at - start);
      start = undefined;
      end = 0;
    }
  }
  return start === undefined ? longest : Math.max(longest, end - start);
}

/** The smallest of the values that so many percent of them do not exceed (nearest rank); 0 of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
}
