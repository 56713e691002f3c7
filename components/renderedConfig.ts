import * as pulumi from "@pulumi/pulumi";
import { templates, type Models, type TemplateName } from "../templates";
import { ProvidedResource } from "./providedResource";

/** A model whose values may be outputs of other resources. */
export interface RenderedConfigArgs<Name extends TemplateName> {
  /** Which file: `nginx`, `backend-torrc`, ... */
  readonly template: Name;
  /** What the template wants. Never a secret: the text is shown in previews and kept in clear. */
  readonly model: pulumi.Input<DeepInput<Models[Name]>>;
}

/** `T` with an Input at every depth. */
export type DeepInput<T> = T extends string | number | boolean | undefined
  ? pulumi.Input<T>
  : T extends readonly (infer Item)[]
    ? pulumi.Input<readonly DeepInput<Item>[]>
    : pulumi.Input<{ [Key in keyof T]: DeepInput<T[Key]> }>;

/**
 * One file rendered from a template, so that `pulumi preview --diff` shows the lines that change. Rendering happens in
 * the provider's `check`: the text is an input, known at preview as soon as the model is.
 * Fails at preview, naming file, property and value, when a value cannot be written in its place.
 * @example new RenderedConfig("news-ob-config", { template: "ob-config", model: { frontends: [key.address] } }).text
 */
export class RenderedConfig<Name extends TemplateName = TemplateName> extends ProvidedResource {
  /** The template's name. */
  declare readonly template: pulumi.Output<Name>;
  /** The file. */
  declare readonly text: pulumi.Output<string>;

  constructor(name: string, args: RenderedConfigArgs<Name>, opts: pulumi.CustomResourceOptions = {}) {
    if (!Object.hasOwn(templates, args.template)) {
      const names = Object.keys(templates).join(", ");
      throw new Error(`RenderedConfig ${name}: template "${args.template}" does not exist. There are ${names}`);
    }
    super(
      "RenderedConfig",
      name,
      {
        template: args.template,
        // As one text: the engine looks at each value by itself at each call and writes it to its log, and a site's model has 150.
        model: withoutSecrets(name, args.model).apply((known) => JSON.stringify(known)),
        text: undefined,
      },
      opts,
    );
  }
}

/** The model, or an error when any of it is secret: the mark would be lost in rendering, and the secret shown. */
function withoutSecrets(name: string, model: pulumi.Input<unknown>): pulumi.Output<unknown> {
  const all = pulumi.output(model);
  return pulumi.output(pulumi.isSecret(all)).apply((secret) => {
    if (secret)
      throw new Error(
        `RenderedConfig ${name}: its model has a secret, and rendered text is never secret. Send secrets apart`,
      );
    return all;
  });
}
