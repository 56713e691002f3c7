// Keys of sites in an installation: where they are, and whether they fit their address. No key is in any message.
import { basename, dirname, join } from "node:path";
import { adoptKey } from "../../onion/adopt";
import { type OnionKeys, parsePublicFile } from "../../onion/keys";
import { publicKeyOfAddress } from "../../onion/address";
import type { Fault } from "./entry";
import { firstThere, shortName } from "./install";
import { isFault, largest, quoted, readBytes } from "./source";

/** A secret of the stack's config that is to be set, and by which key. */
export interface Secret {
  readonly key: "siteKeys" | "tlsKeys";
  /** The domain or project that it is of. */
  readonly name: string;
  /** The site's address, where it is its key. */
  readonly address?: string;
  /** The file that it is in. */
  readonly file: string;
  /** The command that reads the file and sets it, for people. */
  readonly command: string;
  /** The secret itself. A function, so that nothing prints it by accident. */
  readonly value: () => string;
}

/** Path of a secret in the config, as `pulumi config set --path` takes it. */
export const configPath = (key: Secret["key"], name: string): string => `softmap:${key}["${name}"]`;

/** The end of a command that sets a secret from stdin. */
export function setCommand(key: Secret["key"], name: string, stack?: string): string {
  const of = stack === undefined ? "" : ` --stack ${quoted(stack)}`;
  return `npx pulumi config set --secret --path '${configPath(key, name)}'${of}`;
}

/** A site's key as a secret. */
export function siteSecret(domain: string, keys: OnionKeys, file: string, stack?: string): Secret {
  return {
    key: "siteKeys",
    name: domain,
    address: keys.address,
    file,
    command: `base64 < ${quoted(file)} | ${setCommand("siteKeys", domain, stack)}`,
    value: () => Buffer.from(keys.secretFile).toString("base64"),
  };
}

/** Where the key of an address may be: in the secrets folder, or with tor in the project's. */
export function findKey(home: string, folder: string | undefined, onion: string): string | undefined {
  const name = onion.slice(0, 56);
  const secret = "hs_ed25519_secret_key";
  const inSecrets = ["secrets", "secrets.d"].flatMap((each) => [
    join(home, each, `${name}.v3sec.key`),
    join(home, each, onion, secret),
  ]);
  const short = shortName(onion);
  const inProject =
    folder === undefined ? [] : [`${short}.d`, short, `${onion}.d`, onion].map((each) => join(folder, each, secret));
  return firstThere([...inSecrets, ...inProject]);
}

/** Reads a key file and holds it against its address and the public key beside it. */
export function readKey(file: string, onion: string | undefined): OnionKeys | Fault {
  const what = "key";
  const bytes = readBytes(file, largest.key);
  if (isFault(bytes)) return { ...bytes, what };
  let keys: OnionKeys;
  try {
    keys = adoptKey(bytes).keys;
  } catch (error) {
    const why = `This is no key of an onion service: ${(error as Error).message}.`;
    return { file, what, why, next: "Take the key from a backup, or from the secrets folder of the installation." };
  }
  if (onion !== undefined && keys.address !== onion) {
    const why = `The key is of ${keys.address}, not of ${onion}.`;
    return { file, what, why, next: "Put the right key there, or correct the address of the map." };
  }
  return publicFault(file, keys) ?? keys;
}

function publicFault(file: string, keys: OnionKeys): Fault | undefined {
  const beside = basename(file).endsWith(".v3sec.key")
    ? file.replace(/\.v3sec\.key$/, ".v3pub.key")
    : join(dirname(file), "hs_ed25519_public_key");
  if (firstThere([beside]) === undefined) return undefined;
  const bytes = readBytes(beside, largest.key);
  const next = "Remove it: it is made of the secret key again.";
  if (isFault(bytes)) return { ...bytes, what: "public key", next };
  try {
    if (Buffer.from(publicKeyOfAddress(keys.address)).equals(parsePublicFile(bytes))) return undefined;
  } catch (error) {
    return { file: beside, what: "public key", why: `This is no public key: ${(error as Error).message}.`, next };
  }
  return { file: beside, what: "public key", why: "It is not that of the secret key beside it.", next };
}
