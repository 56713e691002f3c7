import { percentile } from "../lab/loadReport";
import { figuresOf, markdown, spread } from "./figures";
import type { Request } from "./loadClients";
import { PARTS, type Part, type Used } from "./loadProcesses";

/** `visit`: a small page, each time on a new circuit; `page`: the same on kept connections; `big`: 1 MB on kept connections. */
export const KINDS = ["visit", "page", "big"] as const;
export type Kind = (typeof KINDS)[number];

/** How many machines and tors serve. */
export interface Shape {
  readonly workers: number;
  /** On each of them. */
  readonly daemons: number;
}

/** One measured interval. */
export interface Point extends Shape {
  /** From 1 on. */
  readonly round: number;
  /** `idle`: nobody fetches. */
  readonly kind: Kind | "idle";
  readonly requests: number;
  readonly failed: number;
  /** Of the bodies. */
  readonly bytes: number;
  /** Seconds of requests that did not fail. */
  readonly p50: number;
  readonly p95: number;
  readonly used: Used;
  /** The machine's load average of a minute at the start. */
  readonly load: number;
}

/** What the requests that were done within an interval come to. */
export function requestsIn(requests: readonly Request[], from: number, to: number) {
  const mine = requests.filter(({ at }) => at >= from && at < to);
  const good = mine.filter(({ error }) => error === "");
  const seconds = good.map((one) => one.seconds);
  return {
    ...{ requests: good.length, failed: mine.length - good.length },
    bytes: good.reduce((sum, one) => sum + one.bytes, 0),
    ...{ p50: percentile(seconds, 50), p95: percentile(seconds, 95) },
  };
}

const median = (values: readonly number[]): number => figuresOf(values)?.median ?? NaN;
const percent = (values: readonly number[]): string => `${(100 * median(values)).toFixed(0)} %`;

/** A line for each shape and kind: how many requests, and who was busy. Shares are of one core. */
export function speedTable(points: readonly Point[]): string {
  const shapes = shapesOf(points);
  const rows = KINDS.flatMap((kind) =>
    shapes.flatMap((shape) => {
      const mine = points.filter((point) => point.kind === kind && isOf(shape)(point));
      if (mine.length === 0) return [];
      const loop = (part: Part) => percent(mine.map(({ used }) => used.busiest[part].loop));
      const cores = (mine[0]?.used.cores ?? []).map((_, n) => percent(mine.map(({ used }) => used.cores[n] ?? 0)));
      const requests = mine.reduce((sum, one) => sum + one.requests, 0);
      const failed = mine.reduce((sum, one) => sum + one.failed, 0);
      return [
        [
          ...[kind, shape.workers, shape.daemons],
          spread(figuresOf(mine.map((one) => one.requests / one.used.seconds))),
          (median(mine.map((one) => one.bytes / one.used.seconds)) / 1e6).toFixed(2),
          `${median(mine.map((one) => one.p50)).toFixed(2)} / ${median(mine.map((one) => one.p95)).toFixed(2)}`,
          `${failed} of ${requests + failed}`,
          ...[labs(mine), percent(mine.map(({ used }) => used.others / used.seconds)), cores.join(", ")],
          ...(["worker tor", "worker nginx", "relays", "client tors"] as const).map(loop),
        ],
      ];
    }),
  );
  const who = ["the lab", "all else", "each core, by ticks", "busiest worker tor", "nginx", "relay", "client tor"];
  return markdown(["kind", "workers", "M", "requests/s", "MB/s", "p50 / p95, s", "failed", ...who], rows);
}

/** All parts together. */
const labs = (points: readonly Point[]): string =>
  percent(points.map(({ used }) => PARTS.reduce((sum, part) => sum + used.parts[part], 0) / used.seconds));

const isOf =
  ({ workers, daemons }: Shape) =>
  (other: Shape): boolean =>
    other.workers === workers && other.daemons === daemons;

function shapesOf(points: readonly Point[]): Shape[] {
  const all = points.filter(({ kind }) => kind !== "idle");
  return all
    .filter((point, n) => all.findIndex(isOf(point)) === n)
    .sort((a, b) => a.workers - b.workers || a.daemons - b.daemons);
}

/** CPU seconds that a part takes for 1000 requests, without what it takes when nobody fetches in the same round. */
export function costs(points: readonly Point[], kind: Kind, part: Part): number[] {
  return points
    .filter((point) => point.kind === kind && point.requests > 0)
    .map(({ round, requests, used }) => {
      const idle = points.find((point) => point.kind === "idle" && point.round === round)?.used;
      const still = idle === undefined ? 0 : (idle.parts[part] / idle.seconds) * used.seconds;
      return (1000 * Math.max(0, used.parts[part] - still)) / requests;
    });
}

/** The figures that travel: what each part takes for a request, over all shapes and rounds. */
export function costTable(points: readonly Point[]): string {
  const kinds = KINDS.filter((kind) => points.some((point) => point.kind === kind));
  const rows = PARTS.map((part) => [
    part,
    ...kinds.map((kind) => spread(figuresOf(costs(points, kind, part)), (cost) => cost.toFixed(2))),
  ]);
  const all = kinds.map((kind) => PARTS.reduce((sum, part) => sum + median(costs(points, kind, part)), 0).toFixed(2));
  return markdown(["CPU seconds for 1000 requests", ...kinds], [...rows, ["all of these", ...all]]);
}

/** Cores of a worker that the table of M is made for. */
const CORES = [1, 2, 4, 8, 16];

/** What a worker's cores bear, and how many of them its tors take. */
export interface Bearing {
  readonly kind: Kind;
  /** CPU seconds of tor and of nginx for 1000 requests. */
  readonly tor: number;
  readonly nginx: number;
}

/** Requests a second of one tor that has a core to itself, of one nginx process that has, and of a worker's core that both share. */
export function rates({ tor, nginx }: Bearing): {
  readonly tor: number;
  readonly nginx: number;
  readonly core: number;
} {
  return { tor: 1000 / tor, nginx: 1000 / nginx, core: 1000 / (tor + nginx) };
}

/** So many tors, so that no request waits for one while a core of the worker is idle. */
export function daemonsFor(cores: number, { tor, nginx }: Bearing): number {
  // what comes out whole but for rounding is whole
  return Math.max(1, Math.ceil((cores * tor) / (tor + nginx) - 1e-9));
}

export function bearings(points: readonly Point[]): Bearing[] {
  return KINDS.flatMap((kind) => {
    const [tor, nginx] = (["worker tor", "worker nginx"] as const).map((part) => median(costs(points, kind, part)));
    return tor !== undefined && nginx !== undefined && tor + nginx > 0 ? [{ kind, tor, nginx }] : [];
  });
}

/** M by a worker's cores; computed from the costs, not measured on such machines. */
export function daemonsTable(points: readonly Point[]): string {
  const rows = bearings(points).map((bearing) => {
    const { tor, nginx, core } = rates(bearing);
    const counts = CORES.map((cores) => `${daemonsFor(cores, bearing)} (${(cores * core).toFixed(0)}/s)`);
    return [bearing.kind, ...[tor, nginx].map((rate) => rate.toFixed(0)), ...counts];
  });
  const head = ["kind", "one tor, requests/s", "one nginx process, requests/s"];
  return markdown([...head, ...CORES.map((cores) => `M with ${cores} core${cores === 1 ? "" : "s"}`)], rows);
}

/** How much of a tor's CPU its first thread takes: so much of it cannot be spread over cores. */
export function threadLines(points: readonly Point[]): string[] {
  return (["worker tor", "relays", "client tors"] as const).flatMap((part) => {
    const busy = points.map(({ used }) => used.busiest[part]).filter(({ process }) => process > 0.02);
    const share = figuresOf(busy.map(({ process, loop }) => loop / process));
    if (share === undefined) return [];
    const [middle, least] = [share.median, share.min].map((one) => `${(100 * one).toFixed(0)} %`);
    return [`busiest of ${part}: ${middle} of its CPU (at least ${least}) in its first thread`];
  });
}

/** Every interval, for a file. */
export function loadCsv(points: readonly Point[]): string {
  const rows = points.map(({ used, ...plain }) => ({
    ...plain,
    seconds: used.seconds,
    ...Object.fromEntries(PARTS.map((part) => [`${part} cpu`, used.parts[part]])),
    ...Object.fromEntries(
      PARTS.flatMap((part) => [
        [`busiest ${part}`, used.busiest[part].process],
        [`its first thread, ${part}`.replace(",", ""), used.busiest[part].loop],
      ]),
    ),
    ...{ "others cpu": used.others, stolen: used.stolen },
    ...Object.fromEntries(used.cores.map((core, n) => [`core ${n}`, core])),
  }));
  const names = Object.keys(rows[0] ?? {});
  const cell = (value: unknown): string =>
    typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : String(value);
  const lines = rows.map((row) => names.map((name) => cell((row as Record<string, unknown>)[name])).join(","));
  return `${[names.join(","), ...lines].join("\n")}\n`;
}
