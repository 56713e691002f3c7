import { ARMS, type Arm } from "./deployFigures";

export interface DeployOptions {
  /** @default 5 */
  readonly rounds: number;
  /** Numbers of hosts. @default [1, 5, 10, 30] */
  readonly sizes: readonly number[];
  /** Who deploys. @default everybody */
  readonly by: readonly Arm[];
  /** Where everything measured goes as well. */
  readonly file?: string;
  /** With delay and loss between deployer and hosts. */
  readonly far: boolean;
  /** Files of earlier runs: their tables are printed together, and nothing is measured. */
  readonly tables: readonly string[];
}

/** The arms by their names on a command line: `pyinfra-archives`. */
const BY = new Map(ARMS.map((arm) => [arm.replaceAll(/\W+/g, "-"), arm]));
const USAGE = `usage: npm run bench:deploy [-- --rounds N] [--sizes 1,5,10,30] [--by ${[...BY.keys()].join(",")}] [--csv FILE] [--far]
       npm run bench:deploy -- --tables FILE,FILE`;

/** @throws Error that says how the command is used */
export function deployOptions(args: readonly string[]): DeployOptions {
  let options: DeployOptions = { rounds: 5, sizes: [1, 5, 10, 30], by: ARMS, far: false, tables: [] };
  const left = [...args];
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    const change = name === "--far" ? { far: true } : changeOf(name, left.shift() ?? "");
    if (change === undefined) throw new Error(USAGE);
    options = { ...options, ...change };
  }
  return options;
}

function changeOf(name: string, value: string): Partial<DeployOptions> | undefined {
  const words = value.split(",");
  switch (name) {
    case "--rounds":
      return /^[1-9]\d{0,2}$/.test(value) ? { rounds: Number(value) } : undefined;
    case "--sizes": {
      // A roll-out in one wave has fifty hosts at most.
      const right = words.every((word) => /^[1-9]\d?$/.test(word) && Number(word) <= 50);
      return right ? { sizes: [...new Set(words.map(Number))].sort((a, b) => a - b) } : undefined;
    }
    case "--by": {
      const by = [...new Set(words)].flatMap((word) => BY.get(word) ?? []);
      return by.length === words.length ? { by } : undefined;
    }
    case "--csv":
      return value === "" ? undefined : { file: value };
    case "--tables":
      return value === "" ? undefined : { tables: words };
    default:
      return undefined;
  }
}
