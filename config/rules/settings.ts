// Rules on settings that no single key can tell: what one needs, what two exclude. They read the raw config.
import { type Path, earlier, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { engine } from "../schema/site/engine";
import { bytesOf } from "../schema/values";
import type { Raw } from "./machines";

/** A project or a site: where it stands, and the project that it is in. */
interface Holder {
  readonly path: Path;
  readonly project: Path;
}

const entries = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Every project that is an object, with its sites behind it. */
function projectsOf(raw: Raw): { project: Holder; sites: Holder[] }[] {
  return entries(raw["projects"]).flatMap((given, p) => {
    if (!isRecord(given)) return [];
    const path = ["projects", p];
    const sites = entries(given["sites"]).flatMap((site, s): Holder[] =>
      isRecord(site) ? [{ path: [...path, "sites", s], project: path }] : [],
    );
    return [{ project: { path, project: path }, sites }];
  });
}

/** Problems of settings of projects and sites. */
export function settingsRules(raw: Raw): Problem[] {
  return projectsOf(raw).flatMap(({ project, sites }) => {
    const all = [project, ...sites];
    return [
      ...all.flatMap((holder) => [...headerTwice(raw, holder), ...bufferRules(raw, holder), ...oneTls(raw, holder)]),
      ...selfSignedRules(raw, project, sites),
      ...torRules(raw, project),
      ...circuitRules(raw, project, all),
    ];
  });
}

/** A setting as it counts for a project or a site: its own, else the project's. */
function counts(raw: Raw, { path, project }: Holder, key: string): unknown {
  return valueAt(raw, [...path, key]) ?? valueAt(raw, [...project, key]);
}

const given = (raw: Raw, { path }: Holder, key: string): boolean => valueAt(raw, [...path, key]) !== undefined;

function headerTwice(raw: Raw, { path }: Holder): Problem[] {
  const headers = valueAt(raw, [...path, "injectHeadersUpstream"]);
  const seen = new Map<string, string>();
  return Object.keys(isRecord(headers) ? headers : {}).flatMap((name) => {
    const other = earlier(seen, name.toLowerCase(), name);
    if (other === undefined) return [];
    const message = `This is the same header as ${other}: capitals do not matter.`;
    return [problemAt(raw, [...path, "injectHeadersUpstream", name], { message, next: "Remove one of them." })];
  });
}

const bufferKeys = ["nginxBlockBusySize", "nginxBlockCount", "nginxBlockSize", "nginxTmpfileSize"] as const;

/** nginx starts with no other sizes: one buffer at least is busy, one at least is free, a file holds one at least. */
function bufferRules(raw: Raw, holder: Holder): Problem[] {
  const own = bufferKeys.filter((key) => given(raw, holder, key));
  if (own.length === 0) return [];
  const value = (key: (typeof bufferKeys)[number]): unknown => counts(raw, holder, key) ?? engine[key].fallback;
  const sizeOf = (key: (typeof bufferKeys)[number]): number | undefined => {
    const size = value(key);
    return typeof size === "string" ? bytesOf(size) : undefined;
  };
  const [block, busy, file] = [sizeOf("nginxBlockSize"), sizeOf("nginxBlockBusySize"), sizeOf("nginxTmpfileSize")];
  const count = value("nginxBlockCount");
  const blockText = String(value("nginxBlockSize"));
  const problems: Problem[] = [];
  const add = (key: (typeof bufferKeys)[number], message: string, next: string): void => {
    // The key that is the holder's own, so that the problem is where it was made.
    const at = own.includes(key) ? key : (own[0] ?? key);
    problems.push(problemAt(raw, [...holder.path, at], { message, next }));
  };
  if (block !== undefined && busy !== undefined && busy < block) {
    const message = `nginxBlockBusySize is ${String(value("nginxBlockBusySize"))} and less than one buffer, ${blockText}: nginx does not start with it.`;
    add("nginxBlockBusySize", message, `Set nginxBlockBusySize to ${blockText} or more.`);
  }
  if (
    block !== undefined &&
    busy !== undefined &&
    typeof count === "number" &&
    count > 1 &&
    busy > (count - 1) * block
  ) {
    const message = `nginxBlockBusySize is ${String(value("nginxBlockBusySize"))} and more than all buffers but one, ${count - 1} x ${blockText}: nginx does not start with it.`;
    add("nginxBlockBusySize", message, "Lower nginxBlockBusySize, or raise nginxBlockCount.");
  }
  if (block !== undefined && file !== undefined && file > 0 && file < block) {
    const message = `nginxTmpfileSize is ${String(value("nginxTmpfileSize"))} and less than one buffer, ${blockText}: nginx does not start with it.`;
    add("nginxTmpfileSize", message, `Set nginxTmpfileSize to 0 or at least ${blockText}.`);
  }
  return problems;
}

function oneTls(raw: Raw, holder: Holder): Problem[] {
  if (!given(raw, holder, "certificate") || valueAt(raw, [...holder.path, "onionTls"]) !== "selfSigned") return [];
  const message = "There is a certificate too: a site has one of them.";
  const next = "Remove onionTls to serve with the certificate, or remove certificate.";
  return [problemAt(raw, [...holder.path, "onionTls"], { message, next })];
}

/** Whether a site is served with a self-signed certificate: of certificate and onionTls the nearer counts. */
function isSelfSigned(raw: Raw, holder: Holder): boolean {
  const own = valueAt(raw, [...holder.path, "onionTls"]);
  if (own !== undefined) return own === "selfSigned";
  return !given(raw, holder, "certificate") && valueAt(raw, [...holder.project, "onionTls"]) === "selfSigned";
}

function selfSignedRules(raw: Raw, project: Holder, sites: readonly Holder[]): Problem[] {
  const message = "There is no self-signed certificate that it could be for.";
  const next = "Set onionTls: selfSigned, or remove selfSignedDays.";
  const lost = (holder: Holder, any: boolean): Problem[] =>
    any || !given(raw, holder, "selfSignedDays")
      ? []
      : [problemAt(raw, [...holder.path, "selfSignedDays"], { message, next })];
  const some = isSelfSigned(raw, project) || sites.some((site) => isSelfSigned(raw, site));
  return [...lost(project, some), ...sites.flatMap((site) => lost(site, isSelfSigned(raw, site)))];
}

// tor's own defaults, tor(1)
const torDefault = { torIntroDosRatePerSec: 25, torIntroDosBurstPerSec: 200 } as const;

function torRules(raw: Raw, project: Holder): Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string, next: string): void => {
    problems.push(problemAt(raw, [...project.path, key], { message, next }));
  };
  const keys = ["torIntroDosRatePerSec", "torIntroDosBurstPerSec"] as const;
  const own = keys.filter((key) => given(raw, project, key));
  if (valueAt(raw, [...project.path, "torIntroDosDefense"]) !== true) {
    for (const key of own)
      add(key, "Without torIntroDosDefense nothing is limited.", `Set torIntroDosDefense: true, or remove ${key}.`);
  } else if (own.length > 0) {
    const [rate, burst] = keys.map((key) => valueAt(raw, [...project.path, key]) ?? torDefault[key]);
    if (typeof rate === "number" && typeof burst === "number" && rate > burst) {
      const message = `The rate is ${rate} and the burst ${burst}: tor does not start with a burst below the rate.`;
      add(own.at(-1) ?? keys[1], message, `Set torIntroDosBurstPerSec to ${rate} or more.`);
    }
  }
  const streams = valueAt(raw, [...project.path, "torMaxStreams"]);
  if (
    valueAt(raw, [...project.path, "torMaxStreamsCloseCircuit"]) === true &&
    (streams === undefined || streams === 0)
  ) {
    const next = "Set torMaxStreams, e.g. 100, or remove torMaxStreamsCloseCircuit.";
    add("torMaxStreamsCloseCircuit", "Without torMaxStreams there is no limit to be above.", next);
  }
  return problems;
}

const circuitLimits = ["circuitRequestRate", "circuitRequestBurst", "circuitConnections"];

function circuitRules(raw: Raw, project: Holder, holders: readonly Holder[]): Problem[] {
  const problems: Problem[] = [];
  const burst = "circuitRequestBurst";
  if (given(raw, project, burst) && !given(raw, project, "circuitRequestRate")) {
    const next = "Set circuitRequestRate, e.g. 20, or remove circuitRequestBurst.";
    const message = "Without circuitRequestRate there is no rate to be above.";
    problems.push(problemAt(raw, [...project.path, burst], { message, next }));
  }
  if (valueAt(raw, [...project.path, "torExportCircuitId"]) === true) return problems;
  const message = "Without torExportCircuitId nginx does not know which requests come over one circuit.";
  const next = (key: string): string => `Set torExportCircuitId: true on the project, or remove ${key}.`;
  const lost = (holder: Holder, key: string): Problem =>
    problemAt(raw, [...holder.path, key], { message, next: next(key) });
  const circuitId = "nginxXOnionCircuitId";
  return [
    ...problems,
    ...circuitLimits.filter((key) => given(raw, project, key)).map((key) => lost(project, key)),
    ...holders
      .filter((holder) => valueAt(raw, [...holder.path, circuitId]) === true)
      .map((holder) => lost(holder, circuitId)),
  ];
}
