// All settings of projects and sites beside what they are (their names, domains, addresses): groups of them, and their defaults.
import type { Exact } from "../check";
import { type Given, type Resolved, resolve } from "../setting";
import { engine, projectEngine } from "./engine";
import { headers } from "./headers";
import { lists } from "./lists";
import { requests } from "./requests";
import { projectRewriting, rewriting } from "./rewriting";
import { tls } from "./tls";
import { limits, tor } from "./tor";

/** What may stand on a project, for all its sites, and on a site, which wins: by group, in the order of the docs. */
export const siteGroups = { rewriting, headers, requests, lists, engine, tls } as const;
/** What may stand on a project alone. */
export const projectGroups = { rewriting: projectRewriting, engine: projectEngine, tor, limits } as const;

export const siteSettings = { ...rewriting, ...headers, ...requests, ...lists, ...engine, ...tls };
export const projectSettings = { ...projectRewriting, ...projectEngine, ...tor, ...limits };

/** Every setting of a site, defaults filled; those without a default are absent where nobody gave them. */
export type SiteSettings = Exact<Resolved<typeof siteSettings>>;
/** Every setting of a project alone, defaults filled. */
export type ProjectSettings = Exact<Resolved<typeof projectSettings>>;
/** Settings of a site as given on a project or a site, parsed. */
export type GivenSiteSettings = Given<typeof siteSettings>;
/** Settings of a project alone as given, parsed. */
export type GivenProjectSettings = Given<typeof projectSettings>;

/**
 * The settings of a site: its own, else its project's, else the default. A list on a site replaces the project's. Of `onionTls`
 * and `certificate` the nearer one counts, so that at most one of a certificate and `selfSigned` is left.
 * @example resolveSite({ nginxTimeout: 30 }, {}).nginxTimeout // 30
 */
export function resolveSite(project: GivenSiteSettings, site: GivenSiteSettings): SiteSettings {
  const settings = resolve(siteSettings, site, project);
  if (settings.certificate === undefined) return settings;
  const own = site.certificate !== undefined || (site.onionTls === undefined && project.certificate !== undefined);
  if (own) return { ...settings, onionTls: "off" };
  const { certificate: _projects, ...rest } = settings;
  return rest;
}

/** The settings of a project alone. */
export function resolveProject(project: GivenProjectSettings): ProjectSettings {
  return resolve(projectSettings, project);
}

/** Whether a site is served by https on its onion address. */
export function hasTls({ certificate, onionTls }: Pick<SiteSettings, "certificate" | "onionTls">): boolean {
  return certificate !== undefined || onionTls === "selfSigned";
}
