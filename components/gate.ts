import type * as pulumi from "@pulumi/pulumi";
import { ProvidedResource } from "./providedResource";

/** Arguments of {@link Gate}. */
export interface GateArgs {
  /** Who is waited for, for people: a preview shows who comes and goes. @example ["worker1", "worker2"] */
  readonly of: readonly string[];
}

/**
 * Many resources that many others wait for, as one: who waits for the gate waits for all that it depends on. The state says of each resource what it waits
 * for by name; a hundred bases that wait for a hundred looks would have ten thousand names, three times.
 * @example new Gate("hosts-looked", { of: ["worker1", "worker2"] }, { dependsOn: installations })
 */
export class Gate extends ProvidedResource {
  constructor(name: string, args: GateArgs, opts: pulumi.CustomResourceOptions) {
    super("Gate", name, { of: [...args.of] }, opts);
  }
}
