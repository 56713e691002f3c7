/**
 * Where everything in a picture is. Three columns: balancers; projects with their sites; a column for each worker, with a cell for each project beside
 * that project's sites. Lines lead from a balancer to each site that it publishes, and from a project through the workers that answer for it. Pure.
 */
import {
  type Balancer,
  type Cell,
  type Daemon,
  type Project,
  type State,
  type Topology,
  troublesOf,
  type Worker,
} from "./topology";
import { fitted, type Font, widthOf } from "./text";

/** One line of text; x and y are where its base line begins, or ends. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly font: Font;
  readonly end?: boolean;
  readonly tone: "strong" | "plain" | "quiet" | "trouble";
}

/** What a box is; the names are the style's classes. */
export type Kind = "balancer" | "project" | "site" | "worker" | "cell" | "daemon" | "troubles";

/** A rectangle with what is written in it. Those of the same parent touch nowhere, and lie within it. */
export interface Box {
  /** Unique, of {@link idOf}. */
  readonly id: string;
  readonly kind: Kind;
  readonly parent?: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Null: it is neither well nor ill. */
  readonly state: State | null;
  /** What it is, in full: nothing is shortened here. */
  readonly title: string;
  readonly labels: readonly Label[];
  /** Where the sign of its health is, its middle. */
  readonly mark?: { readonly x: number; readonly y: number };
  /** Of a site: squares for introduction points. */
  readonly meter?: Meter;
  /** A balancer on standby, a backend that is not published. */
  readonly idle?: boolean;
}

/** Squares in a row: so many are in the descriptor, so many more should be, and the rest is free. */
export interface Meter {
  readonly x: number;
  readonly y: number;
  readonly used: number;
  readonly planned: number;
  readonly limit: number;
}

/** A line from one box to another. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: "publishes" | "answers";
  readonly health: State["health"];
  readonly idle: boolean;
  readonly title: string;
  /** Corners, beginning and end among them. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The whole picture. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  readonly headings: readonly Label[];
}

/** Pixels. */
export const sizes = {
  ...{ margin: 24, head: 76, hostHead: 56, gap: 18, pad: 8, row: 26, rowGap: 4 },
  ...{ balancer: 190, balancerHeight: 56, project: 400, projectHead: 34, lane: 9 },
  ...{ worker: { least: 186, most: 300, gap: 22 }, square: { size: 6, step: 8 }, mark: 7, width: 900, troubles: 20 },
} as const;

const fonts = {
  name: { size: 14, bold: true },
  row: { size: 12.5 },
  small: { size: 11 },
} as const satisfies Record<string, Font>;

/** The id of a box: what kind of thing it is, and whose. Different things have different ids, whatever they are called. */
export const idOf = (kind: Kind, ...names: readonly string[]): string => JSON.stringify([kind, ...names]);

/** Lays a topology out. */
export function layout(topology: Topology): Drawing {
  const { balancers, projects, workers } = topology;
  const { margin, head, hostHead, gap, lane } = sizes;
  const top = margin + head;
  const bandsTop = top + hostHead;
  const sitesX = balancers.length === 0 ? margin : margin + sizes.balancer + 36 + lane * (balancers.length - 1);
  const workersX = sitesX + sizes.project + 40;
  const bands = bandsOf(projects, workers, bandsTop);
  const bandsEnd = (bands.at(-1)?.end ?? bandsTop) - (bands.length > 0 ? 0 : -40);
  const columns = columnsOf(workers, workersX);
  const boxes = [
    ...balancers.map((balancer, i) => balancerBox(balancer, margin, bandsTop + i * (sizes.balancerHeight + gap))),
    ...bands.flatMap(({ project, y, end }) => projectBoxes(project, { x: sitesX, y, height: end - y })),
    ...columns.flatMap((column) => workerBoxes(column, { top, end: bandsEnd + sizes.pad, bands })),
  ];
  const bottom = Math.max(bandsEnd + sizes.pad, ...boxes.map(({ y, height }) => y + height));
  const last = columns.at(-1);
  const width = Math.max(sizes.width, (last === undefined ? workersX : last.x + last.width) + margin);
  const troubles = troublesBox(topology, { x: margin, y: bottom + gap, width: width - 2 * margin });
  const legendY = (troubles === undefined ? bottom : troubles.y + troubles.height) + 30;
  const heading = (text: string, x: number): Label => ({ text, x, y: bandsTop - 10, font: fonts.small, tone: "quiet" });
  return {
    width,
    height: legendY + margin,
    boxes: troubles === undefined ? boxes : [...boxes, troubles],
    edges: edgesOf(topology, new Map(boxes.map((box) => [box.id, box]))),
    headings: [
      ...(balancers.length > 0 ? [heading("Balancers", margin)] : []),
      ...(projects.length > 0 ? [heading("Sites, and introduction points of each", sitesX)] : []),
    ],
  };
}

interface Band {
  readonly project: Project;
  readonly y: number;
  readonly end: number;
}

const rowsHeight = (rows: number): number =>
  rows === 0 ? 0 : rows * sizes.row + (rows - 1) * sizes.rowGap + sizes.pad;

/** Each project's strip over all columns: as high as its sites, or as the most daemons of it on a worker, need. */
function bandsOf(projects: readonly Project[], workers: readonly Worker[], top: number): Band[] {
  const cells = workers.flatMap((worker) => worker.cells);
  const most = new Map<string, number>();
  for (const { project, daemons } of cells) most.set(project, Math.max(most.get(project) ?? 0, daemons.length));
  let y = top;
  return projects.map((project) => {
    const rows = Math.max(project.sites.length, most.get(project.name) ?? 0, 1);
    const band = { project, y, end: y + sizes.projectHead + rowsHeight(rows) };
    y = band.end + sizes.gap;
    return band;
  });
}

interface Column {
  readonly worker: Worker;
  readonly x: number;
  readonly width: number;
}

function columnsOf(workers: readonly Worker[], left: number): Column[] {
  const { least, most, gap } = sizes.worker;
  let x = left;
  return workers.map((worker) => {
    const width = Math.round(Math.min(most, Math.max(least, widthOf(worker.name, fonts.name) + 44)));
    const column = { worker, x, width };
    x += width + gap;
    return column;
  });
}

/** Sign, name and what there is to say, in a head of that height. */
function headOf(name: string, note: string, at: { x: number; y: number; width: number; health: State["health"] }) {
  const { x, y, width, health } = at;
  const room = width - 44;
  return {
    mark: { x: x + 18, y: y + 21 },
    labels: [
      { text: fitted(name, room, fonts.name), x: x + 34, y: y + 26, font: fonts.name, tone: "strong" },
      {
        ...{ text: fitted(note, room, fonts.small), x: x + 34, y: y + 43, font: fonts.small },
        tone: health === "trouble" ? "trouble" : "quiet",
      },
    ] satisfies Label[],
  };
}

/** A line of small text in the picture's boxes: a name, and at its end a word or two. */
function rowOf(left: string, right: State, at: { x: number; y: number; width: number; from: number }): Label[] {
  const { x, y, width, from } = at;
  const base = y + sizes.row / 2 + 4.5;
  const end = x + width - sizes.pad;
  const tone = right.health === "trouble" ? "trouble" : "quiet";
  const least = Math.min(widthOf(left, fonts.row), (end - from) * 0.45);
  const word = fitted(right.fact, end - from - least - 8, fonts.small);
  const room = end - from - (word === "" ? 0 : widthOf(word, fonts.small) + 8);
  return [
    { text: fitted(left, room, fonts.row), x: from, y: base, font: fonts.row, tone: "plain" },
    ...(word === "" ? [] : [{ text: word, x: end, y: base, font: fonts.small, end: true, tone } as const]),
  ];
}

/** What a thing is, and all that is to be said of how it is. */
const titleOf = (what: string, { health, fact, why }: State): string =>
  [what, ...(why.length > 0 ? why : [health === "ok" ? fact : `${health}, ${fact}`])].join("\n");

function balancerBox(balancer: Balancer, x: number, y: number): Box {
  const { name, standby, sites, health, fact } = balancer;
  const n = sites.length;
  const note = health === "ok" && !standby ? `publishes ${n} site${n === 1 ? "" : "s"}` : planned(balancer, fact);
  return {
    ...{ id: idOf("balancer", name), kind: "balancer", x, y, width: sizes.balancer, height: sizes.balancerHeight },
    ...{ state: balancer, idle: standby, title: titleOf(`balancer ${name}`, balancer) },
    ...headOf(name, note, { x, y, width: sizes.balancer, health }),
  };
}

const planned = ({ standby, health }: Balancer, fact: string): string =>
  standby && health === "unknown" ? `stands by, ${fact}` : fact;

function projectBoxes(project: Project, at: { x: number; y: number; height: number }): Box[] {
  const { x, y, height } = at;
  const width = sizes.project;
  const id = idOf("project", project.name);
  const name = fitted(project.name, width - 24, fonts.name);
  const box: Box = {
    ...{ id, kind: "project", x, y, width, height, state: null, title: `project ${project.name}` },
    labels: [{ text: name, x: x + 12, y: y + 23, font: fonts.name, tone: "strong" }],
  };
  return [box, ...project.sites.map((site, i) => siteBox(site, { x: x + sizes.pad, y: rowY(y, i), parent: id }))];
}

/** Where the i-th row of a band is. */
const rowY = (bandY: number, i: number): number => bandY + sizes.projectHead + i * (sizes.row + sizes.rowGap);

function siteBox(site: Project["sites"][number], at: { x: number; y: number; parent: string }): Box {
  const { x, y, parent } = at;
  const width = sizes.project - 2 * sizes.pad;
  const { points, planned: expected, limit, domain, address } = site;
  const meterX = x + width - sizes.pad - limit * sizes.square.step;
  const budget = `${points ?? expected} of ${limit} introduction points${points === null ? " planned" : ` (planned: ${expected})`}`;
  // The squares say how many; in words there is what else is to be said.
  const told = site.health === "trouble" ? site : { ...site, fact: `${points ?? expected} of ${limit}` };
  return {
    ...{ id: idOf("site", site.project, domain), kind: "site", parent, x, y, width, height: sizes.row, state: site },
    title: titleOf([domain, address, budget].filter((line) => line !== null).join("\n"), site),
    mark: { x: x + 14, y: y + sizes.row / 2 },
    labels: rowOf(domain, told, { x, y, width: meterX - x, from: x + 28 }),
    meter: {
      ...{ x: meterX, y: y + (sizes.row - sizes.square.size) / 2, limit },
      ...{ used: Math.min(points ?? 0, limit), planned: Math.min(expected, limit) },
    },
  };
}

function workerBoxes(column: Column, at: { top: number; end: number; bands: readonly Band[] }): Box[] {
  const { worker, x, width } = column;
  const { top, end, bands } = at;
  const id = idOf("worker", worker.name);
  const box: Box = {
    ...{ id, kind: "worker", x, y: top, width, height: end - top, state: worker },
    title: titleOf(`worker ${worker.name}`, worker),
    ...headOf(worker.name, `worker, ${worker.fact}`, { x, y: top, width, health: worker.health }),
  };
  const cells = bands.flatMap(({ project, y, end: bandEnd }) => {
    const cell = worker.cells.find((each) => each.project === project.name);
    const place = { x: x + sizes.pad, y, width: width - 2 * sizes.pad, height: bandEnd - y };
    return cell === undefined ? [] : cellBoxes(cell, worker.name, id, place);
  });
  return [box, ...cells];
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function cellBoxes({ project, proxy, daemons }: Cell, worker: string, parent: string, place: Place): Box[] {
  const id = idOf("cell", project, worker);
  const { x, y, width } = place;
  return [
    {
      ...{
        id,
        kind: "cell",
        parent,
        ...place,
        state: proxy,
        title: titleOf(`nginx of ${project} on ${worker}`, proxy),
      },
      mark: { x: x + 14, y: y + 17 },
      labels: rowOf(project, proxy, { x, y: y + 4, width, from: x + 28 }),
    },
    ...daemons.map((daemon, i) =>
      daemonBox(daemon, id, { x: x + 6, y: rowY(y, i), width: width - 12, height: sizes.row }),
    ),
  ];
}

function daemonBox(daemon: Daemon, parent: string, place: Place): Box {
  const { name, address, label, listed } = daemon;
  const told = listed || daemon.health === "trouble" ? daemon : { ...daemon, fact: "not listed" };
  const what = [`backend ${name}`, address, listed ? null : "no balancer lists it"].filter((line) => line !== null);
  return {
    ...{ id: idOf("daemon", name), kind: "daemon", parent, ...place, state: daemon, idle: !listed },
    title: titleOf(what.join("\n"), daemon),
    mark: { x: place.x + 14, y: place.y + place.height / 2 },
    labels: rowOf(label, told, { ...place, from: place.x + 28 }),
  };
}

/** What is wrong, in words, for who cannot point at anything: undefined when nothing is. */
function troublesBox(topology: Topology, at: { x: number; y: number; width: number }): Box | undefined {
  const troubles = troublesOf(topology);
  if (troubles.length === 0) return undefined;
  const { x, y, width } = at;
  const more = troubles.length - sizes.troubles;
  const lines = troubles.slice(0, sizes.troubles).map(({ name, why }) => `${name}: ${why}`);
  if (more > 0) lines.push(`and ${more} more`);
  const room = width - 2 * 12;
  return {
    ...{ id: idOf("troubles"), kind: "troubles", x, y, width, height: 40 + lines.length * 19, state: null },
    title: "What is wrong",
    labels: [
      { text: "What is wrong", x: x + 12, y: y + 23, font: fonts.name, tone: "strong" },
      ...lines.map((line, i): Label => {
        const text = fitted(line, room, fonts.row);
        return { text, x: x + 12, y: y + 46 + i * 19, font: fonts.row, tone: "plain" };
      }),
    ],
  };
}

function edgesOf({ balancers, projects, workers }: Topology, boxes: ReadonlyMap<string, Box>): Edge[] {
  const published = balancers.flatMap((balancer, i) =>
    balancer.sites.flatMap((site) => publishes(balancer, site, { i, of: balancers.length, boxes })),
  );
  // Of lines that lie on each other the nearest worker's is drawn last.
  const answered = projects.flatMap(({ name }) =>
    workers.toReversed().flatMap((worker) => {
      const cell = worker.cells.find(({ project }) => project === name);
      return cell === undefined ? [] : answers(name, worker, cell, boxes);
    }),
  );
  return [...published, ...answered];
}

function publishes(
  balancer: Balancer,
  site: Balancer["sites"][number],
  at: { i: number; of: number; boxes: ReadonlyMap<string, Box> },
): Edge[] {
  const from = idOf("balancer", balancer.name);
  const to = idOf("site", site.project, site.domain);
  const [start, end] = [at.boxes.get(from), at.boxes.get(to)];
  if (start === undefined || end === undefined) return [];
  const spread = Math.min(5, 16 / at.of);
  const y = end.y + end.height / 2 + (at.i - (at.of - 1) / 2) * spread;
  const lane = start.x + start.width + 18 + at.i * sizes.lane;
  const from0: readonly [number, number] = [start.x + start.width, start.y + start.height / 2];
  return [
    {
      ...{ from, to, kind: "publishes", health: balancer.health, idle: false },
      title: `${balancer.name} publishes ${site.domain}`,
      points: [from0, [lane, from0[1]], [lane, y], [end.x, y]],
    },
  ];
}

function answers(project: string, worker: Worker, cell: Cell, boxes: ReadonlyMap<string, Box>): Edge[] {
  const [from, to] = [idOf("project", project), idOf("cell", project, worker.name)];
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (start === undefined || end === undefined) return [];
  const y = start.y + sizes.projectHead / 2;
  const states = cell.daemons.map(({ health }) => health);
  const health = states.includes("ok") ? "ok" : states.includes("trouble") ? "trouble" : "unknown";
  return [
    {
      ...{ from, to, kind: "answers", health, idle: !cell.daemons.some(({ listed }) => listed) },
      title: `${worker.name} answers for ${project}`,
      points: [
        [start.x + start.width, y],
        [end.x, y],
      ],
    },
  ];
}
