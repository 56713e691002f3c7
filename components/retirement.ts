import * as pulumi from "@pulumi/pulumi";
import { retireProgram } from "../host/program";
import { daemonName, dataDir, units } from "../plan/names";
import type { Host } from "./hosts/host";
import type { Workers } from "./workers";

/** Stops and removes what a worker runs beyond the plan. */
export function keepPlanned(host: Host, { projects }: Workers): pulumi.Output<string> {
  const daemons = projects.flatMap(({ name, softmapTorWorkers }) =>
    Array.from({ length: softmapTorWorkers }, (_, i) => daemonName(name, i + 1)),
  );
  const keepServices = [...projects.map(({ name }) => units.nginx(name)), ...daemons.map(units.tor)];
  return withInstance(host, (instance) =>
    retireProgram({
      role: "worker",
      host: host.name,
      instance,
      keepServices,
      keepStateDirs: daemons.map(dataDir),
      everything: false,
    }),
  );
}

/** Removes Onionbalance, its tor and the site keys from a machine that is a balancer no longer. */
export function keepNothing(host: Host): pulumi.Output<string> {
  return withInstance(host, (instance) =>
    retireProgram({
      role: "publisher",
      host: host.name,
      instance,
      keepServices: [],
      keepStateDirs: [],
      everything: true,
    }),
  );
}

function withInstance(host: Host, program: (instance: string) => string): pulumi.Output<string> {
  return pulumi.output(host.instance).apply((instance) => program(instance ?? ""));
}
