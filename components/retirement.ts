import * as pulumi from "@pulumi/pulumi";
import { retireProgram, type RetirePayload } from "../host/program";
import { daemonName, dataDir, units } from "../plan/names";
import type { Host } from "./hosts/host";
import type { Workers } from "./workers";

/** Stops and removes what a worker runs beyond the plan. */
export function keepPlanned(host: Host, workers: Workers): pulumi.Output<string> {
  const { projects } = workers;
  const daemons = projects.flatMap(({ name, softmapTorWorkers }) =>
    Array.from({ length: softmapTorWorkers }, (_, i) => daemonName(name, i + 1)),
  );
  const owner = ownerOf(workers.name, host);
  const keepServices = [...projects.map(({ name }) => units.nginx(name)), ...daemons.map(units.tor)];
  return retirement(host, ["worker"], { owner, keepServices, keepStateDirs: daemons.map(dataDir) });
}

/** Onionbalance, its tor and the site keys, on a machine that is a balancer no longer. */
export function removeBalancer(host: Host, balancer: string): pulumi.Output<string> {
  return retirement(host, ["publisher", "balancer"], {
    owner: ownerOf(balancer, host),
    keepServices: [],
    keepStateDirs: [],
  });
}

/** Everything that a worker runs, with the keys of its backends, on a machine that is in the pool no longer. */
export function removeWorker(host: Host, workers: string): pulumi.Output<string> {
  return retirement(host, ["worker"], { owner: ownerOf(workers, host), keepServices: [], keepStateDirs: [] });
}

/**
 * Whose the roles on a machine are. When the component or the machine gets another name, Pulumi makes the new resources and then
 * deletes the old ones: the deletion must see that what runs there now is not its own any more.
 */
export function ownerOf(component: string, host: Host): string {
  return `${component}/${host.name}`;
}

function retirement(
  host: Host,
  roles: RetirePayload["roles"],
  rest: Pick<RetirePayload, "owner" | "keepServices" | "keepStateDirs">,
): pulumi.Output<string> {
  return pulumi
    .output(host.instance)
    .apply((instance) => retireProgram({ roles, host: host.name, instance: instance ?? "", ...rest }));
}
