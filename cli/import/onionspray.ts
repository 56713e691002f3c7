// npx softmap import onionspray: a stack's config out of what Onionspray or EOTK runs from, its keys as secrets.
import type { Exit } from "../call";
import type { Streams } from "../check";
import { buildProjects, type Keys } from "./build";
import type { ConfigSet } from "./configSet";
import { setAll } from "./configSet";
import { type Notes, noNotes, shown } from "./entry";
import { type ConfigFile, findInstallation, firstThere, type Installation } from "./install";
import { machinesOf } from "./machines";
import { type ReadConfig, readConfig } from "./read";
import { asFaults, asJson, asText, type Done } from "./report";
import { settle } from "./settle";
import { isFault, readText } from "./source";
import { fileOfStack, stackText, textFor, writeWhole } from "./stackFile";

/** What the command reaches the world with. */
export interface Tools {
  readonly configSet: ConfigSet;
  /** What `%NAME%` of a template stands for. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What is asked for. */
export interface Asked {
  readonly path: string;
  readonly out?: string | undefined;
  readonly stack?: string | undefined;
  readonly user?: string | undefined;
  readonly json?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** An import as it is known before anything is written. */
export interface Imported {
  /** The stack's config, keyed without `softmap:`. */
  readonly config: Keys;
  readonly secrets: ReturnType<typeof buildProjects>["secrets"];
  readonly notes: Notes;
}

/** Reads an installation. Writes nothing and never throws, whatever the files are. */
export function importFrom({ path, stack, user }: Pick<Asked, "path" | "stack" | "user">, env: Tools["env"]): Imported {
  const installation = findInstallation(path);
  const notes = noNotes();
  notes.faults.push(...installation.faults);
  const configs = installation.configs.flatMap((file) => readOne(file, installation, { notes, env }));
  const built = buildProjects(configs, { installation, stack, notes });
  if (built.projects.length === 0 && notes.faults.length === 0) {
    const why = "There is no softmap and no hardmap line: there is no site to import.";
    const file = installation.configs[0]?.path ?? path;
    notes.faults.push({ file, what: "no sites", why, next: "Name the config that has the sites." });
  }
  const machines = machinesOf(installation.home, installation.workers, user);
  notes.mapped.push(...machines.mapped);
  notes.decisions.push(...machines.decisions);
  notes.faults.push(...machines.faults);
  const config: Keys = { ...machines.config, projects: built.projects };
  if (built.projects.length > 0) settle(config, built, notes);
  unused(config, notes);
  return { config, secrets: built.secrets, notes };
}

interface Reading {
  readonly notes: Notes;
  readonly env: Tools["env"];
}

function readOne(file: ConfigFile, { prefix }: Installation, { notes, env }: Reading): ReadConfig[] {
  const text = readText(file.path);
  if (isFault(text)) {
    notes.faults.push(text);
    return [];
  }
  const names = { template: file.path.endsWith(".tconf"), env };
  const read = readConfig({ file: file.path, text }, prefix, names);
  // Faults of the prefix are told once, however many configs it stands before.
  const known = new Set(notes.faults.map((fault) => JSON.stringify(fault)));
  notes.faults.push(...read.faults.filter((fault) => !known.has(JSON.stringify(fault))));
  if (file.template !== undefined) newer(file.template, read, { notes, env });
  return [read];
}

/** Sites of a template that its .conf does not have: Onionspray never read them. */
function newer(template: string, read: ReadConfig, { notes, env }: Reading): void {
  const text = readText(template);
  if (isFault(text)) return;
  const has = (domain: string): boolean => read.projects.some(({ maps }) => maps.some((map) => map.domain === domain));
  const { projects } = readConfig({ file: template, text }, undefined, { template: true, env });
  for (const { maps } of projects)
    for (const { file, line, kind, domain } of maps)
      if (!has(domain)) {
        const why = `It is not in ${shown(read.file, 200)}, which was made of this template and is what Onionspray reads. It is not imported.`;
        const next = "If the site is wanted, add it to the config: it gets a new address.";
        notes.decisions.push({ file, line, what: `${kind} ${domain}`, why, next, blocks: false });
      }
}

/** A setting that is nowhere in the config was left out, or is of a kind of map that there is none of. */
function unused(config: Keys, notes: Notes): void {
  const used = new Set<string>();
  for (const project of config["projects"] as Keys[]) {
    const sites = Array.isArray(project["sites"]) ? (project["sites"] as Keys[]) : [];
    for (const holder of [project, ...sites]) Object.keys(holder).forEach((key) => used.add(key));
  }
  const lost = notes.mapped.filter(({ what, to }) => what.startsWith("set ") && to !== undefined && !used.has(to));
  for (const entry of lost) {
    notes.mapped.splice(notes.mapped.indexOf(entry), 1);
    const told = notes.decisions.some(
      ({ to, file, line }) => to === entry.to && file === entry.file && line === entry.line,
    );
    if (!told) notes.dropped.push({ ...entry, why: "There is no project that it is for." });
  }
}

/** Runs the import. */
export async function importOnionspray(asked: Asked, { out, err }: Streams, tools: Tools): Promise<Exit> {
  const { config, secrets, notes } = importFrom(asked, tools.env);
  const file = asked.out ?? (asked.stack === undefined ? undefined : fileOfStack(asked.stack));
  const text = file === undefined ? undefined : textFor(file, config, asked.force === true);
  if (isFault(text)) notes.faults.push(text);
  const projects = config["projects"] as Keys[];
  const counts = {
    from: shown(asked.path, 200),
    projects: projects.length,
    sites: projects.flatMap(({ sites }) => sites).length,
  };
  const plan: Done = { ...counts, written: undefined, keys: secrets.map((secret) => ({ secret, set: false })) };
  if (notes.faults.length === 0 && file !== undefined && typeof text === "string") {
    const fault = writeWhole(file, text, firstThere([file]) !== undefined);
    if (fault !== undefined) notes.faults.push(fault);
  }
  if (notes.faults.length > 0) {
    if (asked.json) out(asJson(notes, plan));
    else err(asFaults(notes, shown(asked.path, 200)));
    return 1;
  }
  const { stack } = asked;
  const keys = stack === undefined ? plan.keys : await setAll(secrets, { stack, file: asked.out }, tools.configSet);
  const done: Done = { ...plan, keys, written: file, yaml: file === undefined ? stackText(config) : undefined };
  out(asked.json ? asJson(notes, done) : asText(notes, done));
  return keys.some(({ failure }) => failure !== undefined) ? 1 : 0;
}
