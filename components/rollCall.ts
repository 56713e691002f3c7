import * as pulumi from "@pulumi/pulumi";
import { providerNamed } from "./providerNamed";
import type { SilentHost } from "./rollCallProvider";

export type { SilentHost } from "./rollCallProvider";

/** Arguments of {@link RollCall}. */
export interface RollCallArgs {
  /** The hosts that did not answer, in the order in which they are to be named. Empty: all did. */
  readonly silent: pulumi.Input<readonly SilentHost[]>;
}

/** Its code is rollCallProvider.ts. */
const provider = providerNamed("RollCall", ["diff", "create", "update"]);

/**
 * The last resource of an `up`: fails with one report when hosts did not answer, after everything else was done without them.
 * So a dead host is never an `up` that succeeded. Make it depend on all that is to be done before it fails.
 * @example new RollCall("balancer-roll-call", { silent }, { dependsOn: retirements })
 */
export class RollCall extends pulumi.dynamic.Resource {
  constructor(name: string, args: RollCallArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(provider, name, { silent: args.silent }, opts, "softmap", "RollCall");
  }
}
