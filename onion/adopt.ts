// A key that the operator already has, in whatever form they have it, to tor's format. Everything is kept in tor's
// format: Onionbalance treats a PEM key as a seed and tor's as expanded, and mixing both in one Onionbalance breaks
// the PEM ones. No message here ever repeats what was given: it may be a key with one wrong character.
import { createPrivateKey } from "node:crypto";
import { expandSeed, keysOfExpanded, parseSecretFile, type OnionKeys } from "./keys";

/** An adopted key and the form it was given in; `converted` says that tor's file is new and should be the one to keep. */
export interface AdoptedKey {
  readonly keys: OnionKeys;
  readonly form: "tor file" | "expanded secret" | "PEM";
  readonly converted: boolean;
}

const forms = "give tor's hs_ed25519_secret_key (96 bytes, or their base64), or an ed25519 private key in PEM (PKCS#8)";

/**
 * Adopts a key given as bytes (the contents of a file) or as text: base64 of tor's hs_ed25519_secret_key, the
 * "ED25519-V3:..." of tor's control port (base64 of the 64-byte expanded secret), or PEM.
 * Throws a plain Error that says what is wrong and what to give, never the key.
 */
export function adoptKey(given: Uint8Array | string): AdoptedKey {
  if (typeof given === "string") return adoptText(given);
  if (given.length === 96) return { keys: parseSecretFile(given), form: "tor file", converted: false };
  const text = asText(given);
  if (text !== undefined) return adoptText(text);
  if (given.length === 64) {
    // Either half a tor file or the bare expanded secret: the tag decides, and a public key file is named as such.
    if (Buffer.from(given.subarray(0, 2)).toString("latin1") === "==") parseSecretFile(given);
    return { keys: keysOfExpanded(given), form: "expanded secret", converted: true };
  }
  throw new Error(`it has ${given.length} bytes, which no key file has: ${forms}`);
}

/**
 * Whether a text is a key rather than the name of a file that holds one. Names are short or have a character
 * that base64 has not; anything that could be a key counts as one, so that a key is never taken for a name.
 */
export function looksLikeKey(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed.startsWith("-----BEGIN") || trimmed.startsWith("ED25519-V3:")) return true;
  return trimmed.replaceAll(/\s/g, "").length >= 80 && /^[A-Za-z0-9+/=\s]+$/.test(trimmed);
}

function adoptText(text: string): AdoptedKey {
  const trimmed = text.trim();
  if (trimmed.startsWith("-----BEGIN")) return adoptPem(trimmed);
  const body = trimmed.replace(/^ED25519-V3:/, "").replaceAll(/\s/g, "");
  if (body === "") throw new Error(`it is empty: ${forms}`);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw new Error(`it is neither base64 nor PEM: ${forms}`);
  const bytes = new Uint8Array(Buffer.from(body, "base64"));
  if (bytes.length === 96) return { keys: parseSecretFile(bytes), form: "tor file", converted: false };
  if (bytes.length !== 64) {
    if (bytes.length === 32) throw new Error(`it is base64 of 32 bytes, a bare seed or a public key: ${forms}`);
    throw new Error(`it is base64 of ${bytes.length} bytes, tor's hs_ed25519_secret_key has 96: ${forms}`);
  }
  if (Buffer.from(bytes.subarray(0, 2)).toString("latin1") === "==") parseSecretFile(bytes);
  return { keys: keysOfExpanded(bytes), form: "expanded secret", converted: true };
}

function adoptPem(pem: string): AdoptedKey {
  if (pem.startsWith("-----BEGIN ENCRYPTED"))
    throw new Error("it is an encrypted PEM: decrypt it first (openssl pkey)");
  if (/^-----BEGIN [A-Z0-9 ]*PUBLIC KEY/.test(pem)) throw new Error("it is a public key in PEM: give the private key");
  let seed: string | undefined;
  let kind: string | undefined;
  try {
    const key = createPrivateKey({ key: pem, format: "pem" });
    kind = key.asymmetricKeyType;
    if (kind === "ed25519") seed = key.export({ format: "jwk" }).d;
  } catch {
    // OpenSSL's own message is dropped: it says nothing that a person can use.
    throw new Error(`it is not a private key in PEM that can be read: ${forms}`);
  }
  if (seed === undefined)
    throw new Error(`it is a private key of kind ${kind ?? "unknown"}, an onion's is ed25519: ${forms}`);
  return { keys: keysOfExpanded(expandSeed(Buffer.from(seed, "base64url"))), form: "PEM", converted: true };
}

// The text of a file that holds text (base64 or PEM in a file); undefined when its bytes are no printable ASCII.
function asText(bytes: Uint8Array): string | undefined {
  if (!bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127))) return undefined;
  return Buffer.from(bytes).toString("latin1");
}
