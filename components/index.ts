/** What a Pulumi program of your own imports. */
export { Balancer, type BalancerArgs } from "./balancer";
export { Workers, type BackendService, type RolloutArgs, type WorkersArgs } from "./workers";
export { SoftmapProject, type Site, type SiteArgs, type SoftmapProjectArgs } from "./softmapProject";
export { OnionKey, type OnionKeyArgs } from "./onionKey";
export { RenderedConfig } from "./renderedConfig";
export { LabHosts, type LabHostsArgs } from "./hosts/lab";
export { SshHosts, type SshHostArgs, type SshHostsArgs } from "./hosts/ssh";
export type { Host, Hosts, TorNetwork } from "./hosts/host";
