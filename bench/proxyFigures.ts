import { figuresOf, spread, type Figures } from "./figures";
import { pages, type Page } from "./proxyPages";

/** One point, measured. */
export interface Point {
  /** From 1 on. */
  readonly round: number;
  readonly page: Page;
  readonly contestant: string;
  readonly connections: number;
  /** With that many connections. */
  readonly perSecond: number;
  /** Median with one connection, microseconds. */
  readonly latency: number;
  /** The machine's load average. */
  readonly load: number;
}

/** What `wrk --latency` says. @throws Error when an answer was not 2xx or a connection failed */
export function wrkFigures(text: string): { perSecond: number; latency: number } {
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`wrk met errors:\n${text}`);
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
  const [, number, unit] = /50%\s+([\d.]+)(us|ms|s)\b/.exec(text) ?? [];
  const latency = Math.round(Number(number) * (unit === "us" ? 1 : unit === "ms" ? 1e3 : 1e6));
  if (!(perSecond > 0) || !(latency > 0)) throw new Error(`no figures of wrk:\n${text}`);
  return { perSecond, latency };
}

/** All rounds of one contestant with one page. */
export function figuresAt(
  points: readonly Point[],
  at: Pick<Point, "page" | "contestant">,
  of: "perSecond" | "latency",
): Figures | undefined {
  return figuresOf(
    points.filter(({ page, contestant }) => page === at.page && contestant === at.contestant).map((one) => one[of]),
  );
}

/** A line for each page and contestant; added latency is the median's distance from that of `base`. */
export function proxyTable(points: readonly Point[], base: string): string {
  const number = (value: number): string => (value < 20 ? value.toFixed(1) : value.toFixed(0));
  const contestants = [...new Set(points.map((one) => one.contestant))];
  const rows = pages.flatMap((page) =>
    contestants.flatMap((contestant) => {
      const speed = figuresAt(points, { page, contestant }, "perSecond");
      const latency = figuresAt(points, { page, contestant }, "latency");
      const from = figuresAt(points, { page, contestant: base }, "latency");
      if (!speed || !latency) return [];
      const added = from ? (latency.median - from.median).toFixed(0) : "-";
      return [`| ${page} | ${contestant} | ${spread(speed, number)} | ${spread(latency, number)} | ${added} |`];
    }),
  );
  const head = "| page | proxy, sites | requests/s | latency, µs | added, µs |";
  return [head, "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

/** Every point, for a file. */
export function csv(points: readonly Point[]): string {
  const rows = points.map(({ round, page, contestant, connections, perSecond, latency, load }) =>
    [round, page, `"${contestant}"`, connections, perSecond, latency, load.toFixed(2)].join(","),
  );
  return `${["round,page,proxy,connections,requests_per_second,latency_us,load_average", ...rows].join("\n")}\n`;
}

/** `who` has more than `times` the speed of `than`. */
export interface Goal {
  readonly page: Page;
  readonly who: string;
  readonly than: string;
  readonly times: number;
}

/** A goal as a line: both speeds, how many times, and whether that is enough. */
export function goalLine(points: readonly Point[], { page, who, than, times }: Goal): string {
  const mine = figuresAt(points, { page, contestant: who }, "perSecond")?.median;
  const other = figuresAt(points, { page, contestant: than }, "perSecond")?.median;
  if (mine === undefined || other === undefined) return `not measured: ${page}, ${who} beside ${than}`;
  const met = mine / other > times ? "met" : "MISSED";
  const speeds = `${who} ${mine.toFixed(0)}/s, ${than} ${other.toFixed(0)}/s`;
  return `${met}: ${page}, ${speeds}: ${(mine / other).toFixed(2)} times (goal: more than ${times})`;
}
