import * as pulumi from "@pulumi/pulumi";
import type { Balancer } from "./balancer";
import type { Hosts, Monitoring } from "./hosts/host";
import type { Workers } from "./workers";

/** Arguments of {@link deskOutputs}: what the stack is made of. */
export interface DeskOutputsArgs {
  /** Its machines. */
  readonly hosts: Hosts;
  /** Its pool; the projects are those that it runs. */
  readonly workers: Workers;
  /** Its balancer: who publishes, and the machines that stand by. */
  readonly balancer: Balancer;
}

/** What the desk, `npx softmap ...`, reads of a stack. The names are those that it asks for: export each under its own. */
export interface DeskOutputs {
  /** Domain to onion address, for every project. */
  readonly addresses: Readonly<Record<string, pulumi.Output<Record<string, string>>>>;
  /** Domain to the end of its onion's certificate, ISO 8601, for every project. An `up` in its last third renews a self-signed one. */
  readonly certificates: Readonly<Record<string, pulumi.Output<Record<string, string>>>>;
  /** Each tor daemon with its own address and the worker it runs on. */
  readonly backends: readonly {
    readonly name: string;
    readonly worker: string;
    readonly project: string;
    readonly address: pulumi.Output<string>;
  }[];
  /** What each balancer proved when it last published. */
  readonly published: pulumi.Output<Record<string, string>>;
  /** How to reach each machine. Secret: the login is in it. */
  readonly machines: pulumi.Output<Record<string, unknown>>;
  /** Where the machines tell Prometheus how they are, and which networks may ask; null: they tell nobody. */
  readonly monitoring: Monitoring | null;
}

/**
 * The outputs that a program of your own exports, so that the desk finds its machines and what they serve.
 * @example export const { addresses, certificates, backends, published, machines } = deskOutputs({ hosts, workers, balancer });
 */
export function deskOutputs({ hosts, workers, balancer }: DeskOutputsArgs): DeskOutputs {
  const ofProjects = <Value>(value: (project: Workers["projects"][number]) => Value): Record<string, Value> =>
    Object.fromEntries(workers.projects.map((project) => [project.name, value(project)]));
  const machines = [...hosts.balancers, ...hosts.workers];
  return {
    addresses: ofProjects((project) => project.addresses),
    certificates: ofProjects((project) => project.certificates),
    backends: workers.backends.map(({ name, worker, project, key }) => ({
      name,
      worker,
      project,
      address: key.address,
    })),
    published: balancer.published,
    monitoring: machines.find(({ monitoring }) => monitoring !== undefined)?.monitoring ?? null,
    machines: pulumi.secret(
      Object.fromEntries(machines.map(({ name, connection }) => [name, connection ?? { local: true }])),
    ),
  };
}
