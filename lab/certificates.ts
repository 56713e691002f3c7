import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SUBDOMAINS, UNTRUSTED } from "./originPages";
import type { Lab } from "./places";
import { run } from "./run";

const DAYS = ["-days", "3650"];
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];

/** The lab's own CA and a certificate for each domain with its subdomains, in `ca/` of the lab's folder. What is there stays. @returns the folder */
export async function ensureCertificates(lab: Lab, domains: readonly string[]): Promise<string> {
  const folder = join(lab.dir, "ca");
  const at = (file: string) => join(folder, file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // settings of our own: the machine's openssl.cnf may add extensions
  writeFileSync(at("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n", { mode: 0o600 });
  const request = ["openssl", "req", "-x509", "-config", at("openssl.cnf"), ...KEY, ...DAYS];
  if (!existsSync(at("ca.crt"))) {
    const extensions = [
      "-addext",
      "basicConstraints=critical,CA:TRUE",
      "-addext",
      "keyUsage=critical,keyCertSign,cRLSign",
    ];
    await run([
      ...request,
      "-subj",
      `/CN=softmap lab ${lab.name} CA`,
      ...extensions,
      "-keyout",
      at("ca.key"),
      "-out",
      at("ca.crt"),
    ]);
    // the name under which OpenSSL looks a CA up in /etc/ssl/certs
    writeFileSync(
      at("ca.hash"),
      (await run(["openssl", "x509", "-in", at("ca.crt"), "-noout", "-subject_hash"])).text.trim() + "\n",
    );
  }
  const signed = (domain: string) => (domain === UNTRUSTED ? [] : ["-CA", at("ca.crt"), "-CAkey", at("ca.key")]);
  const make = (domain: string) => {
    const names = [domain, ...SUBDOMAINS.map((sub) => `${sub}.${domain}`)].map((name) => `DNS:${name}`).join(",");
    const extensions = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", `subjectAltName=${names}`];
    return run([
      ...request,
      ...signed(domain),
      "-subj",
      `/O=softmap lab/CN=${domain}`.slice(0, 76),
      ...extensions,
      "-keyout",
      at(`${domain}.key`),
      "-out",
      at(`${domain}.crt`),
    ]);
  };
  await Promise.all([...domains, UNTRUSTED].filter((domain) => !existsSync(at(`${domain}.crt`))).map(make));
  return folder;
}

/** Certificate and key of a domain that the lab's origin or one of its hosts serves, as PEM. */
export function certificateOf(lab: Lab, domain: string): { certificate: string; key: string } {
  const read = (kind: string) => readFileSync(join(lab.dir, "ca", `${domain}.${kind}`), "utf8");
  return { certificate: read("crt"), key: read("key") };
}

/** The lab's CA, for a host's store: certificate, and its name there. */
export function caFiles(lab: Lab): { certificate: string; hash: string } {
  const read = (file: string) => readFileSync(join(lab.dir, "ca", file), "utf8");
  return { certificate: read("ca.crt"), hash: read("ca.hash") };
}
