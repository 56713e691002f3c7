import * as pulumi from "@pulumi/pulumi";
import { Component } from "./component";
import type { CertificatePair } from "./onionCertificate";
import { OnionKey } from "./onionKey";
import { siteCertificates, upstreamCertificates } from "./projectCertificates";
import type { ProjectSettingsArgs, SiteSettingsArgs } from "./settings";
import { authoritiesOf, authorityProblems } from "./upstreamAuthorities";
import { validateProject } from "../config/parse";
import type { Problem } from "../config/problems";
import { resolveProject, resolveSite, type ProjectSettings, type SiteSettings } from "../config/schema";
import { generationOf } from "../plan/generation";
import { render } from "../templates";
import { readSources } from "../templates/sources";

/** One site: a domain, and the onion address that stands for it. Its settings win over the project's. */
export interface SiteArgs extends SiteSettingsArgs {
  /** The clearnet domain, without scheme or path. @example "www.example.org" */
  readonly domain: string;
  /** Names below the domain that a self-signed certificate has too, with all below them. Every subdomain is served and rewritten in any case. @example ["cdn"] @default [] */
  readonly subdomains?: readonly string[];
  /** The address that the key must have: a guard against adopting the wrong key. @example "<56 characters>.onion" */
  readonly onion?: string | undefined;
  /** An existing key: tor's `hs_ed25519_secret_key` as base64, a PEM key, or a path to either. A secret. @default a new key at the first `up`, kept for ever */
  readonly key?: pulumi.Input<string> | undefined;
  /** The old address, named to let it go: without this, a change of address is refused. @default none */
  readonly replaceAddress?: string | undefined;
}

/** Arguments of {@link SoftmapProject}. What a site may have too is for all sites that do not say otherwise. */
export interface SoftmapProjectArgs extends ProjectSettingsArgs {
  /** The sites that share this project's backends. At least one. */
  readonly sites: readonly SiteArgs[];
  /** tor daemons on each worker for this project, the guide's M. @default 2 */
  readonly softmapTorWorkers?: number;
  /** Introduction points of each daemon, 3 to 20, the guide's P. @default 3 */
  readonly torIntrosPerDaemon?: number;
  /** Whether answers name their backend in a header, `X-Softmap-Backend`: for labs and rehearsals. @default false */
  readonly backendHeader?: boolean;
  /** Refuse to delete site keys, so that no address is lost by accident. @default true */
  readonly protectKeys?: boolean;
}

/** A site with its key, its settings and its certificates. */
export interface Site {
  readonly domain: string;
  readonly subdomains: readonly string[];
  readonly key: OnionKey;
  /** Every setting, the project's and the defaults filled in. */
  readonly settings: SiteSettings;
  /** What visitors are shown; absent: the onion is served by plain http. */
  readonly certificate: CertificatePair | undefined;
  /** What the upstream is shown. */
  readonly upstreamCertificate: CertificatePair | undefined;
  /** PEM of those who vouch for the upstream; absent: the system's. */
  readonly authorities: string | undefined;
}

/**
 * A project: sites that share the same backends. It holds the site keys and what workers need to know; it deploys nothing by itself.
 *
 * @example
 * const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org" }], softmapTorWorkers: 2 });
 * export const addresses = news.addresses;
 */
export class SoftmapProject extends Component {
  readonly sites: readonly Site[];
  readonly softmapTorWorkers: number;
  readonly torIntrosPerDaemon: number;
  readonly backendHeader: boolean;
  /** What concerns all sites together: tor, links between sites, limits. */
  readonly settings: ProjectSettings;
  /** 4 hex digits for all that its tor daemons take over at their start alone: see plan/generation.ts. */
  readonly generation: string;
  /** Domain to onion address. */
  readonly addresses: pulumi.Output<Record<string, string>>;
  /** Domain to the end of its certificate, for the sites that have one. @example { "www.example.org": "2027-11-25T13:00:00.000Z" } */
  readonly certificates: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: SoftmapProjectArgs, opts?: pulumi.ComponentResourceOptions) {
    super("SoftmapProject", name, problemsOf(name, args), opts);

    this.settings = resolveProject(args);
    this.sites = this.createSites(args);
    this.softmapTorWorkers = args.softmapTorWorkers ?? 2;
    this.torIntrosPerDaemon = args.torIntrosPerDaemon ?? 3;
    this.backendHeader = args.backendHeader ?? false;
    const unit = render("unit-tor", readSources("unit-tor"), {});
    this.generation = generationOf({ sites: args.sites, tor: this.settings, unit });
    this.addresses = addressesOf(this.sites);
    this.certificates = expiriesOf(this.sites);
    this.registerOutputs({ addresses: this.addresses, certificates: this.certificates });
  }

  private createSites(args: SoftmapProjectArgs): Site[] {
    const keyed = args.sites.map((site) => {
      const { domain, subdomains = [] } = site;
      return { site, domain, subdomains, key: this.createKey(site, args.protectKeys ?? true) };
    });
    const certified = {
      name: this.name,
      settings: args,
      sites: keyed.map(({ site, domain, subdomains, key }) => ({
        ...{ domain, subdomains, onion: key.address },
        settings: site,
      })),
    };
    const certificates = siteCertificates(certified, { parent: this });
    const upstream = upstreamCertificates(certified, { parent: this });
    return keyed.map(({ site, domain, subdomains, key }) => {
      const settings = resolveSite(args, site);
      return {
        ...{ domain, subdomains, key, settings },
        certificate: certificates.get(domain),
        upstreamCertificate: upstream.get(domain),
        authorities: authoritiesOf(settings),
      };
    });
  }

  /**
   * A site's key is its identity: protected, so that neither a destroy nor a site that left the config takes it. It is named
   * by the domain alone: a site that moves to another project, or a project that is renamed, keeps its address.
   */
  private createKey({ domain, onion, key, replaceAddress }: SiteArgs, protect: boolean): OnionKey {
    return new OnionKey(
      domain,
      { key, onion, replaceAddress, label: `site ${domain}` },
      { parent: this, protect, retainOnDelete: true },
    );
  }
}

function problemsOf(name: string, args: SoftmapProjectArgs): Problem[] {
  const problems = validateProject({ name, ...args });
  return problems.length > 0 ? problems : authorityProblems(name, args);
}

function addressesOf(sites: readonly Site[]): pulumi.Output<Record<string, string>> {
  return pulumi
    .all(sites.map((site) => site.key.address))
    .apply((addresses) => Object.fromEntries(sites.map(({ domain }, i) => [domain, addresses[i] ?? ""])));
}

function expiriesOf(sites: readonly Site[]): pulumi.Output<Record<string, string>> {
  const certified = sites.flatMap(({ domain, certificate }) =>
    certificate ? { domain, ends: certificate.expires } : [],
  );
  return pulumi.output(certified).apply((known) => Object.fromEntries(known.map(({ domain, ends }) => [domain, ends])));
}
