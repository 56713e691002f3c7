// For tests: certificates and keys as an operator would have them.
import { webcrypto, type webcrypto as types } from "node:crypto";
// The certificate library asks for it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

/** A certificate with its key. */
export interface Issued {
  readonly certificate: string;
  /** PKCS#8. */
  readonly key: string;
  readonly keys: types.CryptoKeyPair;
  readonly subject: string;
}

/** What differs from a server's certificate that is valid since yesterday, for 90 days, and signed by itself. */
export interface Wanted {
  readonly names?: readonly string[];
  readonly by?: Issued;
  readonly authority?: boolean;
  /** In days from now. */
  readonly from?: number;
  readonly to?: number;
  readonly use?: "server" | "client" | "any";
  readonly algorithm?: types.EcKeyGenParams | types.RsaHashedKeyGenParams;
}

const p256 = { name: "ECDSA", namedCurve: "P-256" };
const day = 24 * 3600 * 1000;

/** Makes a key and a certificate for it. */
export async function issue(subject: string, wanted: Wanted = {}): Promise<Issued> {
  const { names = [], by, authority = false, from = -1, to = 89, use = "server", algorithm = p256 } = wanted;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(authority, undefined, true)];
  if (names.length > 0)
    extensions.push(new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))));
  if (use !== "any") extensions.push(new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[`${use}Auth`]]));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${subject}`,
    issuer: `CN=${by?.subject ?? subject}`,
    notBefore: new Date(Date.now() + from * day),
    notAfter: new Date(Date.now() + to * day),
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    signingAlgorithm: { name: (by?.keys ?? keys).privateKey.algorithm.name, hash: "SHA-256" },
    extensions,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = x509.PemConverter.encode(pkcs8, "PRIVATE KEY") + "\n";
  return { certificate: certificate.toString("pem") + "\n", key, keys, subject };
}
