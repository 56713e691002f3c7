// Whether a machine has about as many cores as it has processes that use them.
import { count } from "../config/words";
import { vcpusOf } from "./instanceTypes";

/** What runs on a machine, and on how many cores. */
export interface Load {
  readonly host: string;
  readonly vcpus: number;
  /** Tor daemons of all projects. tor runs on one core each, so that more of them are the only way to use more cores. */
  readonly daemons: number;
  /** One nginx a project. */
  readonly proxies: number;
  /** Whether Onionbalance and its tor run there too. */
  readonly balancer: boolean;
}

/**
 * What to say when a machine has far more processes than cores, or far fewer; undefined when it is about right. The guide's rule is one core
 * for each tor daemon and nginx; twice as many processes as cores are still served well, since they wait for the network most of their time.
 * @example coresAdvice({ host: "worker1", vcpus: 2, daemons: 6, proxies: 3, balancer: false })
 */
export function coresAdvice({ host, vcpus, daemons, proxies, balancer }: Load): string | undefined {
  const processes = daemons + proxies + (balancer ? 1 : 0);
  const what = [
    ...(daemons > 0 ? [count(daemons, "tor daemon")] : []),
    ...(proxies > 0 ? [`${proxies} nginx`] : []),
    ...(balancer ? ["a balancer"] : []),
  ].join(", ");
  if (processes > 2 * vcpus)
    return `${host} has ${count(vcpus, "core")} for ${what}: they will wait for one another. Next: fewer softmapTorWorkers, a larger instance type, or more workers with fewer daemons each.`;
  if (vcpus >= 4 && 2 * processes < vcpus)
    return `${host} has ${count(vcpus, "core")} for ${what}: most will idle, since tor uses one core a daemon. Next: more softmapTorWorkers, or a smaller instance type.`;
  return undefined;
}

/** What to say of each machine of a stack in AWS whose cores do not fit what runs there. */
export function coresAdviceOf(types: ReadonlyMap<string, string>, loads: readonly Omit<Load, "vcpus">[]): string[] {
  return loads.flatMap((load) => {
    const vcpus = vcpusOf(types.get(load.host) ?? "");
    return (vcpus !== undefined && coresAdvice({ ...load, vcpus })) || [];
  });
}
