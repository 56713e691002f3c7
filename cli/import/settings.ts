// One setting of Onionspray as settings of ours. config/onionspray.ts says what became of each; here is how its value is written.
import { type Row, onionspray } from "../../config/onionspray";
import { projectSchema } from "../../config/schema";
import { type Json, jsonSchemaOf } from "../../config/schema/json";
import { resolverFault } from "../../config/schema/network";
import { preserveFault } from "../../config/schema/site/rewriting";
import { nearest } from "../../config/words";
import { shown } from "./entry";
import type { Given } from "./read";

/** What becomes of a setting. One line may come to several of these. */
export type Outcome =
  /** A setting of every project, or of those of one kind of map only. */
  | { readonly kind: "project"; readonly key: string; readonly value: unknown; readonly only?: "softmap" | "hardmap" }
  /** A setting of the site with this domain. */
  | { readonly kind: "site"; readonly domain: string; readonly key: string; readonly value: unknown }
  /** The path of authorities for origins: whoever reads the installation looks at the file. */
  | { readonly kind: "authorities"; readonly path: string }
  | { readonly kind: "dropped"; readonly why: string }
  | { readonly kind: "decision"; readonly why: string; readonly next: string };

/** What a conversion knows of the config around the setting. */
export interface Around {
  /** Domains of all its sites. */
  readonly domains: readonly string[];
}

const rows = new Map(Object.entries(onionspray).map(([name, row]) => [name.toLowerCase(), row]));

/** What became of a setting, by its name as it counts there: capitals do not matter, the rest does. */
export function rowOf(name: string): Row | undefined {
  return rows.get(name.toLowerCase());
}

const keys = jsonSchemaOf(projectSchema)["properties"] as Readonly<Record<string, Json>>;

/** What becomes of a `set` line. */
export function outcomesOf(given: Given, around: Around): Outcome[] {
  const row = rowOf(given.name);
  if (row === undefined) return [unknown(given.name)];
  const special = Object.hasOwn(specials, given.name) ? specials[given.name] : undefined;
  if (special !== undefined) return special(given, around, row);
  switch (row.kind) {
    case "refused":
      return [{ kind: "dropped", why: row.why }];
    case "replaced":
      return [{ kind: "dropped", why: `Here it is ${row.by}: ${row.why}` }];
    case "same":
      return [byType(given, row.key)];
  }
}

function unknown(name: string): Outcome {
  const near = nearest(name, Object.keys(onionspray));
  const meant =
    near === undefined
      ? "Look it up in docs/onionspray-settings.md, or leave it"
      : `Did you mean ${near}? Then write that, and import again`;
  return {
    kind: "decision",
    why: "Onionspray has no such setting: it does nothing there, and is nothing here.",
    next: `${meant}. A template of your own that reads it has no counterpart.`,
  };
}

const decision = (why: string, next: string): Outcome => ({ kind: "decision", why, next });
const project = (key: string, value: unknown): Outcome => ({ kind: "project", key, value });

/** As the schema of the key has it. */
function byType({ words }: Given, key: string): Outcome {
  const node = keys[key] ?? {};
  const text = words.join(" ");
  switch (node["type"]) {
    case "boolean":
      return flag(key, text);
    case "integer":
      return whole(key, text);
    case "array":
      return project(key, words.map(unescaped));
    default:
      if (node["unit"] === "duration") return project(key, /^[0-9]+$/.test(text) ? `${text}s` : text);
      return project(key, node["unit"] === "bytes" ? text.toLowerCase() : unescaped(text));
  }
}

/** There 0 and nothing are false, and everything else is true: also `off`. */
function flag(key: string, text: string): Outcome {
  if (text === "" || text === "0") return project(key, false);
  if (/^(1|on|yes|true|haproxy)$/i.test(text)) return project(key, true);
  const next = `Write ${key}: true or ${key}: false into the config.`;
  return decision(
    "It is neither 0 nor 1: there everything but 0 counts as 1, what is meant may be another thing.",
    next,
  );
}

function whole(key: string, text: string): Outcome {
  if (/^[0-9]{1,12}$/.test(text)) return project(key, Number(text));
  return decision("It is not a whole number.", `Write ${key} into the config as a number, or leave it at its default.`);
}

/** nginx takes the backslash away in front of these in its quoted texts, into which Onionspray pastes every value. */
export function unescaped(text: string): string {
  return text.replaceAll(/\\([\\"'])/g, "$1");
}

/** Words with commas in them: fields as Onionspray's templates split them. */
function fields(word: string): string[] {
  return word.split(",").map(unescaped);
}

type Special = (given: Given, around: Around, row: Row) => Outcome[];

/** Every word with at least `least` fields as an entry of a list; the others are told. */
function csv(key: string, least: number, entry: (fields: readonly string[]) => unknown): Special {
  return ({ words }) => {
    const all = words.map(fields);
    const whole = all.filter(({ length }) => length >= least);
    const short = all.length - whole.length;
    const why = `${short} of its words ${short === 1 ? "has" : "have"} fewer than ${least} fields with commas between them.`;
    return [
      ...(whole.length > 0 || short === 0 ? [project(key, whole.map(entry))] : []),
      ...(short > 0 ? [decision(why, `Write what is meant into ${key} of the config.`)] : []),
    ];
  };
}

const redirect = (key: string): Special =>
  csv(key, 3, ([match, code, to]) => ({ match, code: /^[0-9]{3}$/.test(code ?? "") ? Number(code) : code, to }));
const argument = (key: string): Special => csv(key, 2, ([name, value]) => ({ name, value }));

/** nginx makes a line break of \n in the text of an answer. */
const answer = (text: string | undefined): string => (text ?? "").replaceAll("\\n", "\n");

/** Words `domain,value`: a setting of that site. */
function ofSite(key: string): Special {
  return ({ words }, { domains }) =>
    words.map((word) => {
      const comma = word.indexOf(",");
      const domain = word.slice(0, Math.max(comma, 0)).toLowerCase();
      if (comma > 0 && domains.includes(domain))
        return { kind: "site", domain, key, value: unescaped(word.slice(comma + 1)) };
      const why = comma > 0 ? `No site has the domain ${shown(domain)}.` : "A word is a domain, a comma and the value.";
      return decision(why, `Write ${key} on the site that is meant.`);
    });
}

const list = (name: string, make: (key: string) => Special): Record<string, Special> => {
  const row = onionspray[name];
  return row?.kind === "same" ? { [name]: make(row.key) } : {};
};

const paramLists = ["block_param", "param_blacklist", "param_whitelist"].flatMap((name) => [name, `${name}_re`]);
const redirectLists = ["redirect_host", "redirect_path", "redirect_fixed_host", "redirect_fixed_path"];

const specials: Readonly<Record<string, Special>> = {
  ...Object.fromEntries(paramLists.flatMap((name) => Object.entries(list(name, argument)))),
  ...Object.fromEntries(redirectLists.flatMap((name) => Object.entries(list(name, redirect)))),
  ...list("ssl_proof_csv", (key) => csv(key, 2, ([path, text]) => ({ path, text: answer(text) }))),
  ...list("hardcoded_endpoint_csv", (key) => csv(key, 2, ([path, text]) => ({ path, text: answer(text) }))),
  ...list("inject_origin", ofSite),
  ...list("inject_referer", ofSite),
  ...list("inject_headers_upstream", (key) => (given, around, row) => {
    const [found, ...rest] = csv(key, 2, ([name, value]) => [name, value])(given, around, row);
    if (found?.kind !== "project") return found === undefined ? [] : [found];
    return [project(key, Object.fromEntries(found.value as [string, string][])), ...rest];
  }),
  ...list("nginx_resolver", (key) => ({ words }) => {
    const addresses = words.filter((word) => resolverFault(word) === undefined);
    const others = words.length - addresses.length;
    const why =
      "Only the addresses of its resolvers are taken: nginx's parameters behind them (valid=, ipv6=) are set by softmap.";
    return [
      ...(addresses.length > 0 ? [project(key, addresses)] : []),
      ...(others > 0 ? [{ kind: "dropped" as const, why }] : []),
    ];
  }),
  ...list("nginx_action_abort", (key) => ({ words }) => {
    const status = /^return ([0-9]{3});?$/.exec(words.join(" "))?.[1];
    if (status !== undefined) return [project(key, Number(status))];
    return [
      decision(
        "It is more than `return` and a status.",
        `Write ${key}: a status from 400 to 599; 444 closes the connection.`,
      ),
    ];
  }),
  ...list("nginx_workers", (key) => ({ words }) => [{ ...workers(key, words), only: "hardmap" }]),
  softmap_nginx_workers: ({ words }, _, row) => [{ ...workers(byOf(row), words), only: "softmap" }],
  nginx_proxy_ssl_trusted_certificate: ({ words }) =>
    words.length === 0 ? [] : [{ kind: "authorities", path: words.join(" ") }],
  log_separate: ({ words }, _, row) => {
    if (["", "0"].includes(words.join(" "))) return [{ kind: "dropped", why: row.why ?? "" }];
    return [project(byOf(row), "truncated")];
  },
  onionspray_cert_days: ({ words }, _, row) => [whole(byOf(row), words.join(" "))],
  preserve_csv: ({ words }, { domains }, row) => words.map((word) => preserved(byOf(row), word, domains)),
};

const byOf = (row: Row): string => (row.kind === "replaced" ? row.by : row.kind === "same" ? row.key : "");

function workers(key: string, words: readonly string[]): { kind: "project"; key: string; value: unknown } {
  const text = words.join(" ");
  return { kind: "project", key, value: /^[0-9]{1,6}$/.test(text) ? Number(text) : text };
}

/** A word `token,regex,i,replacement`: where the expression is a plain text, that text is left alone. */
function preserved(key: string, word: string, domains: readonly string[]): Outcome {
  const expression = fields(word)[1] ?? "";
  const text = expression.replaceAll(/\\b|^\^|\$$/g, "").replaceAll(/\\([.@-])/g, "$1");
  const hides = domains.find((domain) => domain.includes(text.toLowerCase()));
  if (text === "" || preserveFault(text) !== undefined) {
    const why = "Its expression is no plain text: an entry here is left alone exactly as it is written.";
    return decision(
      why,
      `Write the texts that are meant into ${key}; domains of e-mail addresses are left alone anyway.`,
    );
  }
  if (hides === undefined) return project(key, [text]);
  return decision(
    `It is in the domain of the site ${hides}, and a text is left alone wherever it stands: no link to the site would be rewritten.`,
    `Nothing where e-mail addresses are meant, they are left alone anyway. Else write longer texts into ${key}.`,
  );
}
