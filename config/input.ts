// The two ways by which a stack's config comes in: Pulumi's own map of texts, and the YAML of Pulumi.NAME.yaml.
import { looksLikeKey } from "../onion/adopt";
import { isRecord } from "./place";
import type { CertificateKeys } from "./rules/certificates";
import { type SecretKey, secretKeys } from "./schema";

/** What is known of one secret: for whom it has keys, never the keys. */
export interface SecretNames {
  /** Domains or projects that it names; undefined when it is encrypted as a whole and only Pulumi can tell. */
  readonly names: readonly string[] | undefined;
  /** Those whose key stands there in plain text, for everybody who reads the file. */
  readonly plain: readonly string[];
}

/** A stack's config as {@link parseStackConfig} takes it: the plain keys, and of the secret ones only what they name. */
export interface StackConfigInput {
  readonly raw: Record<string, unknown>;
  /** Domains that siteKeys names; undefined when it is encrypted as a whole. */
  readonly siteKeyDomains: readonly string[] | undefined;
  /** Domains whose key stands there in plain text. */
  readonly plainSiteKeys: readonly string[];
  /** The same of tlsKeys and upstreamKeys. */
  readonly certificateKeys: Readonly<Record<CertificateKeys, SecretNames>>;
}

const namespace = "softmap:";

/**
 * From Pulumi's `runtime.allConfig()`: texts, JSON where a value is a list or an object. Keys of other namespaces are left out.
 * The values of the secret keys are not passed on. By then they are decrypted: `isSecret` says whether any of one was a secret.
 */
export function inputFromPulumi(
  all: Readonly<Record<string, string>>,
  { isSecret }: { readonly isSecret: (key: SecretKey) => boolean },
): StackConfigInput {
  const read = (text: unknown) => (/^\s*[[{]/.test(String(text)) ? fromJson(String(text)) : scalar(text));
  return input(Object.entries(all), read, isSecret);
}

/** From the `config:` block of a stack's file, parsed as YAML. A secret that is `{ secure: ... }` as a whole names nobody. */
export function inputFromStackFile(config: Readonly<Record<string, unknown>>): StackConfigInput {
  return input(Object.entries(config), scalar);
}

function input(
  entries: readonly (readonly [string, unknown])[],
  read: (value: unknown) => unknown,
  isSecret: (key: SecretKey) => boolean = () => false,
): StackConfigInput {
  const raw: Record<string, unknown> = {};
  const none: SecretNames = { names: [], plain: [] };
  const secrets: Record<SecretKey, SecretNames> = { siteKeys: none, tlsKeys: none, upstreamKeys: none };
  for (const [key, given] of entries) {
    if (!key.startsWith(namespace)) continue;
    const name = key.slice(namespace.length);
    const value = read(given);
    if (!isSecretKey(name)) {
      Object.defineProperty(raw, name, { value, enumerable: true, configurable: true, writable: true });
    } else if (isRecord(value)) {
      secrets[name] = { names: namesOf(value), plain: isSecret(name) ? [] : plainIn(value) };
    } else {
      // What else a secret may be is wrong, and could be a key: it is passed on as wrong, without its value.
      raw[name] = null;
    }
  }
  const { siteKeys, ...certificateKeys } = secrets;
  return { raw, siteKeyDomains: siteKeys.names, plainSiteKeys: siteKeys.plain, certificateKeys };
}

const isSecretKey = (name: string): name is SecretKey => (secretKeys as string[]).includes(name);

function namesOf(keys: Record<string, unknown>): string[] | undefined {
  const names = Object.keys(keys);
  // Pulumi writes an encrypted value as { secure: <ciphertext> }.
  return names.length === 1 && names[0] === "secure" ? undefined : names;
}

/** Names of what is a key itself: neither encrypted nor the path of a file. */
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
