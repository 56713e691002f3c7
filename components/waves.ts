import * as pulumi from "@pulumi/pulumi";
import type { Installation } from "./installation";
import { planWaves, waveBefore, type Rollout } from "../plan/waves";

/**
 * What each host's release waits for: the releases of the wave before its own. Waves are made of the hosts that answer, so that a dead
 * canary does not leave a change without one.
 */
export function releaseAfter(
  installations: ReadonlyMap<string, Installation>,
  rollout: Rollout,
): (host: string, releases: ReadonlyMap<string, pulumi.Resource>) => pulumi.Output<pulumi.Resource[]> {
  const hosts = [...installations.keys()];
  const silent = pulumi.all([...installations.values()].map((installation) => installation.silent));
  return (host, releases) =>
    silent.apply((whys) => {
      const answering = hosts.filter((_, i) => whys[i] === "");
      if (!answering.includes(host)) return [];
      return waveBefore(planWaves(answering, rollout), host).flatMap((name) => releases.get(name) ?? []);
    });
}
