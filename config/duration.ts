const secondsPer = { s: 1, m: 60, h: 3600 } as const;

/** A length of time as the operator writes it: a whole number and s, m or h, e.g. `"90s"`, `"15m"`, `"2h"`. */
export type Duration = `${number}${keyof typeof secondsPer}`;

/** What {@link isDuration} accepts, as a regular expression for the JSON schema. */
export const durationPattern = "^[0-9]{1,7}[smh]$";

/** Whether a text is a {@link Duration}. `"1.5h"`, `"15"` and `"15 m"` are not. */
export function isDuration(text: string): text is Duration {
  return new RegExp(durationPattern).test(text);
}

/** A duration in seconds. Throws RangeError for a text that is none. @example parseDuration("15m") // 900 */
export function parseDuration(text: Duration): number {
  const unit = text.at(-1);
  if (!isDuration(text) || (unit !== "s" && unit !== "m" && unit !== "h")) {
    throw new RangeError(`"${text}" is not a duration such as "90s", "15m" or "2h"`);
  }
  return Number(text.slice(0, -1)) * secondsPer[unit];
}

/** Seconds in the largest unit that loses nothing. Throws RangeError unless a whole number from 0. @example formatDuration(900) // "15m" */
export function formatDuration(seconds: number): Duration {
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new RangeError(`${seconds} is not a whole number of seconds`);
  if (seconds > 0 && seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds > 0 && seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}
