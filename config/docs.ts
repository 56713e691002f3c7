// docs/config.md and docs/config.schema.json, made from the schema alone.
import { z } from "zod";
import { valueAt } from "./place";
import {
  hostsSchema,
  monitoringSchema,
  projectSchema,
  rolloutSchema,
  secretKeys,
  secretsSchema,
  siteSchema,
  stackSchema,
  timersSchema,
  watchdogSchema,
} from "./schema";
import { optional } from "./schema/setting";
import { projectGroups, projectSettings, siteGroups, siteSettings } from "./schema/site";
import { awsHostsSchema } from "./schema/aws";
import { labHostsSchema, localHostsSchema, machineSchema, sshHostsSchema } from "./schema/hosts";
import { type Json, jsonSchemaOf } from "./schema/json";
import { proxy } from "./schema/proxy";

/** JSON schema (draft 2020-12) of a stack's file, `Pulumi.NAME.yaml`, for editors. */
export function stackFileSchema(): Json {
  const stack = jsonSchemaOf(stackSchema.extend(secretsSchema));
  const keys = valueAt(stack, ["properties"]) as Json;
  const properties = Object.fromEntries(
    Object.entries(keys).map(([key, node]) => [`softmap:${key}`, topLevel(key, node as Json)]),
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "softmap: the config of a stack",
    type: "object",
    properties: {
      config: {
        type: "object",
        properties,
        required: (stack["required"] as string[]).map((key) => `softmap:${key}`),
        patternProperties: { [`^softmap:(?!(${Object.keys(keys).join("|")})$)`]: false },
      },
    },
    required: ["config"],
  };
}

/** At the top level `pulumi config set` writes numbers and booleans as text; secrets are written as Pulumi encrypts them. */
function topLevel(key: string, node: Json): Json {
  const { description, default: fallback, examples, unit, ...type } = node;
  const about = Object.fromEntries(
    Object.entries({ description, default: fallback, examples, unit }).filter(([, value]) => value !== undefined),
  );
  if (type["type"] === "boolean") return { ...about, enum: [true, false, "true", "false"] };
  if ((secretKeys as string[]).includes(key)) return { ...about, type: "object" };
  const numbers = (type["anyOf"] as Json[] | undefined)?.some((branch) => branch["type"] === "integer");
  if (numbers) return { ...about, anyOf: [...(type["anyOf"] as Json[]), { type: "string", pattern: "^[0-9]{1,3}$" }] };
  return node;
}

/** Text of docs/config.schema.json. */
export function schemaText(): string {
  return `${JSON.stringify(stackFileSchema(), null, 2)}\n`;
}

const intro = `# The config of a stack

Everything an operator sets is under \`config:\` in \`Pulumi.NAME.yaml\`, each key with \`softmap:\` in front. Made from
\`config/schema/\` by \`npm run docs\`; \`docs/config.schema.json\` is the same for editors: put
\`# yaml-language-server: $schema=docs/config.schema.json\` in the first line of the file.

\`npx softmap check Pulumi.NAME.yaml\` tells every problem of a file at once and prints what it amounts to, without touching a
host. Examples: \`examples/config/\`. Durations are a whole number and a unit, \`s\`, \`m\` or \`h\`; sizes are bytes, or a number
and \`k\` or \`m\`. Regular expressions are PCRE, found anywhere in the text unless they have \`^\` and \`$\`; capitals do not matter.
What became of each of Onionspray's settings: \`docs/onionspray-settings.md\`.`;

/** A section of docs/config.md: its title, what it is about, the keys in it. */
type Section = readonly [title: string, text: string, schema: z.ZodObject];

function sections(): Section[] {
  return [
    ["Stack", "", stackSchema.extend(secretsSchema)],
    ["hosts, provider lab", "", labHostsSchema],
    ["hosts, provider ssh", "", sshHostsSchema],
    ["hosts, provider aws", "", awsHostsSchema],
    ["hosts, provider local", "", localHostsSchema],
    ["A jump host", "`proxy` of `hosts`, with provider ssh or aws.", proxy],
    [
      "A machine",
      "An entry of `balancers` or `workers`. With the lab and local a name alone. With provider ssh `address` and `hostKey` are needed, and `user` is that of `hosts` unless it has its own; with aws there are `zone` and `instanceType`.",
      machineSchema,
    ],
    ["rollout", "", rolloutSchema],
    [
      "timers",
      "Why they are as they are, and what others cost: [tuning](tuning.md). A lab: provider lab, or hosts with `torNetwork`.",
      timersSchema,
    ],
    ["watchdog", "What it does and what it never does: [tuning](tuning.md#the-watchdog).", watchdogSchema],
    ["monitoring", "What is measured, alerts, dashboard: [monitoring](monitoring.md).", monitoringSchema],
    ["A project", "An entry of `projects`. It may have the settings below too.", own(projectSchema)],
    ["A site", "An entry of a project's `sites`. It may have the settings of a site below too.", own(siteSchema)],
    ...Object.entries(siteGroups).map(([group, settings]): Section => [
      `Settings of a site: ${titles[group as keyof typeof titles]}`,
      "On a site, or on a project for all its sites; the site's own counts, and its list replaces the project's.",
      z.strictObject(optional(settings)),
    ]),
    ...Object.entries(projectGroups).map(([group, settings]): Section => [
      `Settings of a project alone: ${titles[group as keyof typeof titles]}`,
      "Its sites share them.",
      z.strictObject(optional(settings)),
    ]),
  ];
}

/** Link to the section of docs/config.md that has a key of a project or a site; undefined where there is no such key. */
export function linkTo(key: string): string | undefined {
  const [title] = sections().findLast(([, , { shape }]) => Object.hasOwn(shape, key)) ?? [];
  if (title === undefined) return undefined;
  const anchor = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
  return `[\`${key}\`](config.md#${anchor})`;
}

/** Text of docs/config.md. */
export function markdown(): string {
  return (
    [intro, ...sections().map(([title, text, schema]) => section(title, text, jsonSchemaOf(schema)))].join("\n\n") +
    `\n\n${after}\n`
  );
}

const titles: Readonly<Record<keyof typeof siteGroups | keyof typeof projectGroups, string>> = {
  rewriting: "rewriting",
  headers: "headers",
  requests: "requests that the worker answers itself",
  lists: "lists of what is refused",
  engine: "nginx",
  tls: "https on the onion",
  tor: "tor",
  limits: "limits for a circuit",
};

/** What is no setting: names, domains, addresses, daemons. */
function own(schema: typeof projectSchema | typeof siteSchema): z.ZodObject {
  const keys = Object.entries(schema.shape).filter(([key]) => !(key in siteSettings) && !(key in projectSettings));
  return z.strictObject(Object.fromEntries(keys));
}

const after = `## What softmap does not take

- Proof of work (\`torPowEnabled\`, \`torPowQueueRate\`, \`torPowQueueBurst\`): a backend's descriptor would ask for it, but clients see the
  site's own descriptor, which Onionbalance makes without it.
- Client authorization: Onionbalance cannot read the descriptor of a backend that has it, so the site would not be published.
- More than 120 backends for one site: clients ask 6 directories for a descriptor, and refuse one with more than 20 introduction
  points. With \`publisher: onionbalance\` more than ten: all directories have the same descriptor then, with 2 points of each backend.
  The arithmetic: [tuning](tuning.md).`;

function section(title: string, text: string, schema: Json): string {
  const required = (schema["required"] ?? []) as string[];
  const rows = Object.entries(schema["properties"] as Record<string, Json>).map(([key, node]) => {
    const fallback =
      node["default"] === undefined ? (required.includes(key) ? "required" : "none") : code(node["default"]);
    const cells = [
      `\`${key}\``,
      typeOf(node),
      word(node["unit"]) ?? "-",
      fallback,
      word(node["description"]) ?? "",
      code((node["examples"] as unknown[])[0]),
    ];
    return cells;
  });
  const keys = table(["key", "type", "unit", "default", "meaning", "example"], rows);
  return [`## ${title}`, ...(text === "" ? [] : [text]), keys].join("\n\n");
}

/** A table of Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const word = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const code = (value: unknown): string => `\`${JSON.stringify(value)}\``;

function typeOf(node: Json): string {
  const several = (node["anyOf"] ?? node["oneOf"]) as Json[] | undefined;
  if (node["enum"]) return (node["enum"] as unknown[]).map(code).join(" or ");
  if (several) return [...new Set(several.map(typeOf))].join(" or ");
  if (node["const"] !== undefined) return code(node["const"]);
  if (node["type"] === "array") return `list of ${typeOf(node["items"] as Json).replace(/^an? /, "")}`;
  if (node["type"] === "integer") {
    const { minimum, maximum } = node;
    return maximum === undefined ? "whole number" : `whole number, ${Number(minimum ?? 1)} to ${Number(maximum)}`;
  }
  return { string: "text", boolean: "true or false", object: "object" }[String(node["type"])] ?? String(node["type"]);
}

/** Every part of the config whose keys the docs list, for the test that none is without a doc line. */
export const documented: readonly z.ZodType[] = [
  stackSchema,
  hostsSchema,
  labHostsSchema,
  sshHostsSchema,
  rolloutSchema,
  timersSchema,
  watchdogSchema,
  monitoringSchema,
  projectSchema,
  siteSchema,
];
