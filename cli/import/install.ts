// Where things are in an installation of Onionspray or EOTK.
import { statSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import type { Fault } from "./entry";
import type { Source } from "./read";
import { isFault, largest, namesIn, readText, reasonOf, unreadable } from "./source";

/** A config of an installation. */
export interface ConfigFile {
  /** What Onionspray reads: the resolved .conf where there is one. */
  readonly path: string;
  /** The template that it was made of, where it is there too. */
  readonly template?: string;
}

/** An installation, as far as its files tell. */
export interface Installation {
  readonly home: string;
  readonly configs: readonly ConfigFile[];
  /** The site-wide file that stands before every config. */
  readonly prefix?: Source;
  /** The workers file. */
  readonly workers?: Source;
  /** onionspray-certs.conf: what self-signed certificates are made with. */
  readonly certs?: Source;
  readonly faults: readonly Fault[];
}

const ofPrefix = ["onionspray-site.conf", "eotk-site.conf"];
const ofWorkers = ["onionspray-workers.conf", "eotk-workers.conf"];
const ofCerts = ["onionspray-certs.conf"];
const special = [...ofPrefix, ...ofWorkers, ...ofCerts];
const folders = ["secrets", "secrets.d", "projects", "projects.d"];
const markers = [...folders, "onionspray", "eotk", ...special];

/** The installation at a path: its folder, or one config of it. */
export function findInstallation(path: string): Installation {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    return { home: path, configs: [], faults: [unreadable(path, reasonOf(error))] };
  }
  const home = isFolder ? path : homeOf(path);
  const names = namesIn(home);
  if (isFault(names)) return { home, configs: [], faults: [names] };
  const faults: Fault[] = [];
  const read = (among: readonly string[]): Source | undefined => {
    const name = among.find((each) => names.includes(each));
    if (name === undefined) return undefined;
    const file = join(home, name);
    const text = readText(file, largest.config);
    if (!isFault(text)) return { file, text };
    faults.push(text);
    return undefined;
  };
  const [prefix, workers, certs] = [read(ofPrefix), read(ofWorkers), read(ofCerts)];
  const given = isFolder ? configsIn(home, names) : [path];
  const configs = given.map((file) => resolved(file, home)).filter((each, i, all) => isFirst(each, i, all));
  const wrong = configs.flatMap(({ path: file }) => wrongKind(file));
  faults.push(...folderFaults(home, names), ...wrong, ...(configs.length === 0 ? [noConfig(home)] : []));
  return {
    home,
    configs: wrong.length > 0 ? [] : configs,
    ...(prefix && { prefix }),
    ...(workers && { workers }),
    ...(certs && { certs }),
    faults,
  };
}

const isFirst = (config: ConfigFile, i: number, all: readonly ConfigFile[]): boolean =>
  all.findIndex(({ path }) => path === config.path) === i;

/** A config stands in the home, or in a folder of it, such as examples. */
function homeOf(file: string): string {
  const folder = dirname(file);
  const above = join(folder, "..");
  const isHome = (each: string): boolean => {
    const names = namesIn(each);
    return !isFault(names) && markers.some((marker) => names.includes(marker));
  };
  return !isHome(folder) && isHome(above) ? above : folder;
}

function configsIn(home: string, names: readonly string[]): string[] {
  return names
    .filter((name) => [".tconf", ".conf"].includes(extname(name)) && !special.includes(name))
    .map((name) => join(home, name))
    .filter((file) => isFilled(file) || !isFilled(file.replace(/\.conf$/, ".tconf")));
}

/** Of a template Onionspray reads the .conf in its home that was made of it, once it is there. */
function resolved(file: string, home: string): ConfigFile {
  const conf = join(home, `${basename(file, extname(file))}.conf`);
  if (extname(file) === ".tconf") return isFilled(conf) ? { path: conf, template: file } : { path: file };
  const template = file.replace(/\.conf$/, ".tconf");
  return isFilled(template) ? { path: file, template } : { path: file };
}

function isFilled(path: string): boolean {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size > 0;
  } catch {
    return false;
  }
}

/** What is there and cannot be looked into: without this its keys would seem not to be there. */
function folderFaults(home: string, names: readonly string[]): Fault[] {
  return folders
    .filter((name) => names.includes(name))
    .flatMap((name) => {
      const found = namesIn(join(home, name));
      return isFault(found) ? [found] : [];
    });
}

function noConfig(home: string): Fault {
  const why = "There is no config in it: no .tconf and no .conf.";
  return { file: home, what: "no config", why, next: "Name the config itself, or the folder of the installation." };
}

function wrongKind(file: string): Fault[] {
  if ([".tconf", ".conf"].includes(extname(file))) return [];
  const why = "A config of Onionspray ends in .tconf or .conf.";
  return [{ file, what: "no config", why, next: "Name the config, or the folder of the installation." }];
}

/** The first of several places that there is, as a path. */
export function firstThere(places: readonly string[]): string | undefined {
  return places.find((place) => {
    try {
      statSync(place);
      return true;
    } catch {
      return false;
    }
  });
}

/** The folder of a project: `projects/P`, or `projects.d/P.d` of EOTK. */
export function projectFolder(home: string, project: string): string | undefined {
  if (basename(project) !== project || project.startsWith(".")) return undefined;
  return firstThere([join(home, "projects", project), join(home, "projects.d", `${project}.d`)]);
}

/** Short form of an address in the names of files there: its first twenty characters. */
export const shortName = (onion: string): string => `${onion.slice(0, 20)}-v3`;
