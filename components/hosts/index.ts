import type { StackConfig } from "../../config/schema";
import { workerPool } from "../../config/schema";
import type { Hosts } from "./host";
import { LabHosts } from "./lab";
import { readPrivateKey, SshHosts } from "./ssh";

/** The machines that a stack config asks for, from the provider it names. */
export function createHosts(name: string, config: StackConfig): Hosts {
  const { hosts } = config;
  switch (hosts.provider) {
    case "lab":
      return new LabHosts(name, { lab: hosts.name, balancers: config.balancers, workers: workerPool(config) });
    case "ssh":
      return new SshHosts(name, {
        user: hosts.user,
        torNetwork: hosts.torNetwork,
        ...(hosts.privateKeyFile !== undefined && { privateKey: readPrivateKey(hosts.privateKeyFile) }),
        balancers: hosts.balancers,
        workers: [...(config.workersOnBalancers ? hosts.balancers : []), ...hosts.workers],
      });
  }
}
