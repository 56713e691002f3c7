import * as pulumi from "@pulumi/pulumi";
import { releaseProgram, type Service, type StateFile } from "../host/program";
import type { Host } from "./hosts/host";
import type { BackendService } from "./workers";
import { backendUnit, nginxUnit, paths, users } from "../plan/names";

/** The rendered files of one tor daemon, and of one project with all its daemons. */
export interface DaemonFiles {
  readonly daemon: string;
  readonly torrc: pulumi.Output<string>;
}
export interface ProjectFiles {
  readonly project: string;
  readonly nginx: pulumi.Output<string>;
  readonly obConfig: pulumi.Output<string>;
  readonly daemons: readonly DaemonFiles[];
}

interface WorkerReleaseArgs {
  readonly host: Host;
  readonly projects: readonly ProjectFiles[];
  readonly units: { readonly tor: pulumi.Output<string>; readonly nginx: pulumi.Output<string> };
  readonly backends: readonly BackendService[];
}

/** The whole of a worker as one program: packages, users, keys, every project's nginx and tors. */
export function workerRelease(args: WorkerReleaseArgs): pulumi.Output<string> {
  const { host, projects, units } = args;
  const backends = args.backends.map(({ project, daemon, key }) => ({ project, daemon, keys: pulumi.all([key.secretKey, key.publicKey, key.hostname]) }));
  return pulumi.output({ projects, units, backends, instance: host.instance ?? "" }).apply((known) =>
    releaseProgram({
      role: "worker",
      host: host.name,
      instance: known.instance,
    }),
  );
}
