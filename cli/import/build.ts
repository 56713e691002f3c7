// From what was read to the config of a stack, with the place of everything that is in it.
import { basename, join } from "node:path";
import { projectNameFault } from "../../config/schema/names";
import { longestProjectName } from "../../plan/names";
import { findCertificate, namesOfSite } from "./certificates";
import { type At, type Notes, placed, shown } from "./entry";
import { firstThere, type Installation, projectFolder } from "./install";
import { findKey, readKey, type Secret, siteSecret } from "./keys";
import { applySettings, type Applied } from "./apply";
import type { ReadConfig, ReadProject, SiteMap } from "./read";
import { isFault, namesIn } from "./source";

/** Part of a config that is being made. */
export type Keys = Record<string, unknown>;

/** The projects of a stack's config, and what belongs to them. */
export interface Built {
  readonly projects: Keys[];
  readonly secrets: Secret[];
  /** Where projects, sites and entries of lists come from. */
  readonly origins: Map<object, At>;
  /** Where a setting of a project or site comes from. */
  readonly settings: Map<object, Map<string, At>>;
}

/** What the builder knows beside the configs. */
export interface Around {
  readonly installation: Installation;
  readonly stack: string | undefined;
  readonly notes: Notes;
}

/** Builds the projects of all configs. What is wrong and what is to be said goes into the notes. */
export function buildProjects(configs: readonly ReadConfig[], around: Around): Built {
  const built: Built = { projects: [], secrets: [], origins: new Map(), settings: new Map() };
  const seen = new Map<string, At>();
  for (const config of configs) {
    const applied = applySettings(config, around);
    for (const project of config.projects) addProject(project, { config, applied, seen, built, around });
  }
  return built;
}

interface Within {
  readonly config: ReadConfig;
  readonly applied: Applied;
  /** Names that projects have already, and where. */
  readonly seen: Map<string, At>;
  readonly built: Built;
  readonly around: Around;
}

function addProject(read: ReadProject, within: Within): void {
  const { config, applied, built, around } = within;
  const { notes, installation, stack } = around;
  const name = projectName(read, within);
  const folder = projectFolder(installation.home, read.name);
  const kinds = new Set(read.maps.map(({ kind }) => kind));
  mixed(read, kinds, notes);
  const own = applied.settings.filter(({ only }) => only === undefined || kinds.has(only));
  const one = applied.oneCertificate && folder !== undefined;
  const found = one ? findCertificate(folder, name, [read.name], { onion: undefined, stack }) : undefined;
  take(found, within);
  const project: Keys = {
    name,
    ...(found?.pem === undefined ? { onionTls: "selfSigned" } : { certificate: found.pem }),
    ...Object.fromEntries(own.map(({ key, value }) => [key, structuredClone(value)])),
  };
  built.settings.set(project, new Map(own.map(({ key, at }) => [key, at])));
  built.origins.set(project, read);
  if (config.foreign.length > 0) {
    project["foreignMaps"] = config.foreign.map(({ onion, domain, ...at }) => {
      const map = { onion, domain };
      built.origins.set(map, at);
      return map;
    });
  }
  project["sites"] = read.maps.map((map) => addSite(map, name, folder, within));
  built.projects.push(project);
  if (folder !== undefined) backendKeys(folder, notes);
}

/** The project's name as ours may be. A name is of no importance outside. */
function projectName(read: ReadProject, { seen, around: { notes } }: Within): string {
  const plain = read.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, longestProjectName)
    .replace(/-+$/, "");
  const name =
    projectNameFault(read.name) === undefined ? read.name : plain === "" || plain === "host" ? "sites" : plain;
  const what = `project ${shown(read.name)}`;
  const at = { file: read.file, line: read.line };
  const other = seen.get(name);
  if (other !== undefined) {
    const why = `There is a project ${name} already, ${placed(other)}.`;
    const next =
      other.file === read.file ? "Give one of them another name." : "Import one of the two files, or rename a project.";
    notes.faults.push({ ...at, what, why, next });
  }
  seen.set(name, at);
  if (name !== read.name) {
    const why = `It is named ${name} here: names are made of a-z, 0-9 and inner hyphens. Nobody outside sees them.`;
    notes.decisions.push({ ...at, what, why, next: "Nothing, or choose another name now.", blocks: false });
  }
  return name;
}

function mixed(read: ReadProject, kinds: ReadonlySet<string>, { decisions }: Notes): void {
  if (kinds.size < 2) return;
  const first = read.maps[0];
  const other = read.maps.find(({ kind }) => kind !== first?.kind);
  decisions.push({
    file: read.file,
    line: other?.line,
    what: `project ${shown(read.name)}`,
    why: "It has hardmaps and softmaps, which Onionspray refuses. Here all its sites are balanced.",
    next: "See that all of them belong together, or make two projects of it.",
    blocks: false,
  });
}

function addSite(map: SiteMap, project: string, folder: string | undefined, within: Within): Keys {
  const { applied, built, around } = within;
  const { notes } = around;
  const at = { file: map.file, line: map.line };
  const what = `${map.kind} ${map.domain}`;
  const address = map.onion === undefined ? "" : `, address ${map.onion}`;
  notes.mapped.push({ ...at, what, to: "sites", why: `Site ${map.domain} of project ${project}${address}.` });
  if (map.kind === "hardmap") {
    const why =
      "tor itself published it there, with the site's key on every machine. Here it is a softmap: Onionbalance publishes it.";
    const next =
      "Nothing, if that is meant: stop Onionspray before the first `pulumi up`, two publishers of one address displace each other.";
    notes.decisions.push({ ...at, what, why, next, blocks: false });
  }
  const site: Keys = { domain: map.domain };
  built.origins.set(site, at);
  built.settings.set(site, new Map());
  if (map.subdomains.length > 0) site["subdomains"] = [...map.subdomains];
  if (map.onion === undefined) newAddress(map, what, notes);
  else {
    site["onion"] = map.onion;
    addKey(map, map.onion, folder, within);
    splice(map.onion, within);
    addCertificate(site, { map, onion: map.onion, folder }, within);
  }
  for (const { domain, key, value, at: from } of applied.ofSites) {
    if (domain !== map.domain) continue;
    site[key] = value;
    built.settings.get(site)?.set(key, from);
  }
  return site;
}

function newAddress({ file, line }: SiteMap, what: string, { decisions }: Notes): void {
  decisions.push({
    file,
    line,
    what,
    why: "It asks for a new address, and there is no resolved .conf with one: it gets one at the first `pulumi up`.",
    next: "Nothing, if it never had an address. Else import the .conf that Onionspray made, with its secrets folder.",
    blocks: false,
  });
}

function addKey(map: SiteMap, onion: string, folder: string | undefined, { built, around }: Within): void {
  const { installation, stack, notes } = around;
  const file = findKey(installation.home, folder, onion);
  if (file === undefined) {
    notes.decisions.push({
      file: map.file,
      line: map.line,
      what: `key of ${map.domain}`,
      why: `There is no key of ${onion}, neither in the secrets folder nor in the project's: nobody can publish the address without it.`,
      next: `Import on the machine that has it, or: base64 < hs_ed25519_secret_key | npx pulumi config set --secret --path 'softmap:siteKeys["${map.domain}"]'`,
      blocks: true,
    });
    return;
  }
  const keys = readKey(file, onion);
  if (isFault(keys)) notes.faults.push({ ...keys, what: `${keys.what} of ${map.domain} (${placed(map)})` });
  else built.secrets.push(siteSecret(map.domain, keys, file, stack));
}

interface Owner {
  readonly map: SiteMap;
  readonly onion: string;
  readonly folder: string | undefined;
}

function addCertificate(site: Keys, { map, onion, folder }: Owner, within: Within): void {
  if (folder === undefined || within.applied.oneCertificate) return;
  const { stack } = within.around;
  const found = findCertificate(folder, map.domain, namesOfSite(onion), { onion, stack });
  take(found, within);
  if (found?.pem !== undefined) site["certificate"] = found.pem;
}

function take(found: ReturnType<typeof findCertificate>, { built, around: { notes } }: Within): void {
  if (found === undefined) return;
  if (found.dropped) notes.dropped.push(found.dropped);
  if (found.decision) notes.decisions.push(found.decision);
  if (found.secret === undefined) return;
  built.secrets.push(found.secret);
  const { file, name } = found.secret;
  notes.mapped.push({ file, what: "certificate", to: "certificate", why: `Certificate of ${name}, with its key.` });
}

/** Text of the operator's own in a site's server block. */
function splice(onion: string, { around: { installation, notes } }: Within): void {
  const file = firstThere(
    ["templates", "templates.d"].map((folder) => join(installation.home, folder, `nginx-site-${onion}.conf`)),
  );
  if (file === undefined) return;
  notes.decisions.push({
    file,
    what: "nginx of one site",
    why: "Text for nginx of your own is not taken: a release is checked as a whole before it serves.",
    next: "See which settings of docs/config.md do what is in it.",
    blocks: false,
  });
}

/** hs-1, hs-2: where the daemons of a worker are. */
function backendKeys(folder: string, { dropped, faults }: Notes): void {
  const names = namesIn(folder);
  if (isFault(names)) return void faults.push(names);
  const found = names.filter((name) => /^hs-[0-9]+(\.d)?$/.test(name));
  if (found.length === 0) return;
  const why = "Keys of backends are made anew by the stack: nobody knows their addresses but the balancer.";
  dropped.push({ file: folder, what: found.map((name) => basename(name)).join(", "), why });
}
