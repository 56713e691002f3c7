// Certificates of an installation: those that an authority signed are taken, with their keys; self-signed ones are made anew.
import { X509Certificate, createPrivateKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import type { Decision, Entry } from "./entry";
import { firstThere, shortName } from "./install";
import { type Secret, setCommand } from "./keys";
import { isFault, largest, quoted, readText } from "./source";

/** What there is for the owner of a certificate. */
export interface FoundCertificate {
  /** The certificate and its chain in PEM, where it is taken. */
  readonly pem?: string;
  readonly secret?: Secret;
  readonly dropped?: Entry;
  readonly decision?: Decision;
}

/** Names of a site's certificate in a project's ssl folder, without ending: today's, and older ones. */
export const namesOfSite = (onion: string): string[] => [shortName(onion), onion, onion.slice(0, 56)];

/**
 * The certificate of a site or a project; undefined when there is none.
 * @param name domain or project, as the config names the owner
 * @param names of the files, without their endings
 * @param onion an address that it must be for
 */
export function findCertificate(
  folder: string,
  name: string,
  names: readonly string[],
  { onion, stack }: { readonly onion: string | undefined; readonly stack: string | undefined },
): FoundCertificate | undefined {
  const places = ["ssl", "ssl.d"].flatMap((ssl) => names.map((each) => join(folder, ssl, each)));
  const file = firstThere(places.map((place) => `${place}.cert`));
  if (file === undefined) return undefined;
  const refused = (why: string, next: string, of = file): FoundCertificate => ({
    decision: {
      file: of,
      what: "certificate",
      why: `${why} It is not taken; a self-signed one is made.`,
      next,
      blocks: false,
    },
  });
  const again = `Mend it and import again, or set certificate on ${name} and its key in tlsKeys yourself.`;
  const pem = readText(file, largest.certificate);
  if (isFault(pem)) return refused(pem.why, again);
  const chain = blocks(pem, /CERTIFICATE/);
  const certificate = parsed(() => new X509Certificate(chain[0] ?? ""));
  if (certificate === undefined) return refused("There is no certificate in PEM in it.", again);
  if (isOwn(certificate)) {
    const why = "It is signed by nobody but itself. Here one is made and renewed: onionTls: selfSigned.";
    return { dropped: { file, what: "certificate", to: "onionTls", why } };
  }
  if (Date.parse(certificate.validTo) < Date.now()) return refused(`It ran out on ${certificate.validTo}.`, again);
  if (onion !== undefined && certificate.checkHost(onion) === undefined)
    return refused(`It is not for ${onion}.`, again);
  const keyFile = file.replace(/\.cert$/, ".pem");
  const text = readText(keyFile, largest.certificate);
  if (isFault(text)) return refused(`Its key is missing. ${text.why}`, again, keyFile);
  const [block = "", ...others] = blocks(text, /PRIVATE KEY/);
  if (/ENCRYPTED/.test(text))
    return refused("The key is encrypted.", "Decrypt it with `openssl pkey`, and import again.", keyFile);
  if (block === "") return refused("There is no private key in PEM in it.", again, keyFile);
  const key = parsed((): KeyObject => createPrivateKey(block));
  if (key === undefined) return refused("The key cannot be read.", again, keyFile);
  if (!certificate.checkPrivateKey(key)) return refused("The key is not that of the certificate.", again, keyFile);
  const alone = others.length === 0 && text.trim() === block.trim();
  return { pem: `${chain.join("\n")}\n`, secret: secretOf({ name, keyFile, block, alone }, stack) };
}

interface KeyBlock {
  readonly name: string;
  readonly keyFile: string;
  readonly block: string;
  /** Whether nothing else is in the file. */
  readonly alone: boolean;
}

function secretOf({ name, keyFile, block, alone }: KeyBlock, stack: string | undefined): Secret {
  const set = setCommand("tlsKeys", name, stack);
  const cut = `sed -n '/BEGIN.*PRIVATE KEY/,/END.*PRIVATE KEY/p' ${quoted(keyFile)} | ${set}`;
  return {
    key: "tlsKeys",
    name,
    file: keyFile,
    command: alone ? `${set} < ${quoted(keyFile)}` : cut,
    value: () => `${block}\n`,
  };
}

/** PEM blocks of a kind. */
function blocks(text: string, kind: RegExp): string[] {
  const all = text.replaceAll("\r\n", "\n").matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]*-----END \1-----/g);
  return [...all].filter(([, name]) => kind.test(name ?? "")).map(([block]) => block);
}

/** Errors of OpenSSL say nothing that a person can use. */
function parsed<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Signed by itself, or by mkcert, whose authority is none for visitors. */
function isOwn(certificate: X509Certificate): boolean {
  if (/mkcert/i.test(certificate.issuer)) return true;
  return certificate.checkIssued(certificate) && parsed(() => certificate.verify(certificate.publicKey)) === true;
}
