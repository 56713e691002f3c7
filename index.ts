import { Balancer } from "./components/balancer";
import { deskOutputs } from "./components/deskOutputs";
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
  publisher: config.publisher,
  timers: config.timers,
  watchdog: config.watchdog,
});

export const { addresses, certificates, backends, published, machines, monitoring } = deskOutputs({
  hosts,
  workers,
  balancer,
});
