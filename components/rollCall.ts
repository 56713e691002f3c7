import type * as pulumi from "@pulumi/pulumi";
import { ProvidedResource } from "./providedResource";
import type { SilentHost } from "./rollCallProvider";

export type { SilentHost } from "./rollCallProvider";

/** Arguments of {@link RollCall}. */
export interface RollCallArgs {
  /** The hosts that did not answer, in the order in which they are to be named. Empty: all did. */
  readonly silent: pulumi.Input<readonly SilentHost[]>;
}

/**
 * The last resource of an `up`: fails with one report when hosts did not answer, after everything else was done without them.
 * So a dead host is never an `up` that succeeded. Make it depend on all that is to be done before it fails.
 * @example new RollCall("balancer-roll-call", { silent }, { dependsOn: retirements })
 */
export class RollCall extends ProvidedResource {
  constructor(name: string, args: RollCallArgs, opts: pulumi.CustomResourceOptions = {}) {
    super("RollCall", name, { silent: args.silent }, opts);
  }
}
