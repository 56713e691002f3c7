// The two ways by which a stack's config comes in: Pulumi's own map of texts, and the YAML of Pulumi.NAME.yaml.
import { looksLikeKey } from "../onion/adopt";
import { isRecord } from "./place";

/** A stack's config as {@link parseStackConfig} takes it: the plain keys, and of the secret ones only what they name. */
export interface StackConfigInput {
  raw: Record<string, unknown>;
  /** Domains that siteKeys names; undefined when it is encrypted as a whole and only Pulumi can tell. */
  siteKeyDomains: string[] | undefined;
  /** Domains whose key stands there in plain text, for everybody who reads the file. */
  plainSiteKeys: string[];
}

const namespace = "softmap:";

/**
 * From Pulumi's `runtime.allConfig()`: texts, JSON where a value is a list or an object. Keys of other namespaces are left out.
 * The values of siteKeys are not passed on. By then they are decrypted: `siteKeysEncrypted` says whether any was a secret.
 */
export function inputFromPulumi(
  all: Readonly<Record<string, string>>,
  { siteKeysEncrypted }: { readonly siteKeysEncrypted: boolean },
): StackConfigInput {
  const read = (text: unknown) => (/^\s*[[{]/.test(String(text)) ? fromJson(String(text)) : scalar(text));
  const given = input(Object.entries(all), read);
  return siteKeysEncrypted ? { ...given, plainSiteKeys: [] } : given;
}

/** From the `config:` block of a stack's file, parsed as YAML. A siteKeys that is `{ secure: ... }` as a whole names no domains. */
export function inputFromStackFile(config: Readonly<Record<string, unknown>>): StackConfigInput {
  return input(Object.entries(config), scalar);
}

function input(entries: readonly (readonly [string, unknown])[], read: (value: unknown) => unknown): StackConfigInput {
  const raw: Record<string, unknown> = {};
  let siteKeyDomains: string[] | undefined = [];
  let plainSiteKeys: string[] = [];
  for (const [key, given] of entries) {
    if (!key.startsWith(namespace)) continue;
    const name = key.slice(namespace.length);
    const value = read(given);
    if (name === "siteKeys" && isRecord(value)) {
      siteKeyDomains = domainsOf(value);
      plainSiteKeys = plainIn(value);
    }
    // What else siteKeys may be is wrong, and could be a key: it is passed on as wrong, without its value.
    else if (name === "siteKeys") raw[name] = null;
    else Object.defineProperty(raw, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return { raw, siteKeyDomains, plainSiteKeys };
}

function domainsOf(keys: Record<string, unknown>): string[] | undefined {
  const names = Object.keys(keys);
  // Pulumi writes an encrypted value as { secure: <ciphertext> }; no domain is called "secure", it has no dot.
  return names.length === 1 && names[0] === "secure" ? undefined : names;
}

/** Domains of what is a key itself: neither encrypted nor the path of a file. */
function plainIn(keys: Record<string, unknown>): string[] {
  return Object.entries(keys).flatMap(([domain, key]) => (typeof key === "string" && looksLikeKey(key) ? domain : []));
}

// `pulumi config set softmap:workers 3` writes the text "3".
function scalar(value: unknown): unknown {
  if (value === "true" || value === "false") return value === "true";
  return typeof value === "string" && /^-?[0-9]{1,9}$/.test(value) ? Number(value) : value;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
