// The dynamic provider behind RenderedConfig; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";
import { templates, type TemplateName } from "../templates";
import { renderTemplate } from "../templates/render";
import { readSources } from "../templates/sources";
import type { Template } from "../templates/template";
import { unknownValue } from "./unknownValue";

interface Wanted {
  readonly template: TemplateName;
  /** JSON. */
  readonly model: string;
}

interface Rendered {
  readonly template: TemplateName;
  readonly text: string;
}

/** No `read` and no `delete`: a text is nowhere but in the state. */
export const renderedConfigProvider: pulumi.dynamic.ResourceProvider = {
  // The model is used here and dropped, so that neither the state nor a diff has it.
  async check(_olds: unknown, { template, model }: Wanted) {
    if (model === unknownValue) return { inputs: { template, text: unknownValue } };
    try {
      const kind = templates[template] as unknown as Template<unknown>;
      return { inputs: { template, text: renderTemplate(kind, readSources(template), JSON.parse(model) as unknown) } };
    } catch (error) {
      return { inputs: { template, text: "" }, failures: [{ property: "", reason: (error as Error).message }] };
    }
  },

  async diff(_id: string, old: Rendered, wanted: Rendered) {
    return { changes: old.text !== wanted.text };
  },

  async create({ template, text }: Rendered) {
    return { id: template, outs: { template, text } };
  },

  async update(_id: string, _old: Rendered, { template, text }: Rendered) {
    return { outs: { template, text } };
  },
};
