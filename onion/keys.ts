// Onion service keys in tor's own file formats (tor: src/lib/crypt_ops/crypto_ed25519.c, crypto_format.c):
//   hs_ed25519_secret_key  32 bytes "== ed25519v1-secret: type0 ==" and NULs, then the 64-byte EXPANDED secret
//   hs_ed25519_public_key  32 bytes "== ed25519v1-public: type0 ==" and NULs, then the 32-byte public key
//   hostname               the address and a line feed
// The expanded secret is SHA-512(seed), its first half clamped (RFC 8032, 5.1.5). There is no way back to the seed,
// so a public key is computed from the scalar itself and never through an API that wants a seed.
import { createHash } from "node:crypto";
import { Point } from "@noble/ed25519";
import { onionAddress } from "./address";

const secretTag = "== ed25519v1-secret: type0 ==";
const publicTag = "== ed25519v1-public: type0 ==";
const tagLength = 32;

/** One onion service's key: tor's two files as bytes, and the address they serve. */
export interface OnionKeys {
  /** `<56 characters>.onion` */
  readonly address: string;
  /** tor's hs_ed25519_secret_key, 96 bytes. Secret. */
  readonly secretFile: Uint8Array;
  /** tor's hs_ed25519_public_key, 64 bytes. */
  readonly publicFile: Uint8Array;
}

/** SHA-512 of a 32-byte seed, clamped: the 64 bytes that tor keeps (RFC 8032, 5.1.5). */
export function expandSeed(seed: Uint8Array): Uint8Array {
  if (seed.length !== 32) throw new RangeError(`a seed has 32 bytes, not ${seed.length}`);
  const expanded = new Uint8Array(createHash("sha512").update(seed).digest());
  expanded[0] = (expanded[0] ?? 0) & 248;
  expanded[31] = ((expanded[31] ?? 0) & 63) | 64;
  return expanded;
}

/**
 * The 32-byte public key of an expanded secret: scalar times base point.
 * Throws a plain Error, without the key, when the secret is not 64 bytes or its scalar is not clamped.
 */
export function publicKeyOfExpanded(expanded: Uint8Array): Uint8Array {
  if (expanded.length !== 64) throw new Error(`the secret part has ${expanded.length} bytes, tor's has 64`);
  const low = expanded[0] ?? 0;
  const high = expanded[31] ?? 0;
  if ((low & 7) !== 0 || (high & 192) !== 64) {
    throw new Error("it is not an ed25519 secret as tor writes it: its scalar is not clamped");
  }
  let scalar = 0n;
  for (let at = 31; at >= 0; at--) scalar = (scalar << 8n) | BigInt(expanded[at] ?? 0);
  // multiply() wants less than the group's order; the base point has exactly that order.
  const reduced = scalar % Point.CURVE().n;
  if (reduced === 0n) throw new Error("it is not an ed25519 secret: its scalar is zero");
  return new Uint8Array(Point.BASE.multiply(reduced).toBytes());
}

/** Keys in tor's formats from an expanded secret. Throws as {@link publicKeyOfExpanded} does. */
export function keysOfExpanded(expanded: Uint8Array): OnionKeys {
  const publicKey = publicKeyOfExpanded(expanded);
  return {
    address: onionAddress(publicKey),
    secretFile: tagged(secretTag, expanded),
    publicFile: tagged(publicTag, publicKey),
  };
}

/**
 * Keys from 32 random bytes; the same seed always gives the same keys.
 * @example const keys = keysOfSeed(randomBytes(32)); // keys.address is "<56 characters>.onion"
 */
export function keysOfSeed(seed: Uint8Array): OnionKeys {
  return keysOfExpanded(expandSeed(seed));
}

/** Reads tor's hs_ed25519_secret_key (96 bytes). Throws a plain Error, without the key, when it is something else. */
export function parseSecretFile(bytes: Uint8Array): OnionKeys {
  if (hasTag(bytes, publicTag))
    throw new Error("it is a public key file: give hs_ed25519_secret_key, which is beside it");
  if (bytes.length !== 96) throw new Error(`it has ${bytes.length} bytes, tor's hs_ed25519_secret_key has 96`);
  if (!hasTag(bytes, secretTag))
    throw new Error(`it does not begin with "${secretTag}" as tor's hs_ed25519_secret_key does`);
  return keysOfExpanded(bytes.subarray(tagLength));
}

/** Reads tor's hs_ed25519_public_key (64 bytes) to the 32-byte public key. Throws a plain Error when it is something else. */
export function parsePublicFile(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 64) throw new Error(`it has ${bytes.length} bytes, tor's hs_ed25519_public_key has 64`);
  if (!hasTag(bytes, publicTag))
    throw new Error(`it does not begin with "${publicTag}" as tor's hs_ed25519_public_key does`);
  return bytes.slice(tagLength);
}

/** What tor keeps in a HiddenServiceDir: file name to bytes. The secret is in it: write it 0600 in a 0700 folder. */
export function writeHiddenServiceDir(
  keys: OnionKeys,
): Record<"hs_ed25519_secret_key" | "hs_ed25519_public_key" | "hostname", Uint8Array> {
  return {
    hs_ed25519_secret_key: keys.secretFile,
    hs_ed25519_public_key: keys.publicFile,
    hostname: new TextEncoder().encode(`${keys.address}\n`),
  };
}

function tagged(tag: string, body: Uint8Array): Uint8Array {
  const file = new Uint8Array(tagLength + body.length);
  file.set(new TextEncoder().encode(tag), 0);
  file.set(body, tagLength);
  return file;
}

function hasTag(bytes: Uint8Array, tag: string): boolean {
  const wanted = tagged(tag, new Uint8Array(0));
  return bytes.length >= tagLength && wanted.every((byte, at) => bytes[at] === byte);
}
