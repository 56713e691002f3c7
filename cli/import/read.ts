// What an Onionspray or EOTK config says: its settings, projects and maps, as its own configurator understands them.
import { basename } from "node:path";
import { domainFault } from "../../config/schema/domain";
import { nearest } from "../../config/words";
import { checkOnionAddress } from "../../onion/address";
import { type At, type Fault, shown } from "./entry";
import { type Directive, directivesOf, type Names, newOnion } from "./lines";

/** A `set` line. */
export interface Given extends At {
  readonly line: number;
  /** In small letters; there it does not matter. */
  readonly name: string;
  readonly words: readonly string[];
}

/** A `softmap` or `hardmap` line. */
export interface SiteMap extends At {
  readonly line: number;
  readonly kind: "softmap" | "hardmap";
  /** `<56 characters>.onion`; undefined where a new one is asked for. */
  readonly onion: string | undefined;
  readonly domain: string;
  readonly subdomains: readonly string[];
}

/** A `foreignmap` line. */
export interface Foreign extends At {
  readonly line: number;
  readonly onion: string;
  readonly domain: string;
}

/** A project and its maps. */
export interface ReadProject extends At {
  /** As it is named there. */
  readonly name: string;
  readonly maps: SiteMap[];
}

/** A config as it is read. */
export interface ReadConfig {
  readonly file: string;
  /** Every `set` line in order, those of the site-wide prefix first. All are global there, and the last counts. */
  readonly settings: readonly Given[];
  readonly projects: readonly ReadProject[];
  readonly foreign: readonly Foreign[];
  readonly faults: readonly Fault[];
}

/** A text and the file that it is from. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/**
 * Reads a config. Never throws, whatever the text is.
 * @param prefix the site-wide file, which stands before every config
 */
export function readConfig(source: Source, prefix: Source | undefined, names: Names): ReadConfig {
  const first = prefix && directivesOf(prefix.text, prefix.file, { ...names, template: false });
  const own = directivesOf(source.text, source.file, names);
  const reader = new Reader(source.file);
  for (const directive of [...(first?.directives ?? []), ...own.directives]) reader.take(directive);
  const { settings, foreign } = reader;
  const faults = [...(first?.faults ?? []), ...own.faults, ...reader.faults];
  const projects = [...reader.projects.values()].filter(({ maps }) => maps.length > 0);
  return { file: source.file, settings, projects, foreign, faults };
}

class Reader {
  readonly settings: Given[] = [];
  readonly projects = new Map<string, ReadProject>();
  readonly foreign: Foreign[] = [];
  readonly faults: Fault[] = [];
  #project: ReadProject;

  constructor(file: string) {
    this.#project = { file, name: "default", maps: [] };
  }

  take(directive: Directive): void {
    const [word = "", ...rest] = directive.words;
    const at = { file: directive.file, line: directive.line };
    if (word === "set") this.#set(at, rest);
    else if (word === "softmap" || word === "hardmap") this.#map(word, directive, rest);
    else if (word === "foreignmap") this.#foreign(at, rest);
    else this.#unknown(at, word);
  }

  #set(at: Given | { file: string; line: number }, [name, ...words]: readonly string[]): void {
    if (name === undefined) {
      this.faults.push({ ...at, what: "set", why: "There is no name behind it.", next: "Write set NAME VALUE." });
    } else if (name.toLowerCase() !== "project") {
      this.settings.push({ file: at.file, line: at.line, name: name.toLowerCase(), words });
    } else if (words.length === 0) {
      const next = "Write set project NAME, or remove the line.";
      this.faults.push({ ...at, what: "set project", why: "There is no name behind it.", next });
    } else {
      const project = words.join(" ");
      this.#project = this.projects.get(project) ?? { file: at.file, line: at.line, name: project, maps: [] };
      this.projects.set(project, this.#project);
    }
  }

  #map(kind: SiteMap["kind"], directive: Directive, [given, domain, ...subdomains]: readonly string[]): void {
    const at = { file: directive.file, line: directive.line };
    const what = `${kind}${domain === undefined ? "" : ` ${shown(domain)}`}`;
    if (given === undefined || domain === undefined) {
      const why = "A map is an onion address and a domain.";
      this.faults.push({ ...at, what, why, next: `Write ${kind} ADDRESS DOMAIN, or remove the line.` });
      return;
    }
    // What could not be filled is told already.
    const onion = given === newOnion || directive.open ? undefined : this.#onion(at, what, given);
    const name = this.#domain(at, what, domain);
    if (onion === null || name === undefined) return;
    this.projects.set(this.#project.name, this.#project);
    const mended = subdomains.map((subdomain) => subdomainOf(subdomain.toLowerCase(), name));
    this.#project.maps.push({ ...at, kind, onion, domain: name, subdomains: [...new Set(mended)] });
  }

  #foreign(at: { file: string; line: number }, [given, domain]: readonly string[]): void {
    const what = `foreignmap${domain === undefined ? "" : ` ${shown(domain)}`}`;
    if (given === undefined || domain === undefined) {
      const next = "Write foreignmap ADDRESS DOMAIN, or remove the line.";
      this.faults.push({ ...at, what, why: "A foreign map is an onion address and a domain.", next });
      return;
    }
    const onion = this.#onion(at, what, given);
    const name = this.#domain(at, what, domain);
    if (onion !== null && name !== undefined) this.foreign.push({ ...at, onion, domain: name });
  }

  /** The address that a word names; null and a fault when it names none. */
  #onion(at: { file: string; line: number }, what: string, word: string): string | null {
    const address = addressOf(word);
    const wrong = checkOnionAddress(address);
    if (wrong === undefined) return address;
    const old = /^[a-z2-7]{16}\.onion$/.test(address);
    const next = old
      ? `Write ${newOnion} in a template, or leave the site to get a new address: the old one is of no use.`
      : "Copy the address from the name of its key in the secrets folder.";
    this.faults.push({ ...at, what, why: `Its address is no v3 onion address: ${wrong}.`, next });
    return null;
  }

  #domain(at: { file: string; line: number }, what: string, word: string): string | undefined {
    const domain = word.toLowerCase();
    const fault = domainFault(domain);
    if (fault === undefined) return domain;
    this.faults.push({ ...at, what, why: fault.message, next: fault.next });
    return undefined;
  }

  #unknown(at: { file: string; line: number }, word: string): void {
    const near = nearest(word, ["set", "softmap", "hardmap", "foreignmap"]);
    const next = near === undefined ? "Remove the line, or put a # in front." : `Did you mean ${near}?`;
    const why = "There is no such directive: set, softmap, hardmap and foreignmap are all.";
    // What looks like anything else is not shown: it may be a key in the wrong file.
    this.faults.push({ ...at, what: /^[A-Za-z_-]{1,20}$/.test(word) ? word : "a line", why, next });
  }
}

/** `<name>.onion` of an address as a map may name it: bare, with .onion, or as the path of its key. */
export function addressOf(word: string): string {
  const name = basename(word).replace(/\.(v3sec\.key|v3pub\.key|key|pem|onion)$/, "");
  return `${name}.onion`;
}

const subdomainOf = (word: string, domain: string): string =>
  word.endsWith(`.${domain}`) ? word.slice(0, -domain.length - 1) : word;
