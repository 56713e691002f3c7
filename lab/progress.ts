/** Where progress goes, one line a call. */
export type Say = (line: string) => void;

/** Says nothing. */
export const silent: Say = () => undefined;

/** A `Say` that puts the seconds since its making in front of each line, on stderr: stdout is for results. */
export function stopwatch(write: (text: string) => void = (text) => process.stderr.write(text)): Say {
  const start = performance.now();
  return (line) => write(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
}

/** Says what starts, that it goes on (every `every` seconds), and how long it took. Never a silent minute. */
export async function step<T>(say: Say, what: string, work: () => Promise<T>, every = 10): Promise<T> {
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  say(`${what} ...`);
  const timer = setInterval(() => say(`${what}: ${seconds()} s so far`), every * 1000);
  try {
    const result = await work();
    say(`${what}: done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
