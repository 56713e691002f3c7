import * as pulumi from "@pulumi/pulumi";
import { Component } from "./component";
import { OnionKey } from "./onionKey";
import { validateProject } from "../config/parse";
import { generationOf } from "../plan/generation";
import { render } from "../templates";
import { readSources } from "../templates/sources";

/** One site: a domain, and the onion address that stands for it. */
export interface SiteArgs {
  /** The clearnet domain, without scheme or path. @example "www.example.org" */
  readonly domain: string;
  /** Names below the domain whose links are rewritten too; requests for any subdomain are served in any case. @example ["cdn"] @default [] */
  readonly subdomains?: readonly string[];
  /** The address that the key must have: a guard against adopting the wrong key. @example "<56 characters>.onion" */
  readonly onion?: string | undefined;
  /** An existing key: tor's `hs_ed25519_secret_key` as base64, a PEM key, or a path to either. A secret. @default a new key at the first `up`, kept for ever */
  readonly key?: pulumi.Input<string> | undefined;
  /** The old address, named to let it go: without this, a change of address is refused. @default none */
  readonly replaceAddress?: string | undefined;
}

/** Arguments of {@link SoftmapProject}. */
export interface SoftmapProjectArgs {
  /** The sites that share this project's backends. At least one. */
  readonly sites: readonly SiteArgs[];
  /** tor daemons on each worker for this project, the guide's M. @default 2 */
  readonly softmapTorWorkers?: number;
  /** Introduction points of each daemon, 3 to 20, the guide's P. @default 3 */
  readonly torIntrosPerDaemon?: number;
  /** DNS servers that find the upstreams. @example ["192.0.2.53"] @default the worker's own resolvers */
  readonly nginxResolver?: readonly string[];
  /** Seconds that nginx waits for an upstream. @default 15 */
  readonly nginxTimeout?: number;
  /** Whether answers name their backend in a header, `X-Softmap-Backend`: for labs and rehearsals. @default false */
  readonly backendHeader?: boolean;
  /** Refuse to delete site keys, so that no address is lost by accident. @default true */
  readonly protectKeys?: boolean;
}

/** A site with its key. */
export interface Site {
  readonly domain: string;
  readonly subdomains: readonly string[];
  readonly key: OnionKey;
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
  readonly nginxResolver: readonly string[];
  readonly nginxTimeout: number;
  readonly backendHeader: boolean;
  /** 4 hex digits for all that its tor daemons take over at their start alone: see plan/generation.ts. */
  readonly generation: string;
  /** Domain to onion address. */
  readonly addresses: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: SoftmapProjectArgs, opts?: pulumi.ComponentResourceOptions) {
    super("SoftmapProject", name, validateProject({ name, ...args }), opts);
    const protect = args.protectKeys ?? true;

    this.sites = args.sites.map((site) => this.createSite(site, protect));
    this.softmapTorWorkers = args.softmapTorWorkers ?? 2;
    this.torIntrosPerDaemon = args.torIntrosPerDaemon ?? 3;
    this.nginxResolver = args.nginxResolver ?? [];
    this.nginxTimeout = args.nginxTimeout ?? 15;
    this.backendHeader = args.backendHeader ?? false;
    this.generation = generationOf({ sites: args.sites, unit: render("unit-tor", readSources("unit-tor"), {}) });
    this.addresses = addressesOf(this.sites);
    this.registerOutputs({ addresses: this.addresses });
  }

  /**
   * A site's key is its identity: protected, so that neither a destroy nor a site that left the config takes it. It is named
   * by the domain alone: a site that moves to another project, or a project that is renamed, keeps its address.
   */
  private createSite(site: SiteArgs, protect: boolean): Site {
    const { domain, onion, key, replaceAddress, subdomains = [] } = site;
    const identity = new OnionKey(
      domain,
      { key, onion, replaceAddress, label: `site ${domain}` },
      { parent: this, protect, retainOnDelete: true },
    );
    return { domain, subdomains, key: identity };
  }
}

function addressesOf(sites: readonly Site[]): pulumi.Output<Record<string, string>> {
  return pulumi
    .all(sites.map((site) => site.key.address))
    .apply((addresses) => Object.fromEntries(sites.map(({ domain }, i) => [domain, addresses[i] ?? ""])));
}
