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
const releaseWorker = (host: string): string => `release ${host}`;
/** Name of the release step of a balancer's tor. */
const releaseBalancer = (host: string): string => `release balancer ${host}`;
/** Name of a balancer's publish step. */
const publish = (host: string): string => `publish ${host}`;
/** Name of a worker's retire step. */
const retire = (host: string): string => `retire ${host}`;

/**
 * All steps of a deployment, every step after those that it waits for.
 * A machine that is both has two releases; they need no order: a lock on the host (host/machine.py) lets one step in at a time.
 */
export function planSteps(balancers: readonly string[], pool: readonly string[]): Step[] {
  const workers = pool.toSorted(byName);
  const publishers = balancers.toSorted(byName);
  const releases = [...workers.map(releaseWorker), ...publishers.map(releaseBalancer)];
  return [
    ...workers.map((host): Step => ({
      name: releaseWorker(host),
      kind: "release",
      host,
      role: "worker",
      waitsFor: [],
    })),
    ...publishers.map((host): Step => ({
      name: releaseBalancer(host),
      kind: "release",
      host,
      role: "balancer",
      waitsFor: [],
    })),
    ...publishers.map((host): Step => ({
      name: publish(host),
      kind: "publish",
      host,
      role: "publisher",
      waitsFor: releases,
    })),
    ...workers.map((host): Step => ({
      name: retire(host),
      kind: "retire",
      host,
      role: "worker",
      waitsFor: publishers.map(publish),
    })),
  ];
}
