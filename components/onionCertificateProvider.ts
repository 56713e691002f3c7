// The dynamic provider behind OnionCertificate. See onionKeyProvider.ts for why failures carry no property.
import type * as pulumi from "@pulumi/pulumi";
import {
  belongingProblems,
  chainProblems,
  clientPurpose,
  coverProblems,
  factsOf,
  parseChain,
  parseKey,
  serverPurpose,
  type CertificateProblem,
  type CoveredSite,
} from "./certificateChecks";
import { unknownValue as unknown } from "./unknownValue";

/** What a program gives. */
interface Given {
  readonly label: string;
  readonly purpose: "server" | "client";
  readonly sites: readonly CoveredSite[] | typeof unknown;
  readonly certificate: string;
  readonly key: string;
}

/** What the engine keeps, inputs and outputs alike. */
interface Kept {
  readonly label: string;
  readonly certificate: string;
  readonly key: string;
  readonly fingerprint: string;
  readonly expires: string;
}

/** What operators call the two, and where the key of a stack's config is. */
const words = {
  server: { certificate: "certificate", key: "certificateKey (tlsKeys in the stack's config)" },
  client: { certificate: "upstreamCertificate", key: "upstreamCertificateKey (upstreamKeys in the stack's config)" },
};

function judged(given: Given, now: number): { inputs: Kept; problems: readonly CertificateProblem[] } {
  const { label, purpose, sites } = given;
  const chain = given.certificate === unknown ? { problems: [] } : parseChain(given.certificate);
  const key = given.key === unknown ? { problems: [] } : parseKey(given.key);
  const problems = [...chain.problems, ...key.problems];
  const [leaf] = chain.found ?? [];
  if (chain.found && leaf) {
    problems.push(...chainProblems(chain.found, purpose === "server" ? serverPurpose : clientPurpose, now));
    if (key.found) problems.push(...belongingProblems(chain.found, key.found));
    if (sites !== unknown) problems.push(...coverProblems(leaf, sites));
  }
  return {
    inputs: {
      label,
      // What cannot be read is nothing: it may be a key in the place of a certificate.
      certificate: given.certificate === unknown ? unknown : (chain.found ?? []).map(String).join(""),
      key: given.key === unknown ? unknown : String(key.found?.export({ type: "pkcs8", format: "pem" }) ?? ""),
      ...(leaf ? factsOf(leaf) : { fingerprint: unknown, expires: unknown }),
    },
    problems,
  };
}

/** One object for all certificates. No `read` and no `delete`: what was given is nowhere but in the state. */
export const onionCertificateProvider: pulumi.dynamic.ResourceProvider = {
  async check(_olds: unknown, given: Given) {
    const { inputs, problems } = judged(given, Date.now());
    const name = words[given.purpose];
    const reason = ({ of, message, next }: CertificateProblem) =>
      `${given.label}: ${name[of]}: ${message}. Next: ${next}`;
    return { inputs, failures: problems.map((problem) => ({ property: "", reason: reason(problem) })) };
  },

  async diff(_id: string, held: Kept, wanted: Kept) {
    return { changes: held.certificate !== wanted.certificate || held.key !== wanted.key };
  },

  async create(inputs: Kept) {
    return { id: inputs.label, outs: inputs };
  },

  async update(_id: string, _held: Kept, wanted: Kept) {
    return { outs: wanted };
  },
};
