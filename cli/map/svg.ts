// From a layout to SVG. What is text stays text, and every sign of health has a shape of its own.
import type { Box, Drawing, Edge, Label, Meter } from "./layout";
import { layout, sizes } from "./layout";
import { style } from "./style";
import { escaped, fitted, isPlain, legible, widthOf } from "./text";
import { type Health, statesOf, type Topology, troublesOf } from "./topology";
import { count } from "../../config/words";

/** Stands in the first lines of every picture that this command made: such a file it may write over. */
export const marker = "<!-- softmap map -->";

/** The whole picture, a file of its own. */
export function svgOf(topology: Topology): string {
  return `${marker}\n${pictureOf(topology, { style, focus: false })}\n`;
}

/** How a picture is put where it stands. */
export interface PictureOptions {
  /** Its style; none where the page has it. */
  readonly style?: string;
  /** Whether hosts, sites and daemons can be reached by the keyboard. */
  readonly focus: boolean;
}

/** The `svg` element. */
export function pictureOf(topology: Topology, { style: css, focus }: PictureOptions): string {
  const drawing = layout(topology);
  const { width, height, boxes, edges, headings } = drawing;
  const below = boxes.filter(({ kind }) => kind === "project" || kind === "worker");
  const above = boxes.filter(({ kind }) => kind !== "project" && kind !== "worker");
  const things = (list: readonly Box[]): string[] => list.map((box) => thing(box, focus));
  return [
    // A page lets its readers go into the picture; by itself it is one thing with a name and a description.
    `<svg xmlns="http://www.w3.org/2000/svg" class="map" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="${focus ? "group" : "img"}" aria-labelledby="map-title map-desc">`,
    `<title id="map-title">${escaped(titleOf(topology))}</title>`,
    `<desc id="map-desc">${escaped(describe(topology))}</desc>`,
    ...(css === undefined ? [] : [`<style>${css}</style>`]),
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...headOf(topology, drawing),
    ...headings.map(label),
    ...things(below),
    ...edges.map(wire),
    ...things(above),
    ...legend(drawing),
    "</svg>",
  ].join("\n");
}

/** What it is a picture of. @example "softmap stack organization/softmap/prod" */
export const titleOf = ({ stack }: Topology): string => `softmap stack ${legible(stack)}`;

/** What there is, and how it is, in a few sentences. */
export function describe(topology: Topology): string {
  const troubles = troublesOf(topology).map(({ name, why }) => `${name}: ${why}.`);
  return [
    `${countsOf(topology)}.`,
    `${whenOf(topology)}.`,
    `${verdictOf(topology).text}.`,
    ...troubles.slice(0, 10),
  ].join(" ");
}

function countsOf({ balancers, workers, projects }: Topology): string {
  const daemons = workers.flatMap(({ cells }) => cells.flatMap((cell) => cell.daemons)).length;
  const sites = projects.flatMap((project) => project.sites).length;
  return [
    count(balancers.length, "balancer"),
    count(workers.length, "worker"),
    count(daemons, "backend"),
    count(sites, "site"),
  ].join(" · ");
}

const whenOf = ({ source, taken }: Topology): string =>
  source === "plan" ? "The plan of a config: nobody looked at a machine" : `Seen ${taken ?? "at no known time"}`;

/** How all of it is, in one word and a few. */
export function verdictOf(topology: Topology): { readonly health: Health; readonly text: string } {
  const states = statesOf(topology).map(({ state }) => state.health);
  const ill = states.filter((health) => health === "trouble").length;
  const dark = states.filter((health) => health === "unknown").length;
  if (topology.source === "plan") return { health: "unknown", text: "Planned" };
  if (ill > 0) return { health: "trouble", text: `Trouble in ${count(ill, "place")}` };
  return dark > 0
    ? { health: "unknown", text: `Nothing is known of ${count(dark, "thing")}` }
    : { health: "ok", text: "All is well" };
}

function headOf(topology: Topology, { width }: Drawing): string[] {
  const { margin } = sizes;
  const { health, text } = verdictOf(topology);
  const big = { size: 20, bold: true };
  const middle = { size: 13 };
  const end = width - margin;
  const verdictWidth = widthOf(text, { size: 15, bold: true });
  const room = end - margin - verdictWidth - 60;
  return [
    label({ text: fitted(topology.stack, room, big), x: margin, y: margin + 20, font: big, tone: "strong" }),
    label({
      text: fitted(`${countsOf(topology)} · ${whenOf(topology)}`, end - margin, middle),
      ...{ x: margin, y: margin + 44, font: middle, tone: "quiet" },
    }),
    sign(health, end - verdictWidth - 14, margin + 14),
    label({ text, x: end, y: margin + 19, font: { size: 15, bold: true }, end: true, tone: "strong" }),
  ];
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

function label({ text, x, y, font, end, tone }: Label): string {
  const names = [tone, ...(font.bold ? ["bold"] : []), ...(end ? ["end"] : [])].join(" ");
  // Nobody knows how wide the letters of all the world are: those are made to fit.
  const squeeze = isPlain(text) ? "" : ` textLength="${n(widthOf(text, font))}" lengthAdjust="spacingAndGlyphs"`;
  return `<text class="${names}" x="${n(x)}" y="${n(y)}" font-size="${font.size}"${squeeze}>${escaped(text)}</text>`;
}

/** A circle with a tick, a triangle with an exclamation mark, a broken ring with a question mark. */
function sign(health: Health, x: number, y: number): string {
  const at = `transform="translate(${n(x)} ${n(y)})"`;
  const r = sizes.mark;
  if (health === "ok")
    return `<g class="sign ok" ${at}><circle r="${r}"/><path class="on" d="M-3 0.2L-1 2.5L3 -2.2"/></g>`;
  if (health === "trouble")
    return `<g class="sign trouble" ${at}><path class="body" d="M0 -6.5L7 5.5H-7Z"/><path class="on" d="M0 -2.5V1.2M0 4V4.1"/></g>`;
  return `<g class="sign unknown" ${at}><circle r="${r}"/><text y="4">?</text></g>`;
}

const cards: ReadonlySet<Box["kind"]> = new Set(["balancer", "site", "daemon", "cell"]);

function thing(box: Box, focus: boolean): string {
  const { id, kind, x, y, width, height, state, title, labels, mark, meter, idle } = box;
  const names = ["box", cards.has(kind) ? "card" : "panel", state?.health ?? "", ...(idle ? ["idle"] : [])];
  const round = kind === "project" || kind === "worker" || kind === "troubles" ? 10 : 6;
  const key =
    focus && state !== null ? ` tabindex="0" role="img" aria-label="${escaped(title.replaceAll("\n", ", "))}"` : "";
  return [
    `<g class="thing ${kind}" data-id="${escaped(id)}" data-words="${escaped(wordsOf(box))}"${key}>`,
    `<title>${title.split("\n").map(escaped).join("\n")}</title>`,
    `<rect class="${names.filter((name) => name !== "").join(" ")}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="${round}"/>`,
    ...(mark && state ? [sign(state.health, mark.x, mark.y)] : []),
    ...labels.map(label),
    ...(meter ? [squares(meter, state?.health ?? "unknown")] : []),
    "</g>",
  ].join("");
}

/** What a reader may look for to find it. */
const wordsOf = ({ title, state }: Box): string => `${title} ${state?.health ?? ""}`.toLowerCase();

/** Points in the descriptor are full, those that should be in it are empty and strong, what is free is faint. */
function squares({ x, y, used, planned, limit }: Meter, health: Health): string {
  const { size, step } = sizes.square;
  return Array.from({ length: limit }, (_, i) => {
    const absent = health === "unknown" ? "planned" : "missing";
    const name = i < used ? "used" : i < planned ? absent : "free";
    return `<rect class="point ${name}" x="${n(x + i * step)}" y="${n(y)}" width="${size}" height="${size}" rx="1"/>`;
  }).join("");
}

function wire({ from, to, kind, health, idle, title, points }: Edge): string {
  const [[x, y] = [0, 0], ...rest] = points;
  const way = rest.map(([toX, toY], i) => {
    const [fromX, fromY] = points[i] ?? [x, y];
    return toY === fromY ? `H${n(toX)}` : toX === fromX ? `V${n(toY)}` : `L${n(toX)} ${n(toY)}`;
  });
  const names = ["wire", kind, health, ...(idle ? ["idle"] : [])].join(" ");
  return `<path class="${names}" data-from="${escaped(from)}" data-to="${escaped(to)}" d="M${n(x)} ${n(y)}${way.join("")}"><title>${escaped(title)}</title></path>`;
}

/** What the signs and squares mean. */
function legend({ height }: Drawing): string[] {
  const y = height - sizes.margin - 6;
  const font = { size: 11 };
  let x: number = sizes.margin + 7;
  const parts: string[] = [];
  const say = (text: string): void => {
    parts.push(label({ text, x: x + 12, y: y + 4, font, tone: "quiet" }));
    x += 12 + widthOf(text, font) + 26;
  };
  for (const [health, word] of [
    ["ok", "well"],
    ["trouble", "trouble"],
    ["unknown", "not known"],
  ] as const) {
    parts.push(sign(health, x, y));
    say(word);
  }
  const { size } = sizes.square;
  for (const [name, word] of [
    ["used", "an introduction point in the descriptor"],
    ["missing", "one that should be there"],
    ["free", "room for one: clients accept 20"],
  ] as const) {
    parts.push(
      `<rect class="point ${name}" x="${n(x)}" y="${n(y - size / 2)}" width="${size}" height="${size}" rx="1"/>`,
    );
    say(word);
  }
  return parts;
}
