import type * as pulumi from "@pulumi/pulumi";
import { resolveSite } from "../config/schema";
import { OnionCertificate, selfSigned, type CertificatePair, type CertifiedSite } from "./onionCertificate";
import type { SiteSettingsArgs } from "./settings";

/** Settings of TLS as they stand on a project (for all its sites) or on a site (which wins). */
export type TlsSettings = Pick<SiteSettingsArgs, "onionTls" | "certificate" | "certificateKey" | "selfSignedDays">;

/** Settings of what the proxy shows to upstreams. */
export type UpstreamSettings = Pick<SiteSettingsArgs, "upstreamCertificate" | "upstreamCertificateKey">;

/** The project that the certificates belong to, with what it says of all its sites. */
export interface CertifiedProject<Settings> {
  readonly name: string;
  readonly settings: Settings;
  readonly sites: readonly (CertifiedSite & { readonly settings: Settings })[];
}

/** What visitors are shown, by domain; a site that is not in it speaks http. */
export function siteCertificates(
  project: CertifiedProject<TlsSettings>,
  opts: pulumi.CustomResourceOptions,
): ReadonlyMap<string, CertificatePair> {
  const { settings } = project;
  const pairs = new Map<string, CertificatePair>();
  const covered: CertifiedSite[] = [];
  for (const { settings: own, ...site } of project.sites) {
    const { domain } = site;
    // Which of the settings counts is for resolveSite alone: nginx goes by it too.
    const { certificate: counting, onionTls, selfSignedDays: days } = resolveSite(settings, own);
    if (own.certificate !== undefined) {
      const given = { certificate: own.certificate, key: own.certificateKey ?? "", sites: [site] };
      const certificate = new OnionCertificate(
        certificateName(domain),
        { ...given, purpose: "server", label: `site ${domain}` },
        opts,
      );
      pairs.set(domain, certificate);
    } else if (counting !== undefined) {
      covered.push(site);
    } else if (onionTls === "selfSigned") {
      pairs.set(domain, selfSigned(certificateName(domain), { ...site, days }, opts));
    }
  }
  if (settings.certificate !== undefined && covered.length > 0) {
    const umbrella = new OnionCertificate(
      certificateName(project.name),
      {
        certificate: settings.certificate,
        key: settings.certificateKey ?? "",
        purpose: "server",
        sites: covered,
        label: `project ${project.name}`,
      },
      opts,
    );
    for (const { domain } of covered) pairs.set(domain, umbrella);
  }
  return pairs;
}

/** What the proxy shows to the upstreams, by domain. */
export function upstreamCertificates(
  project: CertifiedProject<UpstreamSettings>,
  opts: pulumi.CustomResourceOptions,
): ReadonlyMap<string, CertificatePair> {
  const make = (name: string, label: string, { upstreamCertificate, upstreamCertificateKey }: UpstreamSettings) =>
    upstreamCertificate === undefined
      ? undefined
      : new OnionCertificate(
          certificateName(name, "upstream-"),
          { certificate: upstreamCertificate, key: upstreamCertificateKey ?? "", purpose: "client", label },
          opts,
        );
  const shared = make(project.name, `project ${project.name}`, project.settings);
  const pairs = new Map<string, CertificatePair>();
  for (const { domain, settings } of project.sites) {
    const pair = make(domain, `site ${domain}`, settings) ?? shared;
    if (pair !== undefined) pairs.set(domain, pair);
  }
  return pairs;
}

/** By the domain alone, as the site's key: a site that moves to another project keeps its certificate. */
function certificateName(of: string, what = ""): string {
  return `${of}-${what}certificate`;
}
