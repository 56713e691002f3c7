// The outside of a backup: a file in the age format (age-encryption.org/v1), that every age program opens.
import { armor, Decrypter, Encrypter } from "age-encryption";

/** What is wrong with a backup, for people: what, and the next step. Nothing secret is in it. */
export class BackupError extends Error {
  constructor(what: string, next: string) {
    super(`${what}\n  Next: ${next}`);
    this.name = "BackupError";
  }
}

/** For whom a file is sealed: whoever knows the passphrase, or has the key of one of the recipients. */
export type Lock = { readonly passphrase: string } | { readonly recipients: readonly string[] };

/** What opens a file: a passphrase, or age identities (`AGE-SECRET-KEY-1...`). */
export type Key = { readonly passphrase: string } | { readonly identities: readonly string[] };

/**
 * Whether a text is an age recipient that we can seal for. An ssh key, which age's own program takes too, is none.
 * @example "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
 */
export function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Seals bytes.
 * @param workFactor of a passphrase, log2 of scrypt's N. @default age's own: 18, about a second
 */
export async function seal(plain: Uint8Array, lock: Lock, workFactor?: number): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  if ("passphrase" in lock) encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  if (workFactor !== undefined) encrypter.setScryptWorkFactor(workFactor);
  return encrypter.encrypt(plain);
}

const magic = "age-encryption.org/v1\n";
const armored = "-----BEGIN AGE ENCRYPTED FILE-----";

/**
 * What opens a file: `passphrase` or `identity`.
 * @throws {BackupError} when it is no age file, or only the beginning of one
 */
export function lockOf(name: string, sealed: Uint8Array): "passphrase" | "identity" {
  const start = textOf(binary(name, sealed), 1 << 20);
  if (!start.startsWith(magic)) throw magic.startsWith(start) ? damaged(name) : noAgeFile(name);
  const end = start.indexOf("\n--- "); // the last line of the head
  if (end < 0) throw damaged(name);
  return /^-> scrypt /m.test(start.slice(0, end)) ? "passphrase" : "identity";
}

/** Opens a sealed file. @throws {BackupError}, each of its own: no age file, another key's, cut off or changed */
export async function unseal(name: string, sealed: Uint8Array, key: Key): Promise<Uint8Array> {
  const lock = lockOf(name, sealed);
  const decrypter = new Decrypter();
  if ("passphrase" in key) {
    if (lock !== "passphrase")
      throw new BackupError(
        `${name} has no passphrase: it is sealed for recipients.`,
        "give the file with an age identity, --identity FILE.",
      );
    decrypter.addPassphrase(key.passphrase);
  } else {
    if (lock === "passphrase")
      throw new BackupError(`${name} is sealed with a passphrase, not for a recipient.`, "leave --identity out.");
    for (const identity of key.identities) decrypter.addIdentity(identity);
  }
  try {
    return await decrypter.decrypt(binary(name, sealed));
  } catch (error) {
    if (!/no identity matched/.test(String(error))) throw damaged(name);
    if (lock === "passphrase")
      throw new BackupError(`The passphrase is not that of ${name}.`, "try again; age knows no way without it.");
    throw new BackupError(
      `${name} is sealed for others: none of these identities opens it.`,
      "give the identity of one of its recipients.",
    );
  }
}

/** The identities in a file as age-keygen writes it. @throws {BackupError} when there is none, or one that age does not know */
export function identitiesIn(name: string, text: string): string[] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const known = lines.filter((line) => {
    try {
      new Decrypter().addIdentity(line);
      return true;
    } catch {
      return false;
    }
  });
  if (known.length > 0 && known.length === lines.length) return known;
  throw new BackupError(
    `${name} is no file of age identities.`,
    "give one as age-keygen writes it: lines AGE-SECRET-KEY-1...",
  );
}

/** The file without the armor that `age -a` puts around it. */
function binary(name: string, sealed: Uint8Array): Uint8Array {
  if (sealed.length === 0) throw new BackupError(`${name} is empty.`, "take another backup.");
  if (!textOf(sealed, armored.length).startsWith(armored)) return sealed;
  try {
    return armor.decode(textOf(sealed, sealed.length));
  } catch {
    throw damaged(name);
  }
}

const textOf = (bytes: Uint8Array, most: number): string => Buffer.from(bytes.subarray(0, most)).toString("latin1");

const noAgeFile = (name: string): BackupError =>
  new BackupError(`${name} is no backup: it is not in the age format.`, "name the file that softmap backup wrote.");

const damaged = (name: string): BackupError =>
  new BackupError(
    `${name} is cut off or was changed: it cannot be opened.`,
    "take another copy or another backup; `Pulumi.NAME.backup.json` has the SHA-256 of each whole one.",
  );
