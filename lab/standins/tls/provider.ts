/**
 * The resources of @pulumi/tls 5.6.1 that the lab needs, with the real plugin's rules for what is replaced when. Left out,
 * and refused where they are inputs: the curve P224, OpenSSH forms of keys but those of ED25519, fingerprints, URIs, key identifiers but
 * that of an authority, path lengths, write-only keys.
 */
import type { CheckResult, CreateResult, DiffResult, Provider, UpdateResult } from "@pulumi/pulumi/provider";
import { missing, typeOf, type Failure } from "../shared/inputs";
import { hasUnknown, isUnknown, plain, same, secret, unknown, type Properties } from "../shared/values";
import { selfSign, type CertificateInputs } from "./certificate";
import { curves, newKey, type KeyInputs } from "./keys";
import { isUse } from "./uses";

const privateKey = "tls:index/privateKey:PrivateKey";
const selfSignedCert = "tls:index/selfSignedCert:SelfSignedCert";

/** What is known of a resource before anything is asked of it. */
interface Kind {
  required: readonly string[];
  /** Inputs that may be left out; the ones with a default are outputs too. */
  optional: Properties;
  refused: (inputs: Properties) => Failure[];
}

const kinds: Record<string, Kind> = {
  [privateKey]: {
    required: ["algorithm"],
    optional: { ecdsaCurve: "P224", rsaBits: 2048 },
    refused: refusedKey,
  },
  [selfSignedCert]: {
    required: ["privateKeyPem", "validityPeriodHours", "allowedUses"],
    optional: {
      ...{ subject: undefined, dnsNames: undefined, ipAddresses: undefined },
      ...{ earlyRenewalHours: 0, isCaCertificate: false },
    },
    refused: refusedCertificate,
  },
};

/** Outputs of a certificate with inputs that a preview does not know. */
const unknownCertificate = {
  ...{ certPem: unknown, keyAlgorithm: unknown },
  ...{ validityStartTime: unknown, validityEndTime: unknown },
};

/** Serves one engine. */
export class TlsProvider implements Provider {
  readonly version = "5.6.1";

  async check(urn: string, _olds: Properties, news: Properties): Promise<CheckResult> {
    const { required, optional, refused } = kindOf(urn);
    const inputs = { ...news };
    if (inputs["privateKeyPem"] !== undefined) inputs["privateKeyPem"] = secret(inputs["privateKeyPem"]);
    const extra = Object.keys(news).filter(
      (name) => !name.startsWith("__") && !required.includes(name) && !Object.hasOwn(optional, name),
    );
    const failures = [
      ...required.filter((name) => inputs[name] === undefined).map(missing),
      ...extra.map((property) => ({ property, reason: standIn(`has no ${property}`) })),
      ...refused(filled(urn, inputs)),
    ];
    return { inputs, failures };
  }

  async diff(_id: string, urn: string, olds: Properties, news: Properties): Promise<DiffResult> {
    const { required, optional } = kindOf(urn);
    const before = filled(urn, olds);
    const after = filled(urn, news);
    const changed = [...required, ...Object.keys(optional)].filter((name) => !same(before[name], after[name]));
    const replaces = changed.filter((name) => name !== "earlyRenewalHours");
    if (typeOfTls(urn) === selfSignedCert && isDue(olds, after["earlyRenewalHours"])) replaces.push("readyForRenewal");
    return { changes: changed.length + replaces.length > 0, replaces };
  }

  async create(urn: string, inputs: Properties): Promise<CreateResult> {
    return typeOfTls(urn) === privateKey ? createKey(filled(urn, inputs)) : createCertificate(filled(urn, inputs));
  }

  /** Only the hours before the end differ: the certificate stays. */
  async update(_id: string, urn: string, olds: Properties, news: Properties): Promise<UpdateResult> {
    return { outs: { ...olds, ...filled(urn, news) } };
  }
}

async function createKey(inputs: Properties): Promise<CreateResult> {
  if (hasUnknown(inputs)) {
    const secretText = secret(unknown);
    const texts = { privateKeyPem: secretText, privateKeyPemPkcs8: secretText, publicKeyPem: unknown };
    return { id: "", outs: { ...inputs, ...texts, privateKeyOpenssh: secretText, publicKeyOpenssh: unknown } };
  }
  const { id, pem, pkcs8, publicPem, openssh } = await newKey(plain(inputs) as KeyInputs);
  const outs = { privateKeyPem: secret(pem), privateKeyPemPkcs8: secret(pkcs8), publicKeyPem: publicPem };
  const ssh = openssh && { privateKeyOpenssh: secret(openssh.privateKey), publicKeyOpenssh: openssh.publicKey };
  return { id, outs: { ...inputs, ...outs, ...ssh } };
}

async function createCertificate(inputs: Properties): Promise<CreateResult> {
  const common = { ...inputs, readyForRenewal: false };
  if (hasUnknown(inputs)) return { id: "", outs: { ...common, ...unknownCertificate } };
  const { id, pem, algorithm, start, end } = await selfSign(plain(inputs) as CertificateInputs);
  const outs = { certPem: pem, keyAlgorithm: algorithm, validityStartTime: start, validityEndTime: end };
  return { id, outs: { ...common, ...outs } };
}

/** Whether a certificate has ended, or ends in so few hours. */
function isDue(state: Properties, earlyRenewalHours: unknown): boolean {
  const end = plain(state["validityEndTime"]);
  const hours = plain(earlyRenewalHours);
  if (typeof end !== "string" || typeof hours !== "number") return false;
  return Date.now() >= Date.parse(end) - hours * 3600_000;
}

function refusedKey(inputs: Properties): Failure[] {
  const { algorithm, ecdsaCurve } = plain(inputs) as Partial<KeyInputs>;
  const failures: Failure[] = [];
  if (algorithm !== undefined && !isUnknown(algorithm) && !["RSA", "ECDSA", "ED25519"].includes(algorithm)) {
    failures.push({ property: "algorithm", reason: 'must be one of: "RSA", "ECDSA", "ED25519"' });
  }
  if (algorithm === "ECDSA" && ecdsaCurve === "P224") {
    failures.push({ property: "ecdsaCurve", reason: standIn("has P256, P384 and P521, and not the default P224") });
  } else if (!isUnknown(ecdsaCurve) && ecdsaCurve !== "P224" && !Object.hasOwn(curves, ecdsaCurve ?? "")) {
    failures.push({ property: "ecdsaCurve", reason: 'must be one of: "P224", "P256", "P384", "P521"' });
  }
  return failures;
}

function refusedCertificate(inputs: Properties): Failure[] {
  const failures: Failure[] = [];
  for (const property of ["validityPeriodHours", "earlyRenewalHours"]) {
    const hours = plain(inputs[property]);
    if (hours === undefined || isUnknown(hours) || (Number.isInteger(hours) && Number(hours) >= 0)) continue;
    failures.push({ property, reason: "must be a whole number of at least 0" });
  }
  const uses = plain(inputs["allowedUses"]);
  for (const use of Array.isArray(uses) ? (uses as unknown[]) : []) {
    if (isUse(use) || isUnknown(use)) continue;
    failures.push({ property: "allowedUses", reason: `${JSON.stringify(use)} is not a use that the plugin knows` });
  }
  return failures;
}

/** The inputs with what the plugin assumes for those that are not given. */
function filled(urn: string, inputs: Properties): Properties {
  const given = Object.entries(inputs).filter(([, value]) => value !== undefined && value !== null);
  const defaults = Object.entries(kindOf(urn).optional).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(defaults), ...Object.fromEntries(given) };
}

function kindOf(urn: string): Kind {
  return kinds[typeOfTls(urn)] as Kind;
}

function typeOfTls(urn: string): string {
  return typeOf(urn, kinds, "tls");
}

function standIn(text: string): string {
  return `the lab's stand-in for the tls plugin ${text}`;
}
