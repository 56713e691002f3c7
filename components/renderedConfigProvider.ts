// The dynamic provider behind RenderedConfig. It travels in the state of every rendered file: see onionKeyProvider.ts.
import type * as pulumi from "@pulumi/pulumi";
import { templates, type Sources, type TemplateName } from "../templates";
import { renderTemplate } from "../templates/render";
import type { Template } from "../templates/template";
import { hasUnknown, unknownValue } from "./unknownValue";

interface Wanted {
  readonly model: unknown;
  readonly sources: Sources;
}

interface Rendered {
  readonly template: TemplateName;
  readonly text: string;
}

function providerOf<Name extends TemplateName>(name: Name): pulumi.dynamic.ResourceProvider {
  // Only this template is in the closure, not all of them.
  const template = templates[name] as unknown as Template<unknown>;
  return {
    async check(_olds: unknown, { model, sources }: Wanted) {
      if (hasUnknown(model) || hasUnknown(sources)) return { inputs: { template: name, text: unknownValue } };
      try {
        return { inputs: { template: name, text: renderTemplate(template, sources, model) } };
      } catch (error) {
        return { inputs: { template: name, text: "" }, failures: [{ property: "", reason: (error as Error).message }] };
      }
    },

    async diff(_id: string, old: Rendered, wanted: Rendered) {
      return { changes: old.text !== wanted.text };
    },

    async create({ text }: Rendered) {
      return { id: name, outs: { template: name, text } };
    },

    async update(_id: string, _old: Rendered, { text }: Rendered) {
      return { outs: { template: name, text } };
    },
  };
}

/** One object for each template: the SDK serializes it once. No `read` and no `delete`: a text is nowhere but in the state. */
export const renderedConfigProviders = Object.fromEntries(
  (Object.keys(templates) as TemplateName[]).map((name) => [name, providerOf(name)]),
) as Readonly<Record<TemplateName, pulumi.dynamic.ResourceProvider>>;
