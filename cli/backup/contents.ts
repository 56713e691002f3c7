/**
 * The inside of a backup: a tar archive of plain files, so that whoever has nothing but `age` and `tar` gets at the keys.
 *
 *     manifest.json         what this is, and the SHA-256 of each other file
 *     state.json            the stack's state as `pulumi stack export --show-secrets` prints it
 *     config.yaml           the stack's config file, its secrets in clear
 *     config.secrets.json   where in it the secrets are
 *     sites/ADDRESS/        tor's own files of each site: hs_ed25519_secret_key, hs_ed25519_public_key, hostname
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { isRecord } from "../../config/place";
import { parseSecretFile } from "../../onion/keys";
import { type ClearConfig, filesNamed } from "./configText";
import type { CoveredSite } from "./note";
import { BackupError } from "./seal";
import { addressesIn, deploymentOf, filesOf, keysIn, resourcesOf } from "./stateKeys";
import { type Files, packTar, unpackTar } from "./tar";

/** What a backup is of. */
export interface Manifest {
  readonly format: typeof format;
  /** Of this form of backups: an older softmap refuses a newer one. */
  readonly version: number;
  /** When it was made, ISO 8601, UTC. */
  readonly made: string;
  readonly stack: { readonly full: string; readonly short: string; readonly project: string };
  readonly versions: { readonly softmap: string; readonly pulumi: string; readonly node: string };
  readonly sites: readonly CoveredSite[];
  /** How many keys of backends are in the state. */
  readonly backends: number;
  /** How many resources are. */
  readonly resources: number;
  /** Files that the config names: keys to log in with, certificates. They are not inside. */
  readonly outside: readonly string[];
  /** Every other file of the archive. */
  readonly parts: Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
}

/** All that a backup holds. */
export interface Backup {
  readonly manifest: Manifest;
  /** In clear. */
  readonly state: string;
  /** Undefined for a stack without a config file. */
  readonly config: ClearConfig | undefined;
}

const format = "softmap backup";
const version = 1;

/** What is put in. */
export interface Contents {
  readonly state: string;
  readonly config: ClearConfig | undefined;
  readonly stack: Manifest["stack"];
  readonly versions: Manifest["versions"];
  readonly made: Date;
}

/** SHA-256 as hex. */
export const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/**
 * The archive of a stack, not sealed yet, and what its manifest says.
 * @throws {BackupError} when the state has no site's key, or not that of a site of its outputs
 */
export function packBackup({ state, config, stack, versions, made }: Contents): {
  readonly manifest: Manifest;
  readonly archive: Uint8Array;
} {
  const keys = keysIn(state);
  const sites = keys.filter(({ kind }) => kind === "site");
  if (sites.length === 0)
    throw new BackupError(
      `Stack ${stack.short} has no site's key: there is nothing to keep.`,
      "run `pulumi up` first.",
    );
  const lost = addressesIn(state).filter(({ address }) => !sites.some((site) => site.address === address));
  if (lost.length > 0)
    throw new BackupError(
      `The state has no key of ${lost.map(({ domain, address }) => `${domain} (${address})`).join(", ")}.`,
      "run `pulumi up` to its end, then the backup again.",
    );
  const parts = new Map<string, Uint8Array>([["state.json", Buffer.from(state)]]);
  if (config !== undefined) {
    parts.set("config.yaml", Buffer.from(config.text));
    parts.set("config.secrets.json", Buffer.from(JSON.stringify(config.secrets)));
  }
  for (const site of sites)
    for (const [name, bytes] of filesOf(site)) parts.set(`sites/${site.address}/${name}`, bytes);
  const manifest: Manifest = {
    format,
    version,
    made: made.toISOString(),
    stack,
    versions,
    sites: sites.map(({ name, address }) => ({ domain: name, address })),
    backends: keys.length - sites.length,
    resources: resourcesOf(state).length,
    outside: config === undefined ? [] : filesNamed(config),
    parts: Object.fromEntries(
      [...parts].map(([path, bytes]) => [path, { sha256: sha256(bytes), bytes: bytes.length }]),
    ),
  };
  const first = ["manifest.json", Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)] as const;
  return { manifest, archive: packTar(new Map([first, ...parts]), made.getTime() / 1000) };
}

/**
 * Reads an archive and proves it: each part has its hash, each site its key, in tor's form and in the state.
 * @param name of the file, for messages
 * @throws {BackupError}
 */
export function readBackup(name: string, archive: Uint8Array): Backup {
  let files: Files;
  try {
    files = unpackTar(archive);
  } catch (error) {
    throw new BackupError(`${name} holds no backup: ${(error as Error).message}.`, wanted);
  }
  const manifest = manifestOf(name, textOf(files, "manifest.json"));
  for (const [path, { sha256: hash }] of Object.entries(manifest.parts)) {
    const bytes = files.get(path);
    if (bytes === undefined) throw new BackupError(`${name}: its part ${path} is missing.`, another);
    if (sha256(bytes) !== hash)
      throw new BackupError(`${name}: its part ${path} is not what its manifest says (SHA-256).`, another);
  }
  const strange = [...files.keys()].find((path) => path !== "manifest.json" && !(path in manifest.parts));
  if (strange !== undefined) throw new BackupError(`${name}: its manifest does not know its part ${strange}.`, another);
  const state = textOf(files, "state.json") ?? "";
  deploymentOf(state);
  const keys = keysIn(state);
  for (const { domain, address } of manifest.sites) {
    const file = files.get(`sites/${address}/hs_ed25519_secret_key`);
    const kept = keys.find((key) => key.address === address);
    if (file === undefined || addressOf(file) !== address || !kept || !Buffer.from(kept.keys.secretFile).equals(file))
      throw new BackupError(`${name}: the key of ${domain} (${address}) is not in it, or is another one.`, another);
  }
  const config = textOf(files, "config.yaml");
  if (config === undefined) return { manifest, state, config };
  const { data: secrets } = secretsShape.safeParse(json(textOf(files, "config.secrets.json")));
  if (secrets === undefined) throw new BackupError(`${name}: its part config.secrets.json cannot be read.`, another);
  return { manifest, state, config: { text: config, secrets } };
}

const wanted = "name the file that softmap backup wrote.";
const another = "take another backup: this one was not made whole.";

function manifestOf(name: string, text: string | undefined): Manifest {
  const manifest = json(text);
  if (!isRecord(manifest) || manifest["format"] !== format || typeof manifest["version"] !== "number")
    throw new BackupError(`${name} holds no backup of a softmap stack.`, wanted);
  if (manifest["version"] > version)
    throw new BackupError(
      `${name} was made by a newer softmap: it has form ${manifest["version"]}, and this one knows ${version}.`,
      "restore it with the version that made it, or a newer one.",
    );
  const { success } = manifestShape.safeParse(manifest);
  if (!success) throw new BackupError(`${name}: its manifest is not of the form that it names.`, another);
  return manifest as unknown as Manifest;
}

// Whoever has a recipient can seal for it: what is read is looked at.
const text = z.string();
const manifestShape = z.object({
  made: text,
  stack: z.object({ full: text, short: text, project: text }),
  versions: z.object({ softmap: text, pulumi: text, node: text }),
  sites: z.array(z.object({ domain: text, address: text })),
  backends: z.number(),
  resources: z.number(),
  outside: z.array(text),
  parts: z.record(text, z.object({ sha256: text, bytes: z.number() })),
});
const secretsShape = z.array(z.array(z.union([text, z.number()])).min(1));

function addressOf(file: Uint8Array): string | undefined {
  try {
    return parseSecretFile(file).address;
  } catch {
    return undefined;
  }
}

function textOf(files: Files, path: string): string | undefined {
  const bytes = files.get(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

/** JSON.parse quotes the text in its errors. */
function json(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
