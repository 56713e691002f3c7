// Certificates in the config: PEM text or the path of a file. What is inside is looked at when the files are read.
import { type Fault, type KeyMeta, text } from "./check";

const form = "Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.";

/** What is wrong with the form of a certificate. A key that stands here by mistake is not shown. */
export function certificateFault(given: string): Fault | undefined {
  const hidden = (message: string, next: string): Fault => ({ message, next, hide: true });
  if (given.includes("PRIVATE KEY")) {
    return hidden(
      "There is a private key in it: it does not belong in a stack's file.",
      "Remove the key from the file and its history, regard it as seen, and leave the certificate alone here.",
    );
  }
  if (given.trim() === "") return { message: "The certificate is empty.", next: form };
  if (given.includes("-----BEGIN")) {
    const blocks = [...given.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----/g)];
    const other = blocks.flatMap(([, begin, , end]) => [begin, end]).find((name) => name !== "CERTIFICATE");
    if (other !== undefined) return hidden(`This is a ${other}, not a certificate.`, form);
    if (blocks.length === 0 || blocks.length !== given.split("-----BEGIN").length - 1)
      return hidden("The PEM text is cut or changed.", form);
    return undefined;
  }
  if (/\p{Cc}/u.test(given)) return hidden("This is neither PEM nor a path.", form);
  // No file has such a name; base64 without its first line may be a key.
  if (given.length >= 80 && /^[A-Za-z0-9+/=\s]+$/.test(given)) return hidden("This is neither PEM nor a path.", form);
  return undefined;
}

/** A certificate, several or a chain: PEM text or a path. */
export const certificate = (meta: Omit<KeyMeta, "pattern" | "unit">) =>
  text(certificateFault, { ...meta, unit: "PEM or path" });
