import type * as pulumi from "@pulumi/pulumi";
import type { TemplateName } from "../templates";
import type { Component } from "./component";
import { RenderedConfig, type RenderedConfigArgs } from "./renderedConfig";

/** Renders one file as a child of `parent`, named after `what` it is; gives its text. */
export function renderer(parent: Component) {
  return <Name extends TemplateName>(
    what: string,
    template: Name,
    model: RenderedConfigArgs<Name>["model"],
  ): pulumi.Output<string> => new RenderedConfig<Name>(parent.childName(what), { template, model }, { parent }).text;
}
