// v3 onion addresses, rend-spec-v3 [ONIONADDRESS]:
//   address  = base32(PUBKEY | CHECKSUM | VERSION) + ".onion"
//   CHECKSUM = the first two bytes of SHA3-256(".onion checksum" | PUBKEY | VERSION), VERSION = 3
import { createHash } from "node:crypto";
import { decodeBase32, encodeBase32 } from "./base32";

const version = 3;
const suffix = ".onion";

function checksum(publicKey: Uint8Array): Uint8Array {
  const hash = createHash("sha3-256").update(".onion checksum").update(publicKey).update(Uint8Array.of(version));
  return new Uint8Array(hash.digest()).subarray(0, 2);
}

/**
 * The address of a 32-byte ed25519 public key: 56 characters and ".onion".
 * Throws RangeError when the key is not 32 bytes.
 */
export function onionAddress(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError(`an onion's public key has 32 bytes, not ${publicKey.length}`);
  const bytes = new Uint8Array(35);
  bytes.set(publicKey, 0);
  bytes.set(checksum(publicKey), 32);
  bytes[34] = version;
  return encodeBase32(bytes) + suffix;
}

/**
 * What is wrong with a text that should be a v3 address ("<56 characters>.onion", lower case), as one plain
 * sentence without the text itself; undefined when nothing is.
 * @example checkOnionAddress("example.onion") // "it has 7 characters before .onion, a v3 address has 56"
 */
export function checkOnionAddress(text: string): string | undefined {
  if (!text.endsWith(suffix)) return 'it does not end in ".onion"';
  const name = text.slice(0, -suffix.length);
  if (name.includes(".")) return "it has a subdomain: give the 56 characters and .onion alone";
  if (name.length === 16) return "it is a v2 address (16 characters): Tor no longer has those, a v3 address has 56";
  if (name.length !== 56) return `it has ${name.length} characters before .onion, a v3 address has 56`;
  if (/[A-Z]/.test(name)) return "it has capital letters: write it in lower case";
  const bytes = decodeBase32(name);
  if (!bytes) return "it has a character that no address has: they are a-z and 2-7";
  if (bytes[34] !== version) return `its version is ${bytes[34]}, not 3: the last character of a v3 address is "d"`;
  const sum = checksum(bytes.subarray(0, 32));
  if (sum[0] !== bytes[32] || sum[1] !== bytes[33]) return "its checksum does not match: a character is wrong";
  return undefined;
}

/** The 32-byte public key inside an address. Throws Error naming the address and the fault when it is not a v3 address. */
export function publicKeyOfAddress(address: string): Uint8Array {
  const problem = checkOnionAddress(address);
  const bytes = problem === undefined ? decodeBase32(address.slice(0, -suffix.length)) : undefined;
  if (!bytes) throw new Error(`"${address}" is not a v3 onion address: ${problem ?? "it is not base32"}`);
  return bytes.slice(0, 32);
}
