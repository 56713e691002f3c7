/**
 * `npm run bench:publish [-- --runs N] [--csv FILE]`: from empty hosts to the first page, and how long it takes until the descriptors in the network
 * hold two backends more or two less, by softmap and by Debian's Onionbalance beside it. In a lab of its own; see README.md.
 */
import { writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { ensureEngine } from "../lab/engine/engine";
import { execOn, labDown, labNamed, labUp, stopwatch, type Lab } from "../lab/lab";
import { softmapLane, stockLanes, type Lane } from "./publishChanges";
import { publishCsv, publishOptions, publishTable, startsLines, type Row } from "./publishFigures";
import { endFirst, firstPage } from "./publishFirst";

const LAB = "benchpub";
/** A run from empty hosts may fail: after so many nobody goes on. */
const MOST_FAILURES = 3;

const say = stopwatch();

function told({ run, by, change, published, up, page, load }: Row): string {
  const times = [
    `published after ${published.toFixed(1)} s`,
    ...(page === null ? [] : [`first page after ${page.toFixed(1)} s`]),
    ...(up === null ? [] : [`up ${up.toFixed(1)} s`]),
  ];
  return `run ${run}, ${by} ${change}: ${times.join(", ")}, load ${load.toFixed(1)}`;
}

/** Every run starts from nothing, so one that fails spoils no other. It is told, and missing from the count. */
async function first(lab: Lab, runs: number, measured: (row: Row) => void): Promise<void> {
  let failures = 0;
  for (let run = 1; run <= runs; run++)
    try {
      measured(await firstPage(lab, run));
    } catch (error) {
      say(`run ${run} from empty hosts FAILED: ${error instanceof Error ? error.message : String(error)}`);
      if (++failures === MOST_FAILURES) throw error;
    }
  await endFirst(lab);
}

/** All lanes at once, so that both meet the same network and load; each arm's runs are shared by its lanes. */
async function changes(lanes: readonly Lane[], runs: number, measured: (row: Row) => void): Promise<void> {
  const begun = new Map<string, number>();
  let broken = false;
  const work = async (lane: Lane): Promise<void> => {
    for (;;) {
      const run = (begun.get(lane.by) ?? 0) + 1;
      if (broken || run > runs) return;
      begun.set(lane.by, run);
      for (const row of await lane.round(run)) measured(row);
    }
  };
  const ended = await Promise.allSettled(
    lanes.map((lane) =>
      work(lane).catch((error: unknown) => {
        broken = true; // the others end after the round that they are in
        throw error;
      }),
    ),
  );
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}

/** The machine and the packages that were measured. */
async function describe(lab: Lab): Promise<string> {
  const query = ["dpkg-query", "-W", "-f", "${Package} ${Version}  ", "onionbalance", "tor"];
  const packages = (await execOn(lab, "balancer1", query)).text.trim();
  return `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores, load average ${(loadavg()[0] ?? 0).toFixed(1)}; ${packages}`;
}

async function publish(args: readonly string[]): Promise<void> {
  const { runs, file } = publishOptions(args);
  const lab = labNamed(LAB);
  const rows: Row[] = [];
  const lanes: Lane[] = [];
  const measured = (row: Row): void => {
    rows.push(row);
    say(told(row));
    // what was measured before a failure is measured
    if (file !== undefined) writeFileSync(file, publishCsv(rows));
  };
  try {
    await ensureEngine(say);
    await labUp(lab, say);
    await first(lab, runs, measured);
    lanes.push(await softmapLane(lab));
    lanes.push(...(await stockLanes(lab)));
    await changes(lanes, runs, measured);
    console.log(await describe(lab));
  } finally {
    if (rows.length > 0) console.log(`\n${publishTable(rows)}\n\n${startsLines(rows).join("\n")}`);
    for (const lane of lanes) await lane.end().catch(() => undefined);
    await labDown(lab);
  }
}

publish(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
