import * as pulumi from "@pulumi/pulumi";
import { retireProgram, type RetirePayload } from "../host/program";
import { daemonName, dataDir, units } from "../plan/names";
import type { Host } from "./hosts/host";
import type { Workers } from "./workers";

/** Stops and removes what a worker runs beyond the plan. */
export function keepPlanned(host: Host, { projects }: Workers): pulumi.Output<string> {
  const daemons = projects.flatMap(({ name, softmapTorWorkers }) =>
    Array.from({ length: softmapTorWorkers }, (_, i) => daemonName(name, i + 1)),
  );
  const keepServices = [...projects.map(({ name }) => units.nginx(name)), ...daemons.map(units.tor)];
  return retirement(host, ["worker"], { keepServices, keepStateDirs: daemons.map(dataDir) });
}

/** Onionbalance, its tor and the site keys, on a machine that is a balancer no longer. */
export function removeBalancer(host: Host): pulumi.Output<string> {
  return retirement(host, ["publisher", "balancer"], { keepServices: [], keepStateDirs: [] });
}

function retirement(
  host: Host,
  roles: RetirePayload["roles"],
  keep: Pick<RetirePayload, "keepServices" | "keepStateDirs">,
): pulumi.Output<string> {
  return pulumi
    .output(host.instance)
    .apply((instance) => retireProgram({ roles, host: host.name, instance: instance ?? "", ...keep }));
}
