import type { HostsConfig, StackConfig } from "../../config/schema";
import { workerPool } from "../../config/schema";
import type * as Aws from "./aws";
import type { Hosts } from "./host";
import { LabHosts } from "./lab";
import { LocalHost } from "./local";
import { readPrivateKey, SshHosts } from "./ssh";

/** The machines that a stack config asks for, from the provider it names. */
export function createHosts(name: string, config: StackConfig): Hosts {
  const { hosts, monitoring } = config;
  const shared = monitoring === undefined ? {} : { monitoring };
  switch (hosts.provider) {
    case "lab": {
      const { provider: _lab, name: lab, ...base } = hosts;
      return new LabHosts(name, { ...base, ...shared, lab, balancers: config.balancers, workers: workerPool(config) });
    }
    case "ssh": {
      const { provider: _ssh, agent: _agent, privateKeyFile, ...settings } = hosts;
      return new SshHosts(name, {
        ...settings,
        ...shared,
        ...privateKey(privateKeyFile),
        workers: pool(config, hosts),
      });
    }
    case "aws": {
      const { provider: _aws, privateKeyFile, proxy, ...settings } = hosts;
      return new (aws().AwsHosts)(name, {
        ...settings,
        ...shared,
        ...(proxy && { proxy: { ...proxy, ...privateKey(privateKeyFile) } }),
        workers: pool(config, hosts),
      });
    }
    case "local": {
      const { provider: _local, balancers, workers, ...settings } = hosts;
      const [machine] = [...balancers, ...workers];
      return new LocalHost(name, { ...settings, ...shared, ...(machine && { host: machine.name }) });
    }
  }
}

/** The machines that run backends: with workersOnBalancers the balancers' too. */
function pool<Hosts extends HostsConfig>({ workersOnBalancers }: StackConfig, hosts: Hosts): Hosts["workers"] {
  return [...(workersOnBalancers ? hosts.balancers : []), ...hosts.workers];
}

const privateKey = (file: string | undefined) => (file === undefined ? {} : { privateKey: readPrivateKey(file) });

/** Loaded by those alone who have machines there: AWS's SDK is a tenth of a second and 10 MB of every `pulumi`. */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is Node's own, and does not know cli/register.js
const aws = () => require("./aws") as typeof Aws;
