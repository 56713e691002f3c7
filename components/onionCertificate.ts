import { X509Certificate } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { covers, factsOf, parseChain } from "./certificateChecks";
import { pemText } from "./homePath";
import { ProvidedResource } from "./providedResource";

/** What TLS needs on a host. */
export interface CertificatePair {
  /** The chain in PEM, the site's own first. Public. */
  readonly certificate: pulumi.Output<string>;
  /** The private key in PEM. Secret. */
  readonly key: pulumi.Output<string>;
  /** sha256 of the first certificate's DER, 64 hex digits. */
  readonly fingerprint: pulumi.Output<string>;
  /** When the first certificate ends, as ISO 8601. */
  readonly expires: pulumi.Output<string>;
}

/** A site that a certificate is for. */
export interface CertifiedSite {
  readonly domain: string;
  readonly onion: pulumi.Input<string>;
  /** Names below the onion that the certificate must have too. */
  readonly subdomains: readonly string[];
}

/** Arguments of {@link OnionCertificate}. */
export interface OnionCertificateArgs {
  /** The chain in PEM, the site's own certificate first, or a path to it. */
  readonly certificate: pulumi.Input<string>;
  /** Its private key in PEM, not encrypted, or a path to it. A secret. */
  readonly key: pulumi.Input<string>;
  /** `server`: what visitors are shown. `client`: what the proxy shows to an upstream that asks who it is. */
  readonly purpose: "server" | "client";
  /** The sites whose onion names it must have; none of a client's. @default [] */
  readonly sites?: readonly CertifiedSite[];
  /** What messages call it, e.g. `site www.example.org`. */
  readonly label: string;
}

/**
 * A certificate that the operator has, with its key, checked at preview: order of the chain, dates, that the key belongs to it, and that it
 * covers the onion names. A renewed one is an update in place.
 */
export class OnionCertificate extends ProvidedResource implements CertificatePair {
  declare readonly certificate: pulumi.Output<string>;
  declare readonly key: pulumi.Output<string>;
  declare readonly fingerprint: pulumi.Output<string>;
  declare readonly expires: pulumi.Output<string>;

  constructor(name: string, args: OnionCertificateArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { label, purpose, sites = [] } = args;
    super(
      "OnionCertificate",
      name,
      {
        label,
        purpose,
        sites: sites.map(({ domain, onion, subdomains }) => ({ domain, onion, subdomains: [...subdomains] })),
        certificate: pulumi.output(args.certificate).apply(pemText),
        key: pulumi.secret(pulumi.output(args.key).apply(pemText)),
        fingerprint: undefined,
        expires: undefined,
      },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["key"] }),
    );
    this.warn(sites);
  }

  /** What is allowed, and yet no operator may have meant it. */
  private warn(sites: readonly CertifiedSite[]): void {
    const known = sites.map(({ domain, onion }) => ({ domain, onion }));
    pulumi.all([this.certificate, pulumi.output(known)]).apply(([certificate, certified]) => {
      for (const warning of wildcardWarnings(certificate, certified)) void pulumi.log.warn(warning, this);
    });
  }
}

/** A sentence for each site whose subdomains a certificate does not cover. */
export function wildcardWarnings(certificate: string, sites: readonly { domain: string; onion: string }[]): string[] {
  const [leaf] = parseChain(certificate).found ?? [];
  return sites
    .filter(({ onion }) => leaf !== undefined && !covers(leaf, `any.${onion}`))
    .map(({ domain, onion }) => {
      const harm = "browsers will refuse its subdomains, and links lead there";
      return `site ${domain}: its certificate does not cover *.${onion}: ${harm}. Next: have it certified with that name`;
    });
}

/** A certificate that nobody vouches for, made once and renewed by an `up` in the last third of its days; the key stays. */
export function selfSigned(
  name: string,
  { onion, subdomains, days }: Omit<CertifiedSite, "domain"> & { readonly days: number },
  opts: pulumi.CustomResourceOptions,
): CertificatePair {
  const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, opts);
  const address = pulumi.output(onion);
  const certificate = new tls.SelfSignedCert(
    name,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: address },
      dnsNames: address.apply((top) => [top, ...subdomains.map((sub) => `${sub}.${top}`)].flatMap(withWildcard)),
      allowedUses: ["digital_signature", "server_auth"],
      validityPeriodHours: days * 24,
      earlyRenewalHours: days * 8,
    },
    opts,
  );
  const facts = certificate.certPem.apply((pem) => factsOf(new X509Certificate(pem)));
  return {
    certificate: certificate.certPem,
    key: key.privateKeyPem,
    fingerprint: facts.fingerprint,
    expires: facts.expires,
  };
}

function withWildcard(name: string): string[] {
  return [name, `*.${name}`];
}
