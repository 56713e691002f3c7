import * as pulumi from "@pulumi/pulumi";
import { providerNamed } from "./providerNamed";

export type { ServiceFiles, Services } from "./servicePlanProvider";

/** {@link ServiceFiles} with hashes that may not be known yet. */
export interface PlannedServiceFiles {
  readonly reload: Readonly<Record<string, pulumi.Input<string>>>;
  readonly restart: Readonly<Record<string, pulumi.Input<string>>>;
  readonly standby?: boolean;
}

/** Units by their names. */
export type PlannedServices = Readonly<Record<string, PlannedServiceFiles>>;

/** Arguments of {@link ServicePlan}. */
export interface ServicePlanArgs {
  /**
   * Each unit of the host, with a hash of each thing that it runs on. Shown in clear: a hash of a key is no secret, a key is. Each hash is an
   * input of its own: one that is not known in a preview, because a site's key is still to be made, leaves the other actions known.
   */
  readonly services: PlannedServices;
}

/** Its code is servicePlanProvider.ts. */
const provider = providerNamed("ServicePlan", ["check", "diff", "create", "update"]);

/**
 * What an update will do to each unit of one host, so that `pulumi preview --diff` says it before: start, reload, restart, retire, leave alone.
 * It does nothing by itself. It stands before the release that does it, and `leaving` tells the step that retires what there is to retire.
 * @example new ServicePlan("workers-worker1-services", { services: { "softmap-nginx@news.service": { reload: { "nginx/news.conf": hash }, restart: {} } } })
 */
export class ServicePlan extends pulumi.dynamic.Resource {
  /** By unit: `start`, `retire`, `leave alone`, `leave on standby`, `stop, to stand by`, or `reload (...)` and `restart (...)` with what changed and the beginning of its new hash. */
  declare readonly actions: pulumi.Output<Readonly<Record<string, string>>>;
  /** Names of units and files that have left the plan, the newest last: what the host may still have of them is to be retired. */
  declare readonly leaving: pulumi.Output<readonly string[]>;

  constructor(name: string, args: ServicePlanArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      provider,
      name,
      { services: args.services, actions: undefined, leaving: undefined },
      // Everything in `services` that matters is in `actions`, in words.
      pulumi.mergeOptions({ hideDiffs: ["services", "leaving"] }, opts),
      "softmap",
      "ServicePlan",
    );
  }
}
