import { z } from "zod";
import { mostBackends, mostDistinct } from "../../plan/budget";
import { mostDaemons } from "../../plan/names";
import { type Exact, whole } from "./check";
import { domain, exampleOnion, onion, replaceAddress, subdomain } from "./domain";
import { projectName } from "./names";
import { filled, optional } from "./setting";
import { projectSettings, siteSettings } from "./site";

/** One site: a domain on the web and its onion address. */
export const siteSchema = z
  .strictObject({
    domain,
    subdomains: z
      .array(subdomain)
      .prefault([])
      .meta({
        description:
          "Subdomains whose own subdomains are in the onion certificate too. Every subdomain is served and rewritten in any case.",
        examples: [["cdn", "static.eu"]],
      }),
    onion: onion.optional(),
    replaceAddress: replaceAddress.optional(),
    ...optional(siteSettings),
  })
  .meta({
    description: "A site: one domain and its onion address.",
    examples: [{ domain: "www.example.org" }, { domain: "shop.example.org", onion: exampleOnion }],
  });

/** One project: sites that share backends. */
export const projectSchema = z
  .strictObject({
    name: projectName,
    // How many backends a site can have is the budget's: its message has the arithmetic (plan/budget.ts).
    softmapTorWorkers: whole(1, mostDaemons, "the project's nginx has sockets for so many tor daemons", {
      description: `tor daemons of the project on each worker. Listed workers x daemons is at most ${mostDistinct} backends, with \`publisher: onionbalance\` ${mostBackends}.`,
      unit: "daemons per worker",
      examples: [2],
    }).prefault(2),
    torIntrosPerDaemon: whole(3, 20, "tor takes no other number of introduction points", {
      description:
        "Introduction points that each daemon opens for its own descriptor (HiddenServiceNumIntroductionPoints). A site's descriptor has 2 of them, with distinct descriptors 1.",
      unit: "introduction points",
      examples: [3],
    }).prefault(3),
    backendHeader: z
      .boolean()
      .prefault(false)
      .meta({
        description:
          "Whether each answer names its backend in a header, X-Softmap-Backend. For labs and rehearsals: a visitor learns which machine served.",
        examples: [true],
      }),
    sites: z
      .array(siteSchema)
      .min(1)
      .meta({
        description: "The sites of the project. Each is published with all the project's backends.",
        examples: [[{ domain: "www.example.org" }]],
      }),
    ...filled(projectSettings),
    ...optional(siteSettings),
  })
  .meta({
    description: "A project: sites that share the same backends and nginx.",
    examples: [{ name: "news", sites: [{ domain: "www.example.org" }] }],
  });

/** A site, parsed: its settings as given, so that {@link resolveSite} can tell them from the project's and the defaults. */
export type SiteConfig = Exact<z.output<typeof siteSchema>>;
/** A site as the operator gives it. */
export type SiteInput = z.input<typeof siteSchema>;
/**
 * A project, parsed: nginxTimeout in seconds, IPv6 resolvers in brackets. What sites may have too is as given, see
 * {@link resolveSite}; every other default is filled.
 */
export type ProjectConfig = Exact<Omit<z.output<typeof projectSchema>, "sites">> & { sites: SiteConfig[] };
/** A project as the operator gives it, e.g. `{ name: "news", sites: [{ domain: "www.example.org" }] }`. */
export type ProjectInput = z.input<typeof projectSchema>;
