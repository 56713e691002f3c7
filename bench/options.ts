/** A benchmark's command, and its option for a file of its own. */
export interface BenchCommand {
  readonly command: string;
  readonly file: "--json" | "--csv";
}

export interface BenchOptions {
  /** How often each thing is measured. @default 5 */
  readonly rounds: number;
  /** Where everything measured goes as well. */
  readonly file?: string;
}

/** @throws Error that says how the command is used */
export function benchOptions({ command, file }: BenchCommand, args: readonly string[]): BenchOptions {
  const usage = new Error(`usage: npm run ${command} [-- --rounds N] [${file} FILE]`);
  let options: BenchOptions = { rounds: 5 };
  for (let n = 0; n < args.length; n += 2) {
    const value = args[n + 1];
    if (value === undefined) throw usage;
    if (args[n] === "--rounds" && /^[1-9]\d{0,2}$/.test(value)) options = { ...options, rounds: Number(value) };
    else if (args[n] === file) options = { ...options, file: value };
    else throw usage;
  }
  return options;
}

/** All machines of a wave at once, as docs/changes.md has it for many of them: Pulumi's default is four a core of this machine. */
export const UP = ["up", "--yes", "--skip-preview", "--parallel", "50"] as const;
