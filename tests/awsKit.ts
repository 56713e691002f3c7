// AwsHosts over the mock engine, in an account that a test describes.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { AwsHosts, type AwsHostsArgs } from "../components/hosts/aws";
import { mockEngine, type Pretend, type Registered } from "./mocks";

type Inputs = Record<string, unknown>;
interface Asked {
  readonly token: string;
  readonly inputs: Inputs;
  readonly provider: string;
}
type Lookup = (inputs: Inputs) => Record<string, unknown>;

/** What the account answers. */
export interface Account {
  readonly zones?: readonly string[];
  /** Architecture of every image, in EC2's words; undefined: there is no image. */
  readonly image?: string | undefined;
  /** Architecture of each instance type, in EC2's words; what is not here is arm64 with two cores. */
  readonly types?: Readonly<Record<string, { architectures: string[]; vcpus: number } | undefined>>;
  /** Subnets of the VPC that exists, with their zones. */
  readonly subnets?: Readonly<Record<string, string>>;
  /** Whether there is a default VPC. @default true */
  readonly defaultVpc?: boolean;
  /** Outputs of machines that are there already. */
  readonly instance?: Inputs;
  /** What every lookup fails with. */
  readonly broken?: string;
}

export const vpc = "vpc-0a1b2c3d";
export const image = "ami-0123456789abcdef0";
/** In every place where a private key of the stack's is. */
export const canary = "-----BEGIN OPENSSH PRIVATE KEY-----";

export const minimal: AwsHostsArgs = {
  region: "eu-central-1",
  sshFrom: ["203.0.113.0/24"],
  balancers: [{ name: "balancer1" }],
  workers: [{ name: "north" }, { name: "south" }],
};

/** What a program that makes the machines registers, asks, and says. */
export class AwsGraph {
  private constructor(
    readonly resources: readonly Registered[],
    readonly asked: readonly Asked[],
    readonly warnings: readonly string[],
    readonly hosts: AwsHosts,
  ) {}

  static async of(args: Partial<AwsHostsArgs> = {}, account: Account = {}): Promise<AwsGraph> {
    const { engine, asked } = await start(account);
    const warnings: string[] = [];
    const { warn } = pulumi.log;
    Object.assign(pulumi.log, { warn: async (message: string) => void warnings.push(message) });
    try {
      const hosts = new AwsHosts("hosts", { ...minimal, ...args });
      await engine.settled();
      return new AwsGraph(engine.resources, asked, warnings, hosts);
    } finally {
      Object.assign(pulumi.log, { warn });
    }
  }

  /** A program that fails while its outputs become known: what Pulumi would print of it, and what was registered by then. */
  static async refused(
    args: Partial<AwsHostsArgs>,
    account: Account,
  ): Promise<{ error: string; resources: readonly Registered[] }> {
    const { engine } = await start(account);
    const errors = new Set<Error>();
    // As the SDK's own handler, which ends the program.
    const listeners = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", (error) => errors.add(error as Error));
    try {
      new AwsHosts("hosts", { ...minimal, base: false, ...args });
      await engine.settled().catch((error: Error) => errors.add(error));
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of listeners) process.on("unhandledRejection", listener);
    }
    const [error = assert.fail("it did not fail")] = errors;
    return { error: error.message, resources: engine.resources };
  }

  named(name: string, type = ""): Registered {
    const found = this.resources.find((one) => one.name === name && one.type.includes(type));
    assert.ok(found, `${name} is missing; there are ${this.resources.map((one) => one.name).join(", ")}`);
    return found;
  }

  instance(name: string): Registered {
    return this.named(`hosts-${name}`, "aws:ec2/instance:");
  }

  /** Names of a type's resources, without the component's in front. */
  names(type: string): string[] {
    return this.resources.flatMap((one) => (one.type.includes(type) ? [one.name.replace("hosts-", "")] : [])).sort();
  }

  connection(name: string): Promise<Record<string, unknown>> {
    const host = [...this.hosts.balancers, ...this.hosts.workers].find((one) => one.name === name);
    return valueOf<Record<string, unknown>>(host?.connection);
  }
}

/** The SDK takes a failed lookup's words from where gRPC has them. */
function fails(details: string): never {
  throw Object.assign(new Error(details), { details });
}

/** The mock engine, in the account. */
async function start(account: Account) {
  const engine = await mockEngine(pretendOf(account));
  const asked: Asked[] = [];
  const answers = lookupsOf(account);
  const { mocks } = (pulumi.runtime as unknown as { getMonitor(): { mocks: pulumi.runtime.Mocks } }).getMonitor();
  mocks.call = ({ token, inputs, provider = "" }) => {
    asked.push({ token, inputs: inputs as Inputs, provider });
    if (account.broken !== undefined) return fails(account.broken);
    return answers[token]?.(inputs as Inputs) ?? assert.fail(`nobody answers ${token}`);
  };
  return { engine, asked };
}

/** The value of an output, secret or not. */
export const valueOf = <T>(output: unknown): Promise<T> => (output as { promise(): Promise<T> }).promise();

function pretendOf({ instance = {} }: Account): Pretend {
  let keys = 0;
  let machines = 0;
  return {
    "tls:index/privateKey:PrivateKey": () => {
      const n = keys++;
      // With the line feed that the real one has.
      return { privateKeyOpenssh: `${canary}\nkey ${n}\n`, publicKeyOpenssh: `ssh-ed25519 AAAAkey${n}\n` };
    },
    "aws:ec2/instance:Instance": () => {
      const n = ++machines;
      const addresses = { publicIp: `198.51.100.${n}`, privateIp: `10.77.0.${n}` };
      return { ...addresses, availabilityZone: "eu-central-1a", ...instance };
    },
    "aws:ec2/eip:Eip": () => ({ publicIp: "192.0.2.77" }),
    // The real one dials.
    "pulumi-nodejs:dynamic/softmap:HostKey": () => ({}),
  };
}

function lookupsOf(account: Account): Record<string, Lookup> {
  const { zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"], types = {}, subnets = {} } = account;
  return {
    "aws:ec2/getAmi:getAmi": ({ filters }) => {
      const named = (filters as { name: string; values: string[] }[]).find(({ name }) => name === "image-id");
      const architecture = "image" in account ? account.image : "arm64";
      if (architecture === undefined)
        return fails("Your query returned no results. Please change your search criteria");
      return { id: named?.values[0] ?? image, architecture };
    },
    "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({ names: zones }),
    "aws:ec2/getInstanceType:getInstanceType": ({ instanceType }) => {
      const name = String(instanceType);
      const type = name in types ? types[name] : { architectures: ["arm64"], vcpus: 2 };
      if (type === undefined) return fails("InvalidInstanceType: The following supplied instance types do not exist");
      return { instanceType: name, defaultVcpus: type.vcpus, supportedArchitectures: type.architectures };
    },
    "aws:ec2/getVpc:getVpc": () => (account.defaultVpc === false ? fails("no matching EC2 VPC found") : { id: vpc }),
    "aws:ec2/getSubnets:getSubnets": () => ({ ids: Object.keys(subnets) }),
    "aws:ec2/getSubnet:getSubnet": ({ id }) => ({ id, availabilityZone: subnets[String(id)] }),
  };
}
