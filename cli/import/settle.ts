// The config that was made, held against the stack's own rules: what they refuse is taken out, and told with the place that it is from.
import { parseStackConfig } from "../../config/parse";
import { type Path, isRecord, valueAt } from "../../config/place";
import { type Problem, ProblemsError } from "../../config/problems";
import type { Built, Keys } from "./build";
import type { At, Decision, Notes } from "./entry";

/** What a project and a site are, and how many daemons there are: not to be taken out. */
const kept = { project: ["name", "sites", "softmapTorWorkers"], site: ["domain", "onion"] };

/** Settings whose values may be secrets: no advice that repeats them. */
const isPrivate = ["cookieLock", "injectHeadersUpstream"];

// A setting that is taken out can be missed by another one: more rounds than this no chain of settings needs.
const mostRounds = 12;

/** Takes out of the config what is refused, and notes it. What must stay and is refused is a fault, or waits for the operator. */
export function settle(config: Keys, built: Built, notes: Notes): void {
  const told = new Set<string>();
  for (let round = 0; ; round += 1) {
    const problems = problemsOf(config, built);
    const places = round < mostRounds ? placesOf(config, problems) : [];
    if (places.length === 0) return remaining(config, problems, built, notes);
    for (const { path, problem } of places) {
      const decision: Decision = {
        ...originOf(config, path, built),
        what: written(path),
        to: keyOf(path),
        why: `${problem.message} It is left out.`,
        next: isPrivate.includes(keyOf(path) ?? "")
          ? "See docs/config.md, and write it into the config yourself."
          : problem.next,
        blocks: false,
      };
      // A setting of several projects is told once.
      const id = JSON.stringify(decision);
      if (!told.has(id)) notes.decisions.push(decision);
      told.add(id);
    }
    // From the end, so that the places of the others stay right.
    for (const { path } of places.toReversed()) remove(config, path);
  }
}

function problemsOf(config: Keys, { secrets }: Built): readonly Problem[] {
  const named = (key: string): string[] => secrets.filter((secret) => secret.key === key).map(({ name }) => name);
  try {
    // Without siteKeyDomains: keys that are not there are told with their sites (build.ts).
    parseStackConfig(config, {
      certificateKeys: { tlsKeys: { names: named("tlsKeys"), plain: [] } },
    });
    return [];
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return error.problems;
  }
}

interface Place {
  readonly path: Path;
  readonly problem: Problem;
}

/** What can be taken out: settings, or one entry of a list. In the order of the config, each once. */
function placesOf(config: Keys, problems: readonly Problem[]): Place[] {
  const places = new Map<string, Place>();
  for (const problem of problems) {
    const path = removable(config, problem.path ?? []);
    const id = JSON.stringify(path);
    if (path !== undefined && !places.has(id)) places.set(id, { path, problem });
  }
  return [...places.values()].toSorted((a, b) => compare(a.path, b.path));
}

function removable(config: Keys, path: Path): Path | undefined {
  if (path[0] !== "projects") return undefined;
  const ofSite = path[2] === "sites";
  const start = ofSite ? 4 : 2;
  const key = path[start];
  if (typeof key !== "string" || kept[ofSite ? "site" : "project"].includes(key)) return undefined;
  const setting = path.slice(0, start + 1);
  const value = valueAt(config, setting);
  if (value === undefined) return undefined;
  const entry = path[start + 1];
  const inside = (Array.isArray(value) && typeof entry === "number") || (isRecord(value) && typeof entry === "string");
  return inside && entry !== undefined ? [...setting, entry] : setting;
}

function compare(a: Path, b: Path): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [left, right] = [a[i], b[i]];
    if (left === right) continue;
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    if (typeof left === "number" && typeof right === "number") return left - right;
    return String(left) < String(right) ? -1 : 1;
  }
  return 0;
}

function remove(config: Keys, path: Path): void {
  const holder = valueAt(config, path.slice(0, -1));
  const last = path.at(-1);
  if (Array.isArray(holder) && typeof last === "number") holder.splice(last, 1);
  else if (isRecord(holder) && last !== undefined) delete holder[last];
  const empty = Array.isArray(holder) ? holder.length === 0 : isRecord(holder) && Object.keys(holder).length === 0;
  if (empty) remove(config, path.slice(0, -1));
}

/** The setting's own name in a path. */
function keyOf(path: Path): string | undefined {
  const key = path[2] === "sites" ? path[4] : path[2];
  return typeof key === "string" ? key : undefined;
}

/** Without the value: `blockPathRe[1]`. */
function written(path: Path): string {
  const [key, ...rest] = path.slice(path[2] === "sites" ? 4 : 2);
  return [String(key), ...rest.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))].join("");
}

/** The place that something in the config is from: of the nearest thing around it that has one. */
function originOf(config: Keys, path: Path, { origins, settings }: Built): At {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const value = valueAt(config, path.slice(0, depth));
    const own = typeof value === "object" && value !== null ? origins.get(value) : undefined;
    if (own !== undefined && depth > 2) return plain(own);
    const holder = valueAt(config, path.slice(0, depth - 1));
    const key = path[depth - 1];
    const setting = isRecord(holder) && typeof key === "string" ? settings.get(holder)?.get(key) : undefined;
    if (setting !== undefined) return plain(setting);
    if (own !== undefined) return plain(own);
  }
  return { file: "config" };
}

const plain = ({ file, line }: At): At => ({ file, line });

/** What the machines lack is told with the workers file (machines.ts). */
const isTold = (config: Keys, { path = [] }: Problem): boolean =>
  ["hostKey", "user"].includes(String(path.at(-1))) && valueAt(config, path) === undefined;

function remaining(config: Keys, problems: readonly Problem[], built: Built, notes: Notes): void {
  for (const problem of problems) {
    const path = problem.path ?? [];
    if (isTold(config, problem)) continue;
    const at = path[0] === "projects" ? originOf(config, path, built) : { file: "config" };
    const entry = {
      ...at,
      what: `${problem.component}: ${problem.property}`,
      why: problem.message,
      next: problem.next,
    };
    const key = path[2] === "sites" ? path[4] : path[2];
    const isFault = path[0] === "projects" && key !== "softmapTorWorkers";
    if (isFault) notes.faults.push(entry);
    else notes.decisions.push({ ...entry, blocks: true });
  }
}
