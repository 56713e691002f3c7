// What waits for what. A release only adds; a balancer publishes when every worker has released; only then goes what left the plan.
import { type Role } from "./names";
import { byName } from "./order";

/** One step on one machine: one connection. */
export interface Step {
  /** `release worker1`, `release balancer balancer1`, `publish balancer1`, `retire worker1`. */
  readonly name: string;
  readonly kind: "release" | "publish" | "retire";
  readonly host: string;
  /** The tree of releases that it touches. */
  readonly role: Role;
  /** Names of the steps that must have ended well before. */
  readonly waitsFor: readonly string[];
}

/** Name of a worker's release step. */
export const releaseWorker = (host: string): string => `release ${host}`;
/** Name of the release step of a balancer's tor. */
export const releaseBalancer = (host: string): string => `release balancer ${host}`;
/** Name of a balancer's publish step. */
export const publish = (host: string): string => `publish ${host}`;
/** Name of a worker's retire step. */
export const retire = (host: string): string => `retire ${host}`;

/**
 * All steps of a deployment, every step after those that it waits for.
 * On a machine that is both, the balancer's release waits for the worker's: two package managers at once lock each other out.
 */
export function planSteps(balancers: readonly string[], pool: readonly string[]): Step[] {
  const workers = pool.toSorted(byName);
  const releases = workers.map(releaseWorker);
  const publishers = balancers.toSorted(byName);
  return [
    ...workers.map((host): Step => ({
      name: releaseWorker(host),
      kind: "release",
      host,
      role: "worker",
      waitsFor: [],
    })),
    ...publishers.map((host): Step => {
      const waitsFor = workers.includes(host) ? [releaseWorker(host)] : [];
      return { name: releaseBalancer(host), kind: "release", host, role: "balancer", waitsFor };
    }),
    ...publishers.map((host): Step => {
      return {
        name: publish(host),
        kind: "publish",
        host,
        role: "publisher",
        waitsFor: [...releases, releaseBalancer(host)],
      };
    }),
    ...workers.map((host): Step => ({
      name: retire(host),
      kind: "retire",
      host,
      role: "worker",
      waitsFor: publishers.map(publish),
    })),
  ];
}
