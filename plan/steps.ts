// What waits for what. A release only adds or changes; workers get it in waves; a balancer publishes when every worker has
// released; only then does an earlier balancer stop, and only then goes what left the plan.
import { type Role } from "./names";
import { byName } from "./order";
import { waveBefore } from "./waves";

/** One step on one machine: one connection. */
export interface Step {
  /** `release worker1`, `release balancer balancer1`, `publish balancer1`, `stand by balancer2`, `retire worker1`. */
  readonly name: string;
  readonly kind: "release" | "publish" | "standby" | "retire";
  readonly host: string;
  /** The tree of releases that it touches. */
  readonly role: Role;
  /** Names of the steps that must have ended well before. */
  readonly waitsFor: readonly string[];
}

/** Who takes part in a deployment. */
export interface Participants {
  readonly balancers: readonly string[];
  /** The balancers that publish; the others stand by. */
  readonly publishing: readonly string[];
  /** All workers, wave by wave, see plan/waves.ts. */
  readonly waves: readonly (readonly string[])[];
}

/** Name of a worker's release step. */
const releaseWorker = (host: string): string => `release ${host}`;
/** Name of the release step of a balancer's tor. */
const releaseBalancer = (host: string): string => `release balancer ${host}`;
/** Name of a balancer's publish step. */
const publish = (host: string): string => `publish ${host}`;
/** Name of the step of a balancer that does not publish. */
const standBy = (host: string): string => `stand by ${host}`;
/** Name of a worker's retire step. */
const retire = (host: string): string => `retire ${host}`;

/**
 * All steps of a deployment, every step after those that it waits for.
 * A balancer's tor needs no wave: nothing is published through it until its own publish step.
 * A balancer that is to stand by may still be publishing: it stops when the others have published, not before.
 * A machine that is both has two releases; they need no order: a lock on the host (host/machine.py) lets one step in at a time.
 */
export function planSteps({ balancers, publishing, waves }: Participants): Step[] {
  const workers = waves.flat();
  const all = balancers.toSorted(byName);
  const publishers = all.filter((host) => publishing.includes(host));
  const standbys = all.filter((host) => !publishing.includes(host));
  const releases = [...workers.map(releaseWorker), ...all.map(releaseBalancer)];
  const publications = publishers.map(publish);
  return [
    ...workers.map((host): Step => ({
      name: releaseWorker(host),
      kind: "release",
      host,
      role: "worker",
      waitsFor: waveBefore(waves, host).map(releaseWorker),
    })),
    ...all.map((host): Step => ({
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
    ...standbys.map((host): Step => ({
      name: standBy(host),
      kind: "standby",
      host,
      role: "publisher",
      waitsFor: publications,
    })),
    ...workers.map((host): Step => ({
      name: retire(host),
      kind: "retire",
      host,
      role: "worker",
      // A balancer that has not stopped yet still lists what leaves.
      waitsFor: [...publications, ...standbys.map(standBy)],
    })),
  ];
}
