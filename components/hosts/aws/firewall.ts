// What may come in to the machines, and what may go out.
import type * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import { nameTag, type Context, type Network } from "./network";

/** The machines' security group, and its rules: a machine waits for them, and they outlive it. */
export interface Firewall {
  readonly group: aws.ec2.SecurityGroup;
  readonly rules: readonly pulumi.Resource[];
}

const ssh = { ipProtocol: "tcp", fromPort: 22, toPort: 22 };

/**
 * Relays listen on any port, and origins on theirs. Names come from the VPC's resolver, which no group filters, or from another one; the time
 * may come from a pool.
 */
const outbound = {
  tcp: { ipProtocol: "tcp", fromPort: 0, toPort: 65_535 },
  dns: { ipProtocol: "udp", fromPort: 53, toPort: 53 },
  ntp: { ipProtocol: "udp", fromPort: 123, toPort: 123 },
};

/** A group with ssh, and the metrics where there are any, from the networks that were named, and nothing else inbound. */
export function firewallFor({ parent, args, opts }: Context, { vpcId }: Network): Firewall {
  // Another description is another group in EC2: it stays as it is, the metrics' port or not.
  const description = "softmap: ssh from named networks, nothing else inbound";
  const group = new aws.ec2.SecurityGroup(
    parent.childName("group"),
    { vpcId, description, tags: nameTag(parent) },
    opts,
  );
  const securityGroupId = group.id;
  const inbound = [...new Set(args.sshFrom)].map((cidr) => {
    const rule = { securityGroupId, ...source(cidr), ...ssh, description: "ssh of the operators" };
    return new aws.vpc.SecurityGroupIngressRule(parent.childName(`ssh-from-${plain(cidr)}`), rule, opts);
  });
  const { port = 0, from: scrapers = [] } = args.monitoring ?? {};
  const scraped = [...new Set(scrapers)].map((cidr) => {
    const rule = { securityGroupId, ...source(cidr), ipProtocol: "tcp", fromPort: port, toPort: port };
    const name = parent.childName(`metrics-from-${plain(cidr)}`);
    return new aws.vpc.SecurityGroupIngressRule(name, { ...rule, description: "Prometheus of the operators" }, opts);
  });
  const out = Object.entries(outbound).map(([what, ports]) => {
    const rule = { securityGroupId, cidrIpv4: "0.0.0.0/0", ...ports };
    return new aws.vpc.SecurityGroupEgressRule(parent.childName(`out-${what}`), rule, opts);
  });
  return { group, rules: [...inbound, ...scraped, ...out] };
}

const source = (cidr: string) => (cidr.includes(":") ? { cidrIpv6: cidr } : { cidrIpv4: cidr });

/** A network as a part of a name, no two alike. */
const plain = (cidr: string): string => cidr.replaceAll(/[^0-9a-z]/gi, "-");

/**
 * A way in for people: AWS's own login, no inbound port from outside. With `preserveClientIp` a rule would have to name their addresses.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-security-groups.html
 */
export function connectEndpoint({ parent, args, opts }: Context, network: Network, machines: Firewall): void {
  if (args.instanceConnectEndpoint !== true) return;
  const description = "softmap: the Instance Connect Endpoint, to the machines alone";
  const group = new aws.ec2.SecurityGroup(
    parent.childName("endpoint-group"),
    { vpcId: network.vpcId, description, tags: nameTag(parent, "endpoint") },
    opts,
  );
  const to = { securityGroupId: group.id, referencedSecurityGroupId: machines.group.id, ...ssh };
  const from = { securityGroupId: machines.group.id, referencedSecurityGroupId: group.id, ...ssh };
  new aws.vpc.SecurityGroupEgressRule(parent.childName("endpoint-out"), to, opts);
  new aws.vpc.SecurityGroupIngressRule(parent.childName("ssh-from-endpoint"), from, opts);
  const [first = { name: "" }] = args.balancers;
  new aws.ec2transitgateway.InstanceConnectEndpoint(
    parent.childName("endpoint"),
    {
      subnetId: network.subnetFor(first),
      securityGroupIds: [group.id],
      preserveClientIp: false,
      tags: nameTag(parent, "endpoint"),
    },
    // It reaches the whole VPC from any subnet: none is a reason for another endpoint.
    { ...opts, ignoreChanges: ["subnetId"] },
  );
}
