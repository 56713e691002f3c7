/** A certificate that its own key signs. */
import { webcrypto, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
// The certificate library asks for it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { readKey } from "./keys";
import { extendedUses, keyUses } from "./uses";

x509.cryptoProvider.set(webcrypto);

/** The inputs of SelfSignedCert, with their defaults. */
export interface CertificateInputs {
  privateKeyPem: string;
  subject?: Readonly<Record<string, string | string[]>>;
  dnsNames?: string[];
  ipAddresses?: string[];
  validityPeriodHours: number;
  earlyRenewalHours: number;
  allowedUses: string[];
  isCaCertificate: boolean;
}

/** Parts of a subject in the order of the real plugin. */
const subjectParts: readonly (readonly [name: string, oid: string])[] = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
];

/** Signs a certificate, valid from now. */
export async function selfSign(inputs: CertificateInputs) {
  const { key, algorithm } = readKey(inputs.privateKeyPem);
  const keys = await signingKeys(key);
  const start = new Date();
  const end = new Date(start.getTime() + inputs.validityPeriodHours * 3600_000);
  const name = subjectOf(inputs);
  if (inputs.isCaCertificate && name.length === 0) {
    throw new Error(
      "Invalid Certificate Subject: Must contain at least one Distinguished Name when creating Certificate Authority (CA)",
    );
  }
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: new x509.Name(name),
    keys,
    notBefore: start,
    notAfter: end,
    signingAlgorithm: { name: keys.privateKey.algorithm.name, hash: signatureHash(key) },
    extensions: await extensionsOf(inputs, name.length === 0, keys.publicKey),
  });
  return {
    id: BigInt(`0x${certificate.serialNumber}`).toString(),
    pem: `${certificate.toString("pem").trim()}\n`,
    algorithm,
    start: start.toISOString(),
    end: end.toISOString(),
  };
}

async function signingKeys(key: KeyObject) {
  const algorithm = importAlgorithm(key);
  const { subtle } = webcrypto;
  const publicJwk = key.export({ format: "jwk" });
  for (const secretPart of ["d", "p", "q", "dp", "dq", "qi"] as const) delete publicJwk[secretPart];
  return {
    privateKey: await subtle.importKey("pkcs8", key.export({ type: "pkcs8", format: "der" }), algorithm, false, [
      "sign",
    ]),
    publicKey: await subtle.importKey("jwk", publicJwk, algorithm, true, ["verify"]),
  };
}

function importAlgorithm(key: KeyObject) {
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (key.asymmetricKeyType === "ed25519") return { name: "Ed25519" };
  const namedCurve = nodeCurves[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (namedCurve === undefined) throw new Error("the lab's stand-in for the tls plugin signs with P256, P384 and P521");
  return { name: "ECDSA", namedCurve };
}

const nodeCurves: Readonly<Record<string, string>> = {
  prime256v1: "P-256",
  secp384r1: "P-384",
  secp521r1: "P-521",
};

/** SHA-256, or what fits a bigger curve, as Go chooses. */
function signatureHash(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === "secp384r1" ? "SHA-384" : curve === "secp521r1" ? "SHA-512" : "SHA-256";
}

function subjectOf({ subject = {} }: CertificateInputs): x509.JsonNameParams {
  return subjectParts.flatMap(([part, oid]) =>
    [subject[part] ?? []]
      .flat()
      .filter((value) => value !== "")
      .map((value) => ({ [oid]: [{ utf8String: value }] })),
  );
}

async function extensionsOf(inputs: CertificateInputs, nameless: boolean, publicKey: webcrypto.CryptoKey) {
  const { allowedUses, isCaCertificate: authority, dnsNames = [], ipAddresses = [] } = inputs;
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(authority, undefined, true)];
  const uses = allowedUses.reduce((flags, use) => flags | (keyUses[use] ?? 0), 0);
  if (uses !== 0) extensions.push(new x509.KeyUsagesExtension(uses, true));
  const extended = allowedUses.flatMap((use) => extendedUses[use] ?? []);
  if (extended.length > 0) extensions.push(new x509.ExtendedKeyUsageExtension(extended));
  if (authority) extensions.push(await x509.SubjectKeyIdentifierExtension.create(publicKey));
  const names: x509.JsonGeneralName[] = [
    ...dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...ipAddresses.map((value) => ({ type: "ip" as const, value: address(value) })),
  ];
  // Without a subject the names are all there is, so whoever reads it must understand them.
  if (names.length > 0) extensions.push(new x509.SubjectAlternativeNameExtension(names, nameless));
  return extensions;
}

function address(value: string): string {
  if (isIP(value) === 0) throw new Error(`Invalid IP address: Failed to parse ${JSON.stringify(value)}`);
  return value;
}
