// The settings of one config as they count: the last of each name, for all its projects.
import { existsSync, statSync } from "node:fs";
import { certificateFault } from "../../config/schema/certificate";
import { onionspray } from "../../config/onionspray";
import type { At, Notes } from "./entry";
import { shown } from "./entry";
import type { Installation } from "./install";
import type { Given, ReadConfig } from "./read";
import { type Outcome, outcomesOf } from "./settings";

/** A setting of ours, and where it comes from. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly at: At;
  readonly only?: "softmap" | "hardmap" | undefined;
}

/** The settings of a config. */
export interface Applied {
  readonly settings: readonly Setting[];
  readonly ofSites: readonly (Setting & { readonly domain: string })[];
  /** Whether a project's sites share one certificate: ssl_cert_each_onion 0. */
  readonly oneCertificate: boolean;
}

/** Reads every setting of a config; says of each what it became. */
export function applySettings(
  config: ReadConfig,
  { installation, notes }: { readonly installation: Installation; readonly notes: Notes },
): Applied {
  const domains = config.projects.flatMap(({ maps }) => maps.map(({ domain }) => domain));
  const kinds = new Set(config.projects.flatMap(({ maps }) => maps.map(({ kind }) => kind)));
  const last = new Map<string, Given>();
  const all = [...config.settings, ...certsOf(installation)];
  for (const given of all) last.set(given.name, given);
  for (const given of all) {
    const winner = last.get(given.name);
    if (winner !== undefined && winner !== given) overridden(given, winner, config, notes);
  }
  const settings: Setting[] = [];
  const ofSites: (Setting & { domain: string })[] = [];
  for (const given of last.values()) {
    const at = { file: given.file, line: given.line };
    for (const outcome of outcomesOf(given, { domains })) {
      const made = madeOf(outcome, given, notes);
      if (made === undefined) continue;
      if (made.only !== undefined && !kinds.has(made.only)) {
        const why = `It is of ${made.only}s only, and there are none.`;
        notes.dropped.push({ ...at, what: `set ${shown(given.name)}`, why });
        continue;
      }
      if (made.domain !== undefined) ofSites.push({ ...made, domain: made.domain, at });
      else merge(settings, { ...made, at });
    }
  }
  notes.mapped.push(...[...settings, ...ofSites].map((setting) => mappedEntry(setting, last)));
  defaults(last, config, notes);
  return { settings, ofSites, oneCertificate: last.get("ssl_cert_each_onion")?.words.join(" ") === "0" };
}

interface Made {
  readonly key: string;
  readonly value: unknown;
  readonly only?: "softmap" | "hardmap" | undefined;
  readonly domain?: string;
}

/** What an outcome sets; what it says instead goes into the notes. */
function madeOf(outcome: Outcome, given: Given, notes: Notes): Made | undefined {
  const at = { file: given.file, line: given.line, what: `set ${shown(given.name)}` };
  switch (outcome.kind) {
    case "project":
      return { key: outcome.key, value: outcome.value, only: outcome.only };
    case "site":
      return { key: outcome.key, value: outcome.value, domain: outcome.domain };
    case "authorities":
      return authorities(outcome.path, at, notes);
    case "dropped":
      notes.dropped.push({ ...at, why: outcome.why });
      return undefined;
    case "decision":
      notes.decisions.push({ ...at, why: outcome.why, next: outcome.next, blocks: false });
      return undefined;
  }
}

/** Lists that come in several outcomes of one line are one list. */
function merge(settings: Setting[], next: Setting): void {
  const same = settings.findIndex(
    ({ key, at }) => key === next.key && at.line === next.at.line && at.file === next.at.file,
  );
  const before = settings[same]?.value;
  if (same >= 0 && Array.isArray(before) && Array.isArray(next.value))
    settings[same] = { ...next, value: [...(before as unknown[]), ...(next.value as unknown[])] };
  else settings.push(next);
}

function mappedEntry({ key, at }: Setting, last: ReadonlyMap<string, Given>) {
  const given = [...last.values()].find((each) => each.file === at.file && each.line === at.line);
  const row = rowNamed(given?.name ?? "");
  const why = row?.why === undefined ? `Here it is ${key}.` : `Here it is ${key}. ${row.why}`;
  return { ...at, what: `set ${shown(given?.name ?? key)}`, to: key, why };
}

const rowNamed = (name: string) => (Object.hasOwn(onionspray, name) ? onionspray[name] : undefined);

/** There all settings are global and the last counts, also for projects that stand above it. */
function overridden(given: Given, winner: Given, config: ReadConfig, { dropped, decisions }: Notes): void {
  const at = { file: given.file, line: given.line, what: `set ${shown(given.name)}` };
  const later = `${shown(winner.file, 200)}:${winner.line}`;
  if (given.words.join(" ") === winner.words.join(" ")) return;
  if (given.file !== winner.file || config.projects.length < 2) {
    dropped.push({ ...at, why: `It is set again at ${later}, and the last counts.` });
    return;
  }
  decisions.push({
    ...at,
    why: `It is set to another value at ${later}. Settings are global there: the last counts for every project, also for those above it. It is taken so.`,
    next: "If the projects were meant to differ: here each has settings of its own, write this one on its project.",
    blocks: false,
  });
}

/** `NAME=VALUE` lines of onionspray-certs.conf, as settings. */
function certsOf({ certs }: Installation): Given[] {
  return (certs?.text ?? "").split(/\r\n|\n|\r/).flatMap((line, i) => {
    const [, name, value] = /^\s*(?:export\s+)?(ONIONSPRAY_CERT_[A-Z_]+)=["']?([^"'#]*)/.exec(line) ?? [];
    if (name === undefined) return [];
    const words = (value ?? "").trim().split(/\s+/);
    return [{ file: certs?.file ?? "", line: i + 1, name: name.toLowerCase(), words }];
  });
}

/** Authorities for origins. The machine's own bundle is what is used here anyway, from the worker's own disk. */
function authorities(path: string, at: At & { what: string }, notes: Notes): Made | undefined {
  const key = "nginxProxySslTrustedCertificate";
  if (
    /^\/etc\/(ssl|pki|ca-certificates)\/.*(ca-certificates\.crt|ca-bundle\.(crt|trust\.crt)|cert\.pem|tls-ca-bundle\.pem)$/.test(
      path,
    )
  ) {
    const why = "It is the machine's own bundle: origins are always verified against the worker's own authorities.";
    notes.dropped.push({ ...at, why });
    return undefined;
  }
  if (certificateFault(path) === undefined && existsSync(path) && statSync(path).isFile()) return { key, value: path };
  const why = "The file that it names is not on this machine.";
  const next = `Copy the authorities here, and write ${key}: PATH into the config; without it the worker's own are asked.`;
  notes.decisions.push({ ...at, why, next, blocks: false });
  return undefined;
}

/** Defaults that are other ones here, where that is noticed. */
const others: Readonly<Record<string, string>> = {
  tor_single_onion: "Nothing, or torSingleOnion: true on the project for one hop, as there.",
  nginx_proxy_ssl_trusted_certificate:
    "See that each site's certificate on the web is one that browsers take; for one of your own set nginxProxySslTrustedCertificate.",
  nginx_cache_seconds: "Nothing, or nginxCacheSeconds: 60 on the project, as there.",
  nginx_resolver: "Nothing, or nginxResolver with the address of one that you trust.",
};

function defaults(last: ReadonlyMap<string, Given>, { file, projects }: ReadConfig, { decisions }: Notes): void {
  if (projects.length === 0) return;
  for (const [name, next] of Object.entries(others)) {
    const row = onionspray[name];
    if (last.has(name) || row === undefined) continue;
    const why = `It is not set. There the default is ${row.there}; here it is another: ${row.why ?? ""}`;
    decisions.push({ file, what: name, why, next, blocks: false });
  }
}
