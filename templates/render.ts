import ejs from "ejs";
import { unfit, type Language } from "./quote";
import type { Template } from "./template";

/** Template texts by name, as `readSources` gives them. */
export type Sources = Readonly<Record<string, string>>;

/**
 * A file from its kind, its texts and its model: pure. `render` in index.ts finds the kind by name; a dynamic provider
 * calls this, so that it carries one template and not all.
 */
export function renderTemplate<Model>(template: Template<Model>, sources: Sources, model: Model): string {
  const { language, title, locals } = template;
  try {
    const data: Record<string, unknown> = { ...language.helpers, ...locals(model), model };
    const options = {
      escape: (value: unknown) => written(language, value),
      // No `with`: a misspelt name in a template is an error, not an empty text.
      _with: false,
      strict: true,
      destructuredLocals: Object.keys(data),
      // EJS would put a piece of the template around every message.
      compileDebug: false,
      includer: (part: string) => ({ template: sourceOf(sources, part) }),
    };
    return ejs.render(sourceOf(sources, template.sources[0] ?? ""), data, options);
  } catch (error) {
    if (!(error instanceof Error) || !("unfit" in error)) throw error;
    const value = (error as Error & { value?: unknown }).value;
    const given = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
    throw new Error(`${title(model)}: ${pathOf(model, value) ?? "a value"}${given}: ${error.message}`);
  }
}

function written(language: Language, value: unknown): string {
  if (typeof value === "function") return (value as () => string)();
  if (typeof value === "string") return language.value(value);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return String(value);
  throw unfit(value, value === undefined ? "it is missing" : "it is neither a text nor a whole number");
}

function sourceOf(sources: Sources, name: string): string {
  const source = sources[name];
  if (source === undefined) throw new Error(`the source of template "${name}" is missing`);
  return source;
}

/** Where in a model a value is, as the operator would write it: `sites[0].domain`. */
function pathOf(model: unknown, value: unknown): string | undefined {
  if (model === null || typeof model !== "object") return undefined;
  for (const [key, held] of Object.entries(model)) {
    const here = Array.isArray(model) ? `[${key}]` : key;
    if (held === value) return here;
    const below = pathOf(held, value);
    if (below !== undefined) return below.startsWith("[") ? here + below : `${here}.${below}`;
  }
  return undefined;
}
