import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import type * as tls from "@pulumi/tls";
import { patience, type Host } from "../host";
import { HostKey } from "../hostKey";
import { isBalancer, type AwsMachineArgs, type Filled } from "./args";
import { refuseMove, tellDifferences } from "./differences";
import type { Firewall } from "./firewall";
import { hostKeys, publicKey, type HostKeys } from "./keys";
import type { Context, Network } from "./network";
import { hasElasticAddress } from "./places";
import { loginUser, userData } from "./userData";

/** What is the same for every machine. */
export interface Surroundings {
  readonly network: Network;
  readonly firewall: Firewall;
  /** Each machine's instance type by its name. */
  readonly types: ReadonlyMap<string, string>;
  readonly login: tls.PrivateKey;
}

/**
 * What a machine takes over at its birth alone: a change of these would replace it, or stop it, while it serves. A machine with another name
 * takes them.
 */
const bornWith = ["ami", "instanceType", "subnetId", "associatePublicIpAddress", "userData", "rootBlockDevice"];

/** One instance, known by a host key of ours from its first connection on. */
export function machineOn(context: Context, around: Surroundings, machine: AwsMachineArgs): Host {
  const { parent, args } = context;
  const { name } = machine;
  const keys = hostKeys(parent, name);
  const instance = instanceFor(context, around, machine, keys.first);
  tellDifferences(context, machine, around.types.get(name) ?? "", instance);
  refuseMove(context, name, instance);

  const connection = pulumi.secret({
    host: addressOf(context, name, instance),
    port: 22,
    user: loginUser,
    privateKey: around.login.privateKeyOpenssh,
    ...patience,
    ...(args.proxy && { proxy: proxyTo(args.proxy) }),
  });
  const hostKey = knownBy(context, name, { connection, keys, instance });
  return {
    name,
    // Not until the machine shows the key that was in no user data.
    connection: pulumi.secret(
      pulumi.all([connection, hostKey]).apply(([reach, known]) => ({ ...reach, hostKey: known })),
    ),
    instance: instance.id,
    torNetwork: args.torNetwork && { torrc: args.torNetwork },
  };
}

function instanceFor(
  { parent, args, facts, opts }: Context,
  { network, firewall, types, login }: Surroundings,
  machine: AwsMachineArgs,
  first: tls.PrivateKey,
): aws.ec2.Instance {
  const { name } = machine;
  const guarded = isBalancer(args, name) && args.terminationProtection;
  const tags = machineTag(name);
  const told = pulumi
    .all([publicKey(login), first.privateKeyOpenssh, publicKey(first)])
    .apply(([loginKey, privateKey, hostKey]) => userData({ loginKey, hostKey: { privateKey, publicKey: hostKey } }));
  return new aws.ec2.Instance(
    parent.childName(name),
    {
      ami: facts.apply(({ image }) => image?.id ?? ""),
      instanceType: types.get(name) ?? "",
      subnetId: network.subnetFor(machine),
      vpcSecurityGroupIds: [firewall.group.id],
      associatePublicIpAddress: args.reach === "public" || args.subnets === undefined,
      userData: pulumi.secret(told),
      userDataReplaceOnChange: false,
      // A token, and one hop: a request that a service is tricked into does not get at the metadata.
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        encrypted: true,
        volumeType: "gp3",
        volumeSize: args.disk,
        deleteOnTermination: true,
        tags,
      },
      disableApiTermination: guarded,
      tags,
    },
    {
      ...opts,
      ignoreChanges: bornWith,
      additionalSecretOutputs: ["userData"],
      // EC2 refuses only when all that ran there has been retired; a preview refuses before.
      protect: guarded,
      dependsOn: [...network.ready, ...firewall.rules],
    },
  );
}

const machineTag = (name: string): { Name: string } => ({ Name: `${pulumi.getStack()}-${name}` });

/** Where ssh reaches it. An address of its own is there for others too, so also where ssh takes the private one. */
function addressOf({ parent, args, opts }: Context, name: string, instance: aws.ec2.Instance): pulumi.Output<string> {
  const itsOwn = hasElasticAddress(args, name) ? elasticAddress() : undefined;
  if (args.reach === "private") return instance.privateIp;
  // A machine that somebody stopped has no public address: a dead one, and a name that is nowhere (RFC 6761) says so. Without a name it is this machine.
  return (itsOwn ?? instance.publicIp).apply((ip) => ip || `${name}-has-no-public-address.invalid`);

  function elasticAddress(): pulumi.Output<string> {
    const inVpc = { domain: "vpc", tags: machineTag(name) };
    const address = new aws.ec2.Eip(parent.childName(`${name}-address`), inVpc, opts);
    const pair = { instanceId: instance.id, allocationId: address.id };
    const association = new aws.ec2.EipAssociation(parent.childName(`${name}-has-address`), pair, opts);
    // Not before the machine has it: until then nobody answers there.
    return pulumi.all([address.publicIp, association.id]).apply(([ip]) => ip);
  }
}

function proxyTo({ address, port = 22, user, hostKey, privateKey }: NonNullable<Filled["proxy"]>) {
  return {
    host: address,
    port,
    hostKey,
    ...(user !== undefined && { user }),
    ...(privateKey !== undefined && { privateKey }),
    ...patience,
  };
}

interface Reached {
  readonly connection: pulumi.Output<{ host: string; port: number; user: string; privateKey: string }>;
  readonly keys: HostKeys;
  readonly instance: aws.ec2.Instance;
}

/** The host key that the machine shows for good. */
function knownBy({ parent }: Context, host: string, { connection, keys, instance }: Reached): pulumi.Output<string> {
  return new HostKey(
    parent.childName(`${host}-known`),
    {
      host,
      connection,
      hostKey: publicKey(keys.last),
      privateKey: keys.last.privateKeyOpenssh,
      firstHostKey: publicKey(keys.first),
      instance: instance.id,
    },
    { parent },
  ).hostKey;
}
