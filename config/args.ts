// components/settings.ts: the settings as arguments of components, made from the schema alone.
import { z } from "zod";
import { type Duration, parseDuration } from "./duration";
import { type Json, jsonSchemaOf } from "./schema/json";
import { type Settings, optional } from "./schema/setting";
import { projectSettings, siteSettings } from "./schema/site";

const head = `// Settings of projects and sites as arguments. Made from config/schema/site/ by \`npm run docs\`: change them there.
import type { Input } from "@pulumi/pulumi";
`;

/** Keys are no part of the schema: they go past it, as secrets. */
const keys = [
  'Key of `certificate`, in PEM, or the path of its file. A secret. @default none @example config.requireSecret("key")',
  'Key of `upstreamCertificate`, in PEM, or the path of its file. A secret. @default none @example config.requireSecret("key")',
] as const;

/** Text of components/settings.ts. */
export function argsText(): string {
  const [certificate, upstream] = keys;
  const secrets = [
    `  /** ${certificate} */`,
    "  readonly certificateKey?: Input<string> | undefined;",
    `  /** ${upstream} */`,
    "  readonly upstreamCertificateKey?: Input<string> | undefined;",
  ];
  const [site, project] = [nodesOf(siteSettings), nodesOf(projectSettings)];
  return [
    head,
    ...entriesOf([...Object.values(site), ...Object.values(project)]),
    "/** What a site may have, and a project for all its sites; the site's own counts, a list replaces the project's. */",
    `export interface SiteSettingsArgs {\n${[...membersOf(site), ...secrets].join("\n")}\n}\n`,
    "/** What a project may have: settings of its sites, and those that its sites share. */",
    `export interface ProjectSettingsArgs extends SiteSettingsArgs {\n${membersOf(project).join("\n")}\n}\n`,
  ].join("\n");
}

type Nodes = Readonly<Record<string, Json>>;

function nodesOf(settings: Settings): Nodes {
  return jsonSchemaOf(z.strictObject(optional(settings)))["properties"] as Nodes;
}

function membersOf(nodes: Nodes): string[] {
  return Object.entries(nodes).flatMap(([key, node]) => [
    comment(node),
    `  readonly ${key}?: ${typeOf(node)} | undefined;`,
  ]);
}

/** What the entries of lists are: each kind is declared once, by its title. */
function entriesOf(nodes: readonly Json[]): string[] {
  const entries = nodes.flatMap((node): Json[] => (node["items"] === undefined ? [] : [node["items"] as Json]));
  const named = new Map(
    entries.flatMap((entry): [string, Json][] => (typeof entry["title"] === "string" ? [[entry["title"], entry]] : [])),
  );
  return [...named].map(([title, entry]) => {
    const members = Object.entries(entry["properties"] as Nodes).flatMap(([key, node]) => [
      `  /** ${String(node["description"])} */`,
      `  readonly ${key}: ${typeOf(node)};`,
    ]);
    return `/** ${String(entry["description"])} */\nexport interface ${title} {\n${members.join("\n")}\n}\n`;
  });
}

/** A component takes times in seconds, as numbers. */
const isDuration = (node: Json): boolean => node["unit"] === "duration";
const shown = (node: Json, value: unknown): string =>
  JSON.stringify(isDuration(node) ? parseDuration(value as Duration) : value);

function comment(node: Json): string {
  const unit = isDuration(node) ? "seconds" : node["unit"];
  const of = typeof unit === "string" ? ` Unit: ${unit}.` : "";
  const fallback = node["default"] === undefined ? "none" : shown(node, node["default"]);
  const example = shown(node, (node["examples"] as unknown[])[0]);
  const text = `${String(node["description"])}${of} @default ${fallback} @example ${example}`;
  return `  /** ${text.replaceAll("*/", "*\\/")} */`;
}

function typeOf(node: Json): string {
  if (isDuration(node)) return "number";
  const values = (node["enum"] ?? (node["const"] === undefined ? undefined : [node["const"]])) as unknown[] | undefined;
  if (values) return values.map((value) => JSON.stringify(value)).join(" | ");
  const several = node["anyOf"] as Json[] | undefined;
  if (several) return several.map(typeOf).join(" | ");
  switch (node["type"]) {
    case "array":
      return `readonly ${typeOf(node["items"] as Json)}[]`;
    case "object":
      if (typeof node["title"] === "string") return node["title"];
      return `Readonly<Record<string, ${typeOf(node["additionalProperties"] as Json)}>>`;
    case "integer":
      return "number";
    default:
      return String(node["type"]);
  }
}
