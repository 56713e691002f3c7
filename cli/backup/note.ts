/**
 * What backups there are, as `Pulumi.NAME.backup.json` beside the stack's config says it: nothing secret, so that it can be kept and shared with the
 * config, and whoever looks after the stack is warned of a site whose key is in no backup.
 */
import { isRecord } from "../../config/place";

/** A site in a backup. */
export interface CoveredSite {
  readonly domain: string;
  /** With `.onion`. */
  readonly address: string;
}

/** One backup that was made. */
export interface NotedBackup {
  /** ISO 8601, UTC. */
  readonly made: string;
  /** The name of the file, without its folder. */
  readonly file: string;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly sites: readonly CoveredSite[];
}

/** All backups of a stack, the newest first. */
export interface BackupNote {
  readonly version: 1;
  readonly backups: readonly NotedBackup[];
}

/** So many backups are noted: older ones are forgotten. */
const most = 20;

/** Where the note of a stack is: beside its config file. @example noteFile("/srv/Pulumi.prod.yaml") // "/srv/Pulumi.prod.backup.json" */
export const noteFile = (configFile: string): string => `${configFile.replace(/\.ya?ml$/, "")}.backup.json`;

/** The note of a file's text. Undefined when there is none, or it is no note. */
export function parseNote(text: string | undefined): BackupNote | undefined {
  if (text === undefined) return undefined;
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(note) || note["version"] !== 1 || !Array.isArray(note["backups"])) return undefined;
  return { version: 1, backups: note["backups"].filter(isBackup) };
}

function isBackup(value: unknown): value is NotedBackup {
  if (!isRecord(value) || !Array.isArray(value["sites"])) return false;
  const named = ["made", "file", "sha256"].every((key) => typeof value[key] === "string");
  return named && value["sites"].every((site) => isRecord(site) && typeof site["address"] === "string");
}

/** The note with one more backup. */
export function noted(note: BackupNote | undefined, backup: NotedBackup): BackupNote {
  return { version: 1, backups: [backup, ...(note?.backups ?? [])].slice(0, most) };
}

/** Sites whose keys are in no backup, and a sentence for people. */
export interface Uncovered {
  readonly sites: readonly { readonly domain: string; readonly address?: string }[];
  /** Empty when every key is in a backup. @example "The keys of www.example.org and 2 more sites are in no backup: run `npx softmap backup`." */
  readonly sentence: string;
}

/**
 * The sites whose keys no noted backup holds. A site without an address, as a config knows it, is covered by its domain.
 * @example uncovered(parseNote(text), stack.sites).sentence
 */
export function uncovered(
  note: BackupNote | undefined,
  sites: readonly { readonly domain: string; readonly address?: string }[],
): Uncovered {
  const kept = (note?.backups ?? []).flatMap((backup) => backup.sites);
  const open = sites.filter(
    (site) =>
      !kept.some(({ domain, address }) =>
        site.address === undefined ? domain === site.domain : address === site.address,
      ),
  );
  return { sites: open, sentence: sentenceOf(open.map(({ domain }) => domain)) };
}

function sentenceOf([first, ...more]: readonly string[]): string {
  if (first === undefined) return "";
  const who =
    more.length === 0
      ? `The key of ${first} is`
      : `The keys of ${first} and ${more.length === 1 ? String(more[0]) : `${more.length} more sites`} are`;
  return `${who} in no backup: run \`npx softmap backup\`.`;
}
