/** What a Pulumi program of your own imports, and all of it that a package has: not the lab's machines, which live in a clone. */
export { Balancer, type BalancerArgs } from "./balancer";
export { Workers, type BackendService, type RolloutArgs, type WorkersArgs } from "./workers";
export { SoftmapProject, type Site, type SiteArgs, type SoftmapProjectArgs } from "./softmapProject";
export { deskOutputs, type DeskOutputs, type DeskOutputsArgs } from "./deskOutputs";
export { OnionKey, type OnionKeyArgs } from "./onionKey";
export { RenderedConfig } from "./renderedConfig";
export { AwsHosts, type AwsHostsArgs } from "./hosts/aws";
export { LocalHost, type LocalHostArgs } from "./hosts/local";
export { SshHosts, type JumpHostArgs, type SshHostArgs, type SshHostsArgs, type ThisHostArgs } from "./hosts/ssh";
export type { BaseArgs } from "./hosts/hostBase";
export type { Host, Hosts, Monitoring, TorNetwork } from "./hosts/host";
