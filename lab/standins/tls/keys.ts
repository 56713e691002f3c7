/** Private keys: made, written in the real plugin's forms, and read from PEM. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { openssh } from "./openssh";

const generate = promisify(generateKeyPair);

/** Curves by the plugin's names; P224 is the real plugin's default, and nothing here can sign with it. */
export const curves: Readonly<Record<string, string>> = { P256: "P-256", P384: "P-384", P521: "P-521" };

/** Names of algorithms by Node's. */
const algorithms: Readonly<Record<string, string>> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };

/** The inputs of PrivateKey, with their defaults. */
export interface KeyInputs {
  algorithm: string;
  ecdsaCurve: string;
  rsaBits: number;
}

/** Makes a key, as the outputs hold it. */
export async function newKey({ algorithm, ecdsaCurve, rsaBits }: KeyInputs) {
  const privateKey = await newKeyObject(algorithm, curves[ecdsaCurve] ?? ecdsaCurve, rsaBits);
  const publicKey = createPublicKey(privateKey);
  const pkcs8 = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    id: createHash("sha1")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
    pem: traditional(privateKey) ?? pkcs8,
    pkcs8,
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    openssh: algorithm === "ED25519" ? openssh(privateKey) : undefined,
  };
}

async function newKeyObject(algorithm: string, namedCurve: string, modulusLength: number): Promise<KeyObject> {
  if (algorithm === "RSA") return (await generate("rsa", { modulusLength })).privateKey;
  if (algorithm === "ECDSA") return (await generate("ec", { namedCurve })).privateKey;
  return (await generate("ed25519")).privateKey;
}

/** The form of its own that an algorithm has: "RSA PRIVATE KEY", "EC PRIVATE KEY"; none for ED25519. */
function traditional(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType === "rsa") return key.export({ type: "pkcs1", format: "pem" }).toString();
  if (key.asymmetricKeyType === "ec") return key.export({ type: "sec1", format: "pem" }).toString();
  return undefined;
}

/** Reads a key that is not encrypted. Throws without a word of what it was given. */
export function readKey(pem: string): { key: KeyObject; algorithm: string } {
  const preamble = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----/.exec(pem)?.[1];
  if (preamble === undefined) throw new Error("Failed to parse private key PEM: failed to decode PEM block");
  const key = parsed(pem);
  const algorithm = algorithms[key?.asymmetricKeyType ?? ""];
  if (key !== undefined && algorithm !== undefined) return { key, algorithm };
  throw new Error(`Failed to parse private key PEM: failed to parse private key given PEM preamble '${preamble}'`);
}

function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason is of no use to the reader, and it is not ours to say what is in it.
    return undefined;
  }
}
