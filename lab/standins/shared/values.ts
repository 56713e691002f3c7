/**
 * Property values as the engine sends them: secrets, assets and unknowns travel as marked objects and strings
 * (pulumi sdk/proto/go: the signature key below and one value a kind).
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const signature = "4dabf18193072939515e22adb298388d";
const secretKind = "1b47061264138c4ac30d75fd1eb44270";
const assetKind = "c44067f5952c0a294b673a41bacd8c17";
const archiveKind = "0def7320c3a5731c473e5ecbe6d01bc7";

/** The sentinel for a text that is not known yet. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The sentinels for "not known yet", one for each type of property. */
const unknowns = new Set<unknown>([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  unknown,
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Properties by name, as they come off the wire. */
export type Properties = Record<string, unknown>;

/** What CopyToRemote copies: a path of this machine, or text. */
export interface Source {
  kind: "asset" | "archive";
  path?: string;
  text?: string;
  hash?: string;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSecret(value: unknown): value is Properties {
  return isObject(value) && value[signature] === secretKind;
}

/** Marks a value secret, once. */
export function secret(value: unknown): unknown {
  return isSecret(value) ? value : { [signature]: secretKind, value };
}

/** Whether the value is not known yet (a preview). */
export function isUnknown(value: unknown): boolean {
  return unknowns.has(isSecret(value) ? value["value"] : value);
}

/** Whether the value, or something in it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (isUnknown(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(hasUnknown);
}

/** The value with the secret marks taken off at every depth; assets and unknowns stay as they are. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (isSecret(value)) return plain(value["value"]);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** The source of a copy, or undefined when it is not an asset or archive (an unknown, for instance). */
export function source(value: unknown): Source | undefined {
  const object = plain(value);
  if (!isObject(object)) return undefined;
  const kind = object[signature] === assetKind ? "asset" : object[signature] === archiveKind ? "archive" : undefined;
  if (kind === undefined) return undefined;
  const found: Source = { kind };
  for (const key of ["path", "text", "hash"] as const) {
    const item = object[key];
    // The engine writes every field; the empty ones mean "not this kind of asset".
    if (typeof item === "string" && item !== "") found[key] = item;
  }
  if (kind === "asset" && found.path === undefined) found.text ??= "";
  return found;
}

/** The content's hash: the engine's, or our own where it sent none. */
export function sourceHash(from: Source): string {
  if (from.hash !== undefined) return from.hash;
  if (from.text !== undefined) return createHash("sha256").update(from.text).digest("hex");
  const path = from.path ?? "";
  return createHash("sha256")
    .update(statSync(path).isDirectory() ? path : readFileSync(path))
    .digest("hex");
}

/** Equal but for secret marks; assets are compared by content, not by where they lie. */
export function same(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(comparable(left), comparable(right));
}

function comparable(value: unknown): unknown {
  if (isSecret(value)) return comparable(value["value"]);
  if (Array.isArray(value)) return value.map(comparable);
  if (!isObject(value)) return value;
  const asset = source(value);
  if (asset?.hash !== undefined) return `${asset.kind} ${asset.hash}`;
  const known = Object.entries(value).filter(([, item]) => item !== undefined && item !== null);
  return Object.fromEntries(known.map(([key, item]) => [key, comparable(item)]));
}
