/**
 * `npm run bench:beyond [-- --csv FILE]`: many backends behind one site, published with distinct descriptors, and what becomes of dead ones, beside
 * Debian's own Onionbalance with ten. In a lab with 40 relays; see README.md.
 */
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { execOn, stopwatch } from "../lab/lab";
import { Beyond, type Harm } from "../tests/lab/beyondKit";
import {
  measureDead,
  measurePublished,
  someOf,
  tellDead,
  tellPublished,
  visit,
  type Dead,
  type Published,
} from "../tests/lab/beyondMeasures";
import { deadCsv, deadTable, publishedCsv, publishedTable, type Row } from "./beyondFigures";
import { servingConfig, startStock, STOCK_SETTLES, stopStock } from "./stock";

const LAB = "benchbeyond";
/** Workers, and daemons on each. */
const SHAPES = [
  [2, 6],
  [3, 10],
  [3, 20],
] as const;
const STOCK = [2, 5] as const;
/** Fetches of each number of backends; enough that each of 60 is met some six times. */
const FETCHES = 400;
const WAYS: readonly Harm[] = ["killed", "stopped", "cut off"];
/** Dead at a time, of 60. */
const DEAD = [1, 5, 15];
const STOCK_DEAD = [1, 5];
/** Debian's own does not ask how a backend died: it goes by the age of its descriptor alone. */
const STOCK_WAYS: readonly Harm[] = ["killed", "stopped"];
/** Seconds for which Debian's own is waited for. */
const STOCK_LIMIT = 300;

const say = stopwatch();
const published: Row<Published>[] = [];
const died: Row<Dead>[] = [];

const row = <T>(mode: string, measured: T): Row<T> => ({ mode, load: loadavg()[0] ?? 0, ...measured });

async function distinct(stack: Beyond): Promise<void> {
  for (const [workers, daemons] of SHAPES) {
    const seconds = await stack.up({ workers, daemons });
    say(`up to ${workers * daemons} backends: ${seconds.toFixed(1)} s`);
    const measured = await measurePublished(stack, FETCHES);
    published.push(row("distinct", measured));
    say(tellPublished(measured));
    for (const problem of measured.wrong) say(`WRONG: ${problem}`);
  }
  await deaths(stack, { mode: "distinct", numbers: DEAD, ways: WAYS, limit: 120 });
}

/** Debian's program in place of ours, and no watchdog: it lists whoever has a descriptor. */
async function stock(stack: Beyond): Promise<void> {
  await stack.up({ workers: STOCK[0], daemons: STOCK[1], settings: { publisher: "onionbalance" } });
  await startStock(stack.lab, "balancer1", await servingConfig(stack.lab, "balancer1"));
  try {
    say(`Debian's own Onionbalance, ${STOCK_SETTLES} s until it is in its loop`);
    await (await stack.watchAnew()).listed(stack.names(), Date.now() / 1000 + STOCK_SETTLES, STOCK_SETTLES + 120);
    await deaths(stack, { mode: "stock", numbers: STOCK_DEAD, ways: STOCK_WAYS, limit: STOCK_LIMIT });
  } finally {
    await stopStock(stack.lab, "balancer1");
  }
}

interface Deaths {
  readonly mode: string;
  readonly numbers: readonly number[];
  readonly ways: readonly Harm[];
  readonly limit: number;
}

async function deaths(stack: Beyond, { mode, numbers, ways, limit }: Deaths): Promise<void> {
  const load = await visit(stack);
  try {
    for (const count of numbers)
      for (const how of ways) {
        const measured = await measureDead(stack, load, { dead: someOf(stack.backends, count), how, limit });
        died.push(row(mode, measured));
        say(`${mode}: ${tellDead(measured)}`);
      }
  } finally {
    await load.kill();
  }
}

async function versions(stack: Beyond): Promise<string> {
  const query = ["dpkg-query", "-W", "-f", "${Package} ${Version}  ", "onionbalance", "tor", "python3-stem"];
  return (await execOn(stack.lab, "balancer1", query)).text;
}

async function main(args: readonly string[]): Promise<void> {
  const [option, file, ...more] = args;
  if (more.length > 0 || (option !== undefined && (option !== "--csv" || file === undefined)))
    throw new Error("usage: npm run bench:beyond [-- --csv FILE]");
  const stack = await Beyond.start(LAB);
  try {
    await distinct(stack);
    console.log(await versions(stack));
    await stock(stack);
  } finally {
    // What was measured before a failure is measured.
    if (published.length > 0) console.log(`\n${publishedTable(published)}`);
    if (died.length > 0) console.log(`\n${deadTable(died)}`);
    if (file !== undefined) {
      writeFileSync(file, publishedCsv(published));
      writeFileSync(file.replace(/(\.csv)?$/, "-dead.csv"), deadCsv(died));
    }
    await stack.end();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
