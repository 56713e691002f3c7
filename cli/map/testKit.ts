// For the tests of the pictures: stacks of any size, and what XML asks of a text.
import { mostPoints } from "../../plan/budget";
import type { Daemon, Health, Site, State, Topology } from "./topology";

/** How large a stack is, and what its things are called. */
export interface Size {
  readonly balancers: number;
  readonly workers: number;
  readonly projects: number;
  /** Of each project on each worker. */
  readonly daemons: number;
  /** Of each project. */
  readonly sites: number;
  /** Stands in every name. @default "" */
  readonly name?: string;
  /** How its things are, in turn. @default all well */
  readonly healths?: readonly Health[];
}

const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i + 1));

/** A stack of that size. */
export function topologyOfSize({
  balancers,
  workers,
  projects,
  daemons,
  sites,
  name = "",
  healths = ["ok"],
}: Size): Topology {
  let asked = 0;
  const state = (fact: string): State => {
    const health = healths[asked++ % healths.length] ?? "ok";
    return { health, fact: `${fact}${name}`, why: health === "ok" ? [] : [`${name} is ${health}`] };
  };
  const site = (project: string, i: number): Site => ({
    ...{ domain: `s${i}${name}.test`, project, address: null, points: (i * 7) % 30, planned: 8, limit: mostPoints },
    ...state("8 of 20"),
  });
  const daemon = (project: string, worker: string, i: number): Daemon => ({
    ...{
      name: `${project}-${worker}-${i}`,
      project,
      worker,
      label: `tor ${i}${name}`,
      address: null,
      listed: i % 3 !== 0,
    },
    ...state("6 points"),
  });
  const named = times(projects, (p) => ({ name: `p${p}${name}`, sites: times(sites, (i) => site(`p${p}${name}`, i)) }));
  return {
    ...{ stack: `organization/softmap/${name}`, source: "survey", taken: "2026-01-01T00:00:00.000Z", projects: named },
    balancers: times(balancers, (b) => ({
      ...{ name: `b${b}${name}`, standby: b > 2, ...state("publishes") },
      sites:
        b > 2 ? [] : named.flatMap((project) => project.sites.map(({ domain }) => ({ domain, project: project.name }))),
    })),
    workers: times(workers, (w) => ({
      ...{ name: `w${w}${name}`, ...state("answers") },
      cells: named.map(({ name: project }) => ({
        ...{ project, proxy: state("nginx") },
        daemons: times(daemons, (i) => daemon(project, `w${w}${name}`, i)),
      })),
    })),
  };
}

/** What a text lacks to be well-formed XML; undefined when it is. Of XML 1.0 as much as a picture uses: no DTD, no CDATA. */
export function xmlFault(text: string): string | undefined {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || !text.isWellFormed())
    return "a character that XML has not";
  const open: string[] = [];
  const token = /<!--(?:(?!--)[^])*-->|<(\/?)([A-Za-z][\w:-]*)((?:\s+[A-Za-z_:][\w:.-]*="[^"<]*")*)\s*(\/?)>|[^<]+|</g;
  let roots = 0;
  for (const [whole, close, tag, attributes = "", empty] of text.matchAll(token)) {
    if (whole === "<") return "a < that begins nothing";
    if (whole.startsWith("<!--")) continue;
    if (/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-f]+);)/i.test(whole)) return `an & in ${whole.slice(0, 80)}`;
    if (tag === undefined) {
      if (open.length === 0 && whole.trim() !== "") return "text outside of the root";
      continue;
    }
    const names = [...attributes.matchAll(/([\w:.-]+)="/g)].map(([, name]) => name);
    if (new Set(names).size !== names.length) return `an attribute twice in ${whole.slice(0, 80)}`;
    if (close !== "") {
      if (open.pop() !== tag) return `</${tag}> closes what is not open`;
    } else if (empty === "") {
      if (open.length === 0) roots++;
      open.push(tag);
    }
  }
  return open.length > 0 ? `${open.join(" ")} is open at the end` : roots === 1 ? undefined : `${roots} roots`;
}
