// docs/onionspray-settings.md, made from config/onionspray.ts and the schema.
import { linkTo, table } from "./docs";
import { type Row, groups, oursAlone } from "./onionspray";
import { projectSchema } from "./schema";
import { type Json, jsonSchemaOf } from "./schema/json";

const intro = `# Onionspray's settings here

What became of each setting of Onionspray, and of EOTK, which it comes from. Made from \`config/onionspray.ts\` by \`npm run docs\`; a
report on an unknown key of the config says the same. There most settings are global; here each project has its own, and a site
has most of them too: \`docs/config.md\`. A default here is named where it is another one.`;

/** Text of docs/onionspray-settings.md. */
export function onionsprayMarkdown(): string {
  const keys = jsonSchemaOf(projectSchema)["properties"] as Readonly<Record<string, Json>>;
  const head = ["there", "default there", "here", "default here", "why"];
  const parts = groups.map(({ title, rows }) => {
    const merged = new Map<Row, string[]>();
    for (const [name, row] of Object.entries(rows)) merged.set(row, [...(merged.get(row) ?? []), `\`${name}\``]);
    const cells = [...merged].map(([row, names]) => [
      names.join(", "),
      inCode(row.there),
      here(row),
      fallbackHere(row, keys),
      row.why ?? "",
    ]);
    return `## ${title}\n\n${table(head, cells)}`;
  });
  const alone = oursAlone.map((key) => `- ${linkTo(key) ?? key}: ${String(keys[key]?.["description"])}`).join("\n");
  return `${[intro, ...parts, `## Settings that Onionspray does not have\n\n${alone}`].join("\n\n")}\n`;
}

const inCode = (text: string): string => (text === "none" ? "none" : `\`${text}\``);

function here(row: Row): string {
  if (row.kind === "refused") return "not taken";
  const key = row.kind === "same" ? row.key : row.by;
  return linkTo(key) ?? key;
}

/** The default where it is not the same as there: true is 1 there, an empty list is none. */
function fallbackHere(row: Row, keys: Readonly<Record<string, Json>>): string {
  if (row.kind !== "same") return "";
  const fallback = keys[row.key]?.["default"];
  const shown = fallback === undefined ? "[]" : JSON.stringify(fallback);
  if (shown === "[]" || shown === "{}") return ["none", "tor's", "off"].includes(row.there) ? "" : "none";
  const asThere = { true: ["1"], false: ["0", "off", "none"] }[shown] ?? [shown, shown.replaceAll('"', "")];
  return asThere.includes(row.there) || asThere.includes(`${row.there}s`) ? "" : `\`${shown}\``;
}
