import * as pulumi from "@pulumi/pulumi";
import { ProvidedResource } from "./providedResource";
import type { Services } from "./servicePlanProvider";

export type { ServiceFiles, Services } from "./servicePlanProvider";

/** Arguments of {@link ServicePlan}. */
export interface ServicePlanArgs {
  /**
   * Each unit of the host, with a hash of each thing that it runs on. Shown in clear: a hash of a key is no secret, a key is. A hash may be
   * unknownValue: one that is not known in a preview, because a site's key is still to be made, leaves the other actions known.
   */
  readonly services: pulumi.Input<Services>;
  /** Names of the machines that all run these units. @example ["worker1", "worker2"] @default one machine, which has no need of a name here */
  readonly hosts?: readonly string[] | undefined;
}

/**
 * What an update will do to each unit of a host, so that `pulumi preview --diff` says it before: start, reload, restart, retire, leave alone.
 * Hosts that run the same units share one: of thirty machines a preview says it once, and the engine's state has it once.
 * It does nothing by itself. It stands before the release that does it, and `leaving` tells the step that retires what there is to retire.
 * @example new ServicePlan("workers-services", { services: { "softmap-nginx@news.service": { reload: { "nginx/news.conf": hash }, restart: {} } }, hosts: ["worker1", "worker2"] })
 */
export class ServicePlan extends ProvidedResource {
  /**
   * By unit: `start`, `retire`, `leave alone`, `leave on standby`, `stop, to stand by`, or `reload (...)` and `restart (...)` with what changed and the
   * beginning of its new hash. Of machines that come or go it is `all on worker3`, too: `start` or `retire`.
   */
  declare readonly actions: pulumi.Output<Readonly<Record<string, string>>>;
  /** Names of units and files that have left the plan, the newest last: what the host may still have of them is to be retired. */
  declare readonly leaving: pulumi.Output<readonly string[]>;

  constructor(name: string, args: ServicePlanArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "ServicePlan",
      name,
      {
        // As one text: the engine looks at each value by itself at each call and writes it to its log. What matters in it is in `actions`, in words.
        services: pulumi.output(args.services).apply((known) => JSON.stringify(known)),
        hosts: args.hosts,
        actions: undefined,
        leaving: undefined,
      },
      pulumi.mergeOptions({ hideDiffs: ["services", "hosts", "leaving"] }, opts),
    );
  }
}
