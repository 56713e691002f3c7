import * as pulumi from "@pulumi/pulumi";
import { probeProgram, retireProgram, type RetirePayload } from "../host/program";
import { daemonName, dataDir, torClient, units, type Role } from "../plan/names";
import type { Host } from "./hosts/host";
import { stackName } from "./releaseDefaults";
import { nginxService } from "./projectProxy";
import { hasClient, plannedFiles } from "./workerRelease";
import type { Workers } from "./workers";

/** Stops and removes what a worker runs beyond the plan. */
export function keepPlanned(host: Host, workers: Workers): pulumi.Output<string> {
  const { projects, drainTimeout } = workers;
  const daemons = [
    ...(hasClient(workers.files) ? [torClient] : []),
    ...projects.flatMap((project) =>
      Array.from({ length: project.softmapTorWorkers }, (_, i) => daemonName(project.name, i + 1, project.generation)),
    ),
  ];
  return retirement(host, {
    roles: ["worker"],
    owner: ownerOf(workers.name, host),
    keepServices: [...projects.map(({ name }) => units.nginx(name)), ...daemons.map(units.tor)],
    keepStateDirs: daemons.map(dataDir),
    keepFiles: plannedFiles(workers.files),
    proxies: projects.map(({ name }) => nginxService(name)),
    drainSeconds: drainTimeout,
  });
}

const nothing = { keepServices: [], keepStateDirs: [], keepFiles: [], proxies: [] };

/** Onionbalance, its tor and the site keys, on a machine that is a balancer no longer. */
export function removeBalancer(host: Host, balancer: string): pulumi.Output<string> {
  const owner = ownerOf(balancer, host);
  return retirement(host, { roles: ["publisher", "balancer"], owner, drainSeconds: 0, ...nothing });
}

/** Everything that a worker runs, with the keys of its backends, on a machine that is in the pool no longer. */
export function removeWorker(host: Host, workers: string, drainTimeout: number): pulumi.Output<string> {
  const owner = ownerOf(workers, host);
  return retirement(host, { roles: ["worker"], owner, drainSeconds: drainTimeout, ...nothing });
}

/** What was put on a machine besides tor, nginx and Onionbalance; `everything`: by an update, and not by the end of the machine. */
export function removeBase(
  host: Host,
  component: string,
  { everything }: { everything: boolean },
): pulumi.Output<string> {
  const owner = ownerOf(component, host);
  return retirement(host, { roles: ["base"], owner, drainSeconds: 0, ...nothing, ...(everything && { everything }) });
}

/** The exporter, on a machine that is monitored no longer. */
export function removeMetrics(host: Host, component: string): pulumi.Output<string> {
  return retirement(host, { roles: ["metrics"], owner: ownerOf(component, host), drainSeconds: 0, ...nothing });
}

/** Compares a machine with what was released there. */
export function probeOf(host: Host, component: string, roles: readonly Role[]): string {
  return probeProgram({ host: host.name, roles, owner: ownerOf(component, host) });
}

/**
 * Whose the roles on a machine are. When the component or the machine gets another name, Pulumi makes the new resources and then
 * deletes the old ones: the deletion must see that what runs there now is not its own any more. The first version wrote `workers/worker1`
 * here; its deletions, which an update to this one brings about, find another owner and leave all alone.
 */
export function ownerOf(component: string, host: Host): string {
  return `${component} on ${host.name}`;
}

function retirement(host: Host, rest: Omit<RetirePayload, "host" | "stack" | "instance">): pulumi.Output<string> {
  return pulumi
    .output(host.instance)
    .apply((instance) => retireProgram({ stack: stackName(), host: host.name, instance: instance ?? "", ...rest }));
}
