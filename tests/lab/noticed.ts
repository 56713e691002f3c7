import type { LoadReport } from "../../lab/lab";

/**
 * How many requests may need their second try. The lab's Tor network alone makes it 1 in some hundreds (see `startLoad`); what a change or a
 * fault breaks is many.
 */
export function secondTriesAllowed(requests: number): number {
  return Math.max(3, Math.floor(requests / 100));
}

/** What readers noticed, in words, with each request that shows it; empty when none failed and no more needed a second try than may. */
export function noticed({ requests, failures, failed, secondTries, triedTwice }: LoadReport): string {
  const each = (words: string, records: typeof failed) => [words, ...records.map((one) => JSON.stringify(one))];
  const allowed = secondTriesAllowed(requests);
  return [
    ...(failures > 0 ? each(`${failures} of ${requests} requests failed:`, failed) : []),
    ...(secondTries > allowed
      ? each(`${secondTries} of ${requests} requests were tried twice, ${allowed} may be:`, triedTwice)
      : []),
  ].join("\n");
}
