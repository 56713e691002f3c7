// Rules on projects and sites that no single key can tell: doubles, keys, backends that can be published.
import { backendName } from "../../plan/names";
import { budgetProblems } from "../../plan/budget";
import type { PublisherMode } from "../../plan/publisher";
import { type Path, earlier, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { type KeyNames, certificateRules } from "./certificates";
import { foreignRules } from "./foreign";
import type { Raw } from "./machines";
import { settingsRules } from "./settings";

interface Site {
  readonly path: Path;
  readonly project: string;
  readonly domain: string | undefined;
  readonly onion: string | undefined;
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function sitesOf(raw: Raw): Site[] {
  return list(raw["projects"]).flatMap((project, p) =>
    list(valueAt(project, ["sites"])).map((site, s) => ({
      path: ["projects", p, "sites", s],
      project: text(valueAt(project, ["name"])) ?? `projects[${p}]`,
      domain: text(valueAt(site, ["domain"])),
      onion: text(valueAt(site, ["onion"])),
    })),
  );
}

/** What the rules know beside the config. Without one of them its rules are left out. */
export interface Around {
  /** Domains that siteKeys names. */
  readonly siteKeyDomains?: readonly string[] | undefined;
  /** Names for which there are keys of certificates. */
  readonly keyNames?: KeyNames | undefined;
  /** How a key is given, where that is not the stack's config. */
  readonly keyNext?: string;
  /** Names of the machines that run backends, undefined for those whose name is wrong. */
  readonly pool?: readonly (string | undefined)[] | undefined;
  /** Names of those of them whose backends are published, where not all are. */
  readonly listed?: readonly string[] | undefined;
  /** Who makes the descriptors, where the config says so. */
  readonly publisher?: PublisherMode | undefined;
}

/** Problems of projects and their sites. */
export function projectsRules(raw: Raw, around: Around): Problem[] {
  const { siteKeyDomains, keyNames, keyNext, pool } = around;
  const sites = sitesOf(raw);
  return [
    ...projectTwice(raw),
    ...domainTwice(raw, sites),
    ...onionTwice(raw, sites),
    ...sites.flatMap((site) => siteRules(raw, site)),
    ...(siteKeyDomains ? keyRules(raw, sites, siteKeyDomains, keyNext) : []),
    ...settingsRules(raw),
    ...foreignRules(raw, sites),
    ...certificateRules(raw, keyNames ?? {}, keyNext !== undefined),
    ...(pool ? [...budgetRules(raw, around), ...mixedNames(raw, pool)] : []),
  ];
}

function projectTwice(raw: Raw): Problem[] {
  const seen = new Map<string, number>();
  return list(raw["projects"]).flatMap((project, p) => {
    const name = text(valueAt(project, ["name"]));
    if (name === undefined || earlier(seen, name, p) === undefined) return [];
    const next = "Give it another name, or move its sites to the first one.";
    return [problemAt(raw, ["projects", p, "name"], { message: `There are two projects named ${name}.`, next })];
  });
}

function domainTwice(raw: Raw, sites: readonly Site[]): Problem[] {
  const first = new Map<string, string>();
  return sites.flatMap(({ domain, project, path }) => {
    if (domain === undefined) return [];
    const name = domain.toLowerCase();
    const other = earlier(first, name, project);
    if (other === undefined) return [];
    const where = other === project ? `twice in project ${project}` : `in projects ${other} and ${project}`;
    return [
      problemAt(raw, [...path, "domain"], {
        message: `The domain is ${where}; a domain is one site.`,
        next: "Remove one of them.",
      }),
    ];
  });
}

function onionTwice(raw: Raw, sites: readonly Site[]): Problem[] {
  const first = new Map<string, string>();
  return sites.flatMap(({ onion, domain = "another site", path }) => {
    if (onion === undefined) return [];
    const other = earlier(first, onion, domain);
    if (other === undefined) return [];
    const next = "Give each site an address of its own, or remove `onion` from the site that has none yet.";
    return [problemAt(raw, [...path, "onion"], { message: `This is also the address of ${other}.`, next })];
  });
}

const longestDomain = 253; // RFC 1035 2.3.4

function siteRules(raw: Raw, { domain, onion, path }: Site): Problem[] {
  const problems: Problem[] = [];
  if (onion !== undefined && valueAt(raw, [...path, "replaceAddress"]) === onion) {
    const next = "Remove replaceAddress, or write the address that the site has now.";
    problems.push(
      problemAt(raw, [...path, "replaceAddress"], {
        message: "This is the site's new address, not the one that goes.",
        next,
      }),
    );
  }
  const seen = new Set<string>();
  list(valueAt(raw, [...path, "subdomains"])).forEach((given, i) => {
    const subdomain = text(given);
    if (subdomain === undefined) return;
    const add = (message: string, next: string): void => {
      problems.push(problemAt(raw, [...path, "subdomains", i], { message, next }));
    };
    if (seen.has(subdomain)) add("The subdomain is listed twice.", "Remove one of them.");
    seen.add(subdomain);
    if (domain === undefined) return;
    if (subdomain === domain) return add("This is the site's domain itself.", "Remove it: the domain is always shown.");
    if (subdomain.endsWith(`.${domain}`)) {
      return add(
        "A subdomain is written without the site's domain.",
        `Write ${subdomain.slice(0, -domain.length - 1)}.`,
      );
    }
    const length = subdomain.length + 1 + domain.length;
    if (length > longestDomain)
      add(`With the domain it has ${length} characters; DNS takes ${longestDomain}.`, "Check the name.");
  });
  return problems;
}

function keyRules(raw: Raw, sites: readonly Site[], keys: readonly string[], keyNext?: string): Problem[] {
  const problems = sites.flatMap(({ onion, domain, path }) => {
    if (onion === undefined || domain === undefined || keys.includes(domain)) return [];
    const message = "The address is given without its key: the balancer cannot publish it.";
    const next =
      keyNext ??
      `Add the key: pulumi config set --secret --path 'siteKeys["${domain}"]' < hs_ed25519_secret_key.base64, or remove \`onion\` for a new address.`;
    return [problemAt(raw, [...path, "onion"], { message, next })];
  });
  const domains = sites.flatMap(({ domain }) => domain ?? []);
  const lost = keys.filter((key) => !domains.includes(key));
  return [
    ...problems,
    ...lost.map((key) => ({
      component: "siteKeys",
      property: key,
      message: "There is a key for this domain, but no site has it.",
      next: "Add the site to a project, correct the domain, or remove the key.",
      path: ["siteKeys", key],
    })),
  ];
}

/** Only what is published counts: workers that are not listed may be as many as there are machines. */
function budgetRules(raw: Raw, { pool = [], listed, publisher }: Around): Problem[] {
  const [workers, chosen] = [listed ?? pool, listed !== undefined];
  return list(raw["projects"]).flatMap((project, p) => {
    const daemons = valueAt(project, ["softmapTorWorkers"]) ?? 2;
    if (!isRecord(project) || typeof daemons !== "number" || !Number.isSafeInteger(daemons) || daemons < 1) return [];
    const name = text(project["name"]) ?? `projects[${p}]`;
    const path = ["projects", p, "softmapTorWorkers"];
    const problems = budgetProblems({ name, softmapTorWorkers: daemons }, workers.length, { chosen, publisher });
    return problems.map((problem) => ({ ...problem, path }));
  });
}

/** project a-b on worker c and project a on worker b-c would both have the backend a-b-c-1. */
function mixedNames(raw: Raw, pool: readonly (string | undefined)[]): Problem[] {
  const first = new Map<string, string>();
  return list(raw["projects"]).flatMap((project, p): Problem[] => {
    const name = text(valueAt(project, ["name"]));
    if (name === undefined) return [];
    for (const worker of pool) {
      if (worker === undefined || worker === "") continue;
      const backend = backendName(name, worker, 1);
      const other: string | undefined = earlier(first, backend, name);
      if (other !== undefined && other !== name) {
        const message = `Projects ${other} and ${name} would both have a backend named ${backend}.`;
        return [
          problemAt(raw, ["projects", p, "name"], { message, next: `Rename project ${name} or the worker ${worker}.` }),
        ];
      }
    }
    return [];
  });
}
