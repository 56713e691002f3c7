export interface BenchOptions {
  /** How often each change is measured. @default 5 */
  readonly rounds: number;
  /** File for every measured change and the summary. */
  readonly json?: string;
}

/** @throws Error that says how the command is used */
export function benchOptions(args: readonly string[]): BenchOptions {
  const usage = new Error("usage: npm run bench:publication [-- --rounds N] [--json FILE]");
  let options: BenchOptions = { rounds: 5 };
  for (let n = 0; n < args.length; n += 2) {
    const value = args[n + 1];
    if (value === undefined) throw usage;
    if (args[n] === "--rounds" && /^[1-9]\d{0,2}$/.test(value)) options = { ...options, rounds: Number(value) };
    else if (args[n] === "--json") options = { ...options, json: value };
    else throw usage;
  }
  return options;
}
