import * as pulumi from "@pulumi/pulumi";
import type { Installation } from "./installation";
import { planWaves, waveBefore, type Rollout } from "../plan/waves";
import { valueOf } from "./valueOf";

/**
 * What each host's release waits for: the releases of the wave before its own. Waves are made of the hosts that answer, so that a dead
 * canary does not leave a change without one.
 *
 * Promises and not Outputs: the SDK looks for unknown values in everything that an Output leads to, and from a resource that is the whole stack. They
 * come in a preview, too: it supposes that every host answers (installationProvider.ts). As an element of `dependsOn` alone, see {@link among}: of a
 * `dependsOn` that is a promise itself the SDK makes an Output.
 */
export function releaseAfter(
  installations: ReadonlyMap<string, Installation>,
  rollout: Rollout,
): (host: string, releases: ReadonlyMap<string, pulumi.Resource>) => Promise<pulumi.Resource[]> {
  const hosts = [...installations.keys()];
  const silent = pulumi.all([...installations.values()].map((installation) => installation.silent));
  const answering = valueOf(silent).then((whys) => hosts.filter((_, i) => (whys?.[i] ?? "") === ""));
  // Each release asks for it, and fails with it: here nobody does.
  answering.catch(() => undefined);
  return async (host, releases) => {
    const answer = await answering;
    if (!answer.includes(host)) return [];
    return waveBefore(planWaves(answer, rollout), host).flatMap((name) => releases.get(name) ?? []);
  };
}

/** An element of `dependsOn` that is several resources: the SDK takes lists at any depth there (dependsOn.js, gatherExplicitDependencies), its types do not. */
export const among = (resources: Promise<readonly pulumi.Resource[]>): pulumi.Input<pulumi.Resource> =>
  resources as unknown as Promise<pulumi.Resource>;
