import * as pulumi from "@pulumi/pulumi";
import { Balancer } from "./components/balancer";
import { createHosts } from "./components/hosts";
import { SoftmapProject } from "./components/softmapProject";
import { readStack } from "./components/stackConfig";
import { Workers } from "./components/workers";

const { config, withKey, keysOf } = readStack();

const hosts = createHosts("hosts", config);
const projects = config.projects.map(
  ({ name, sites, ...settings }) =>
    new SoftmapProject(name, {
      ...settings,
      ...keysOf(name),
      sites: sites.map(withKey),
      protectKeys: config.protectKeys,
    }),
);
const workers = new Workers("workers", {
  hosts: hosts.workers,
  projects,
  listed: config.listed,
  rollout: config.rollout,
  drainTimeout: config.drainTimeout,
});
const balancer = new Balancer("balancer", {
  hosts: hosts.balancers,
  publishes: workers,
  publishing: config.publishing,
  publishTimeout: config.publishTimeout,
  retireGrace: config.retireGrace,
  rollbackWindow: config.rollbackWindow,
});

/** Domain to onion address, for every project. */
export const addresses = Object.fromEntries(projects.map((project) => [project.name, project.addresses]));
/** Domain to the end of its onion's certificate, for every project. An `up` in its last third renews a self-signed one. */
export const certificates = Object.fromEntries(projects.map((project) => [project.name, project.certificates]));
/** Each tor daemon with its own address and the worker it runs on. */
export const backends = workers.backends.map(({ name, worker, project, key }) => ({
  name,
  worker,
  project,
  address: key.address,
}));
/** What each balancer proved when it last published. */
export const published = balancer.published;
/** How to reach each machine, for the operator's commands. Secret: the login is in it. */
export const machines = pulumi.secret(
  Object.fromEntries(
    [...hosts.balancers, ...hosts.workers].map(({ name, connection }) => [name, connection ?? { local: true }]),
  ),
);
