import * as pulumi from "@pulumi/pulumi";
import { packId, packProgram } from "../host/program";
import { stepPackProvider } from "./stepPackProvider";

/**
 * The code of all steps on hosts, host/pack.ts: an {@link Installation} that knows its name brings it to its machine. It is nowhere in the state.
 * @example new StepPack("hosts-pack", { parent: this }).pack
 */
export class StepPack extends pulumi.dynamic.Resource {
  /** Its name on a machine: another one for every change of softmap's own programs. */
  declare readonly pack: pulumi.Output<string>;

  constructor(name: string, opts: pulumi.CustomResourceOptions = {}) {
    super(stepPackProvider, name, { pack: packId(), program: packProgram() }, opts, "softmap", "StepPack");
  }
}
