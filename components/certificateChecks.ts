// What is wrong with a certificate and its key.
// No message has any of what was given in it but names and dates: a key may stand where a certificate should.
import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { unreadable } from "./homePath";
import { unknownValue } from "./unknownValue";

/** One thing that is wrong, of one of the two properties, and what to do. */
export interface CertificateProblem {
  readonly of: "certificate" | "key";
  readonly message: string;
  readonly next: string;
}

/** A site that a certificate must cover. */
export interface CoveredSite {
  readonly domain: string;
  readonly onion: string;
  readonly subdomains: readonly string[];
}

/** Parsed, or what is wrong with it. */
export interface Parsed<T> {
  readonly found?: T;
  readonly problems: readonly CertificateProblem[];
}

const again = "Give the whole contents of the file again, or its path.";

function wrong(of: "certificate" | "key", message: string, next: string): { problems: CertificateProblem[] } {
  return { problems: [{ of, message, next }] };
}

function unreadableFile(of: "certificate" | "key", text: string): { problems: CertificateProblem[] } {
  const code = text.slice(unreadable.length);
  return wrong(of, `it is neither PEM nor the name of a file that can be read (${code})`, "Correct the path.");
}

/** The certificates of a PEM text, in their order. */
export function parseChain(text: string): Parsed<X509Certificate[]> {
  if (text.startsWith(unreadable)) return unreadableFile("certificate", text);
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) {
    const next = "Give the certificates alone here, and the key as a secret where keys go.";
    return wrong("certificate", "there is a private key in it, and a certificate is public", next);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return wrong("certificate", "there is no certificate in PEM in it", again);
  const found: X509Certificate[] = [];
  for (const [at, block] of blocks.entries()) {
    try {
      found.push(new X509Certificate(block));
    } catch {
      return wrong("certificate", `number ${at + 1} of its ${blocks.length} certificates cannot be read`, again);
    }
  }
  return { found, problems: [] };
}

/** The private key of a PEM text. */
export function parseKey(text: string): Parsed<KeyObject> {
  if (text.startsWith(unreadable)) return unreadableFile("key", text);
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    return wrong("key", "it is encrypted, and nginx starts unattended", "Decrypt it first: openssl pkey -in FILE.");
  }
  // What may stand around it, such as the parameters of a curve, says nothing that the key does not say.
  const [block] =
    /-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----[^-]*-----END ([A-Z0-9]+ )?PRIVATE KEY-----/.exec(text) ?? [];
  if (block === undefined) return wrong("key", "there is no private key in PEM in it", again);
  let key: KeyObject;
  try {
    key = createPrivateKey(block);
  } catch {
    return wrong("key", "it is a private key in PEM that cannot be read", again);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 2048;
  if (bits < 2048) {
    return wrong("key", `it is RSA of ${bits} bits, which nginx refuses`, "Make a new key and have it certified.");
  }
  return { found: key, problems: [] };
}

/** What is wrong with a chain by itself: its order, its dates, what it is for. */
export function chainProblems(chain: readonly X509Certificate[], purpose: string, now: number): CertificateProblem[] {
  const problems: CertificateProblem[] = [];
  const say = (message: string, next: string) => problems.push({ of: "certificate", message, next });
  for (const [at, certificate] of chain.entries()) {
    const name = chain.length === 1 ? "it" : `number ${at + 1} in it`;
    const { validFrom, validTo } = certificate;
    if (Date.parse(validTo) < now) say(`${name} has expired (${day(validTo)})`, "Give one that is valid.");
    if (Date.parse(validFrom) > now)
      say(`${name} is not valid before ${day(validFrom)}`, "Give one that is valid now.");
    const issuer = chain[at + 1];
    if (issuer && !(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))) {
      const next = "Put the site's own first, then the one that signed it, and so on.";
      say(`number ${at + 2} in it did not sign number ${at + 1}`, next);
    }
  }
  // The extended key usage, for all that Node calls it the key usage; without one a certificate is good for everything.
  const uses = chain[0]?.keyUsage ?? [];
  if (uses.length > 0 && !uses.includes(purpose)) {
    const [is, needs] = purpose === serverPurpose ? ["a server's", "serverAuth"] : ["a client's", "clientAuth"];
    say(`its extended key usage does not let it be ${is}`, `Give one with ${needs}.`);
  }
  return problems;
}

/** id-kp-serverAuth and id-kp-clientAuth, RFC 5280 4.2.1.12. */
export const serverPurpose = "1.3.6.1.5.5.7.3.1";
export const clientPurpose = "1.3.6.1.5.5.7.3.2";

/** Whether the key is that of the first certificate. */
export function belongingProblems(chain: readonly X509Certificate[], key: KeyObject): CertificateProblem[] {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return [];
  if (at > 0) {
    const next = "Put that one first, then the one that signed it, and so on.";
    return [{ of: "certificate", message: `the key is that of number ${at + 1} in it, not of the first`, next }];
  }
  return [{ of: "key", message: "it is not the key of the certificate", next: "Give the key that was certified." }];
}

/** Whether the leaf has the names that visitors of the sites ask for. An address that is not known yet is looked at when it is. */
export function coverProblems(leaf: X509Certificate, sites: readonly CoveredSite[]): CertificateProblem[] {
  return sites.flatMap(({ domain, onion, subdomains }) => {
    if (onion === unknownValue) return [];
    const names = [onion, ...subdomains.map((name) => `${name}.${onion}`)];
    const missing = names.filter((name) => !covers(leaf, name));
    if (missing.length === 0) return [];
    const wildcard = covers(leaf, `any.${onion}`) ? [] : [`*.${onion}`];
    const message = `it does not cover ${[...missing, ...wildcard].join(", ")} (site ${domain})`;
    return [{ of: "certificate" as const, message, next: `Give one for ${onion} and *.${onion}.` }];
  });
}

/** Whether browsers would take a certificate for a name: they look at the alternative names alone. */
export function covers(leaf: X509Certificate, name: string): boolean {
  return leaf.checkHost(name, { subject: "never", partialWildcards: false }) !== undefined;
}

/** sha256 of the DER in hex, and the end as ISO 8601. */
export function factsOf(leaf: X509Certificate): { fingerprint: string; expires: string } {
  return {
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
    expires: new Date(leaf.validTo).toISOString(),
  };
}

function day(date: string): string {
  return new Date(date).toISOString().slice(0, 10);
}
