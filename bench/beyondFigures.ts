import { units } from "../plan/names";
import { within, type Dead, type Latency, type Published } from "../tests/lab/beyondMeasures";
import { markdown } from "./figures";

/** Something measured, by whom, and the machine's load average when it ended. */
export type Row<Measured> = Measured & { readonly mode: string; readonly load: number };

const percent = (part: number, whole: number): string => (whole === 0 ? "-" : ((100 * part) / whole).toFixed(1));
const both = ({ p50, p90 }: Latency): string => `${p50.toFixed(1)} / ${p90.toFixed(1)}`;

/** One column: its title, and what of a row is in it. */
type Column<T> = readonly [title: string, cell: (row: T) => string | number];

const uses = (unit: string, { usage }: Published): string => {
  const its = usage[unit];
  return its === undefined ? "-" : `${(its.cpu * 100).toFixed(1)} %, ${its.memory.toFixed(0)} MiB`;
};

const PUBLISHED: readonly Column<Row<Published>>[] = [
  ["mode, backends", (one) => `${one.mode}, ${one.backends}`],
  ["fetches ok", (one) => `${one.fetches - one.failed} of ${one.fetches}`],
  ["backends reached", (one) => `${one.spread.reached} of ${one.spread.backends}`],
  ["variation (chance)", (one) => `${one.spread.variation.toFixed(2)} (${one.spread.chance.toFixed(2)})`],
  ["p50 / p90, s", (one) => both(one.latency)],
  ["points", (one) => (one.points[0] === one.points[1] ? one.points[0] : one.points.join(" - "))],
  ["bytes at most", (one) => one.bytes],
  ["first published, s", (one) => one.firstPublish.toFixed(1)],
  ["publisher", (one) => uses(units.onionbalance, one)],
  ["watchdog", (one) => uses(units.watchdog, one)],
  ["its tor", (one) => uses(units.proberTor, one)],
  ["balancer's tor", (one) => uses(units.balancerTor, one)],
];

const DEAD: readonly Column<Row<Dead>>[] = [
  ["mode, backends", (one) => `${one.mode}, ${one.backends}`],
  ["dead", (one) => one.dead],
  ["how", (one) => one.how],
  ["out after, s", (one) => within(one.out, one.limit)],
  ["back after, s", (one) => within(one.back, one.limit)],
  ["fetches meanwhile", (one) => one.fetches],
  ["ok, %", (one) => percent(one.fetches - one.failed, one.fetches)],
  ["cut off", (one) => one.cutOff],
  ["p50 / p90 before, s", (one) => both(one.before)],
  ["meanwhile, s", (one) => both(one.meanwhile)],
];

export const publishedTable = (rows: readonly Row<Published>[]): string => table(PUBLISHED, rows);
export const deadTable = (rows: readonly Row<Dead>[]): string => table(DEAD, rows);

/** In Markdown, the same for a terminal and for a page. */
function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  return markdown(
    columns.map(([title]) => title),
    rows.map((row) => columns.map(([, cell]) => cell(row))),
  );
}

/** Everything, a value a cell. */
export function publishedCsv(rows: readonly Row<Published>[]): string {
  return csv(
    rows.map(({ spread, latency, points, usage, wrong, ...plain }) => ({
      ...plain,
      ...{ reached: spread.reached, variation: spread.variation, chance: spread.chance },
      ...{ p50: latency.p50, p90: latency.p90, leastPoints: points[0], mostPoints: points[1], wrong: wrong.length },
      ...Object.fromEntries(
        Object.entries(usage).flatMap(([unit, { cpu, memory }]) => {
          const name = unit.replace(/^softmap-|\.service$/g, "");
          return [
            [`${name} cpu`, cpu],
            [`${name} MiB`, memory],
          ];
        }),
      ),
    })),
  );
}

export function deadCsv(rows: readonly Row<Dead>[]): string {
  return csv(
    rows.map(({ before, meanwhile, ...plain }) => ({
      ...plain,
      ...{ p50Before: before.p50, p90Before: before.p90, p50Meanwhile: meanwhile.p50, p90Meanwhile: meanwhile.p90 },
    })),
  );
}

function csv(rows: readonly Readonly<Record<string, string | number | null>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value: string | number | null | undefined): string =>
    typeof value === "number" ? String(Math.round(value * 1000) / 1000) : (value ?? "");
  return [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].join("\n") + "\n";
}
