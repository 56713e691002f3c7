import * as pulumi from "@pulumi/pulumi";
import { issue } from "./certificates";
import { loadProvider } from "./closure";

/** One resource as a program asked for it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Inputs after the provider's check; unknown values are undefined, secrets are bare. */
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
  /** Names of inputs that were given as secrets. */
  readonly secretInputs: readonly string[];
  /** The name of the component that it is a child of; "" of the program's own. */
  readonly parent: string;
  /** Names of what must be there before it, for whatever reason: an input, or dependsOn. */
  readonly waitsFor: readonly string[];
  /** What the program said of it beside its inputs. */
  readonly options: Options;
}

/** Options of a resource. */
export interface Options {
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** Inputs whose changes do not count. */
  readonly ignoreChanges: readonly string[];
  /** Outputs that are secret though no input of that name is. */
  readonly additionalSecretOutputs: readonly string[];
  /** The name of the provider that was given; "" of the default one. */
  readonly provider: string;
}

/** Names of hosts that do not answer, each with the reason. */
export type Silent = Readonly<Record<string, string>>;

/** What a provider is asked without making anything, by token: the answers of a small account in AWS. */
const lookups: Readonly<Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>> = {
  "aws:ec2/getAmi:getAmi": () => ({ id: "ami-0123456789abcdef0", architecture: "arm64", rootDeviceName: "/dev/xvda" }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({
    names: ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
  }),
  "aws:ec2/getInstanceType:getInstanceType": ({ instanceType }) => ({
    instanceType,
    defaultVcpus: 2,
    supportedArchitectures: ["arm64"],
  }),
  "aws:ec2/getVpc:getVpc": () => ({ id: "vpc-0a1b2c3d", cidrBlock: "172.31.0.0/16" }),
  "aws:ec2/getSubnets:getSubnets": () => ({ ids: ["subnet-0a1b2c3d", "subnet-1a2b3c4d"] }),
  "aws:ec2/getSubnet:getSubnet": ({ id }) => ({ id, availabilityZone: "eu-central-1a" }),
};

/** Outputs of resources that a test cannot really make, by type. */
export type Pretend = Readonly<Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>>;

let anyPair: ReturnType<typeof issue> | undefined;

const secretSignature = "4dabf18193072939515e22adb298388d";

/** What the SDK asks its engine for, as far as it is looked at. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): readonly string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getIgnorechangesList(): readonly string[];
  getAdditionalsecretoutputsList(): readonly string[];
  getProvider(): string;
}
interface Monitor {
  registerResource(request: Request, callback: unknown): Promise<void>;
}

/**
 * Stands in for the engine: dynamic resources run their real provider (check, then create), taken from the very text that goes into a state;
 * everything else answers with its inputs. Nobody is dialled: each host answers but those in `silent`, and a roll call that finds somebody
 * silent is recorded instead of failing the program. `resources` fills while a program runs.
 */
export async function mockEngine(
  pretend: Pretend = {},
  silent: Silent = {},
): Promise<{ resources: Registered[]; settled: () => Promise<void> }> {
  const resources: Registered[] = [];
  const requests = new Map<string, Request>();
  // Any certificate will do where nobody looks at what it says.
  const pair = await (anyPair ??= issue("any.onion"));
  const made: Pretend = {
    "tls:index/privateKey:PrivateKey": () => ({
      privateKeyPem: pair.key,
      privateKeyOpenssh: "-----BEGIN OPENSSH PRIVATE KEY-----",
      publicKeyOpenssh: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n",
    }),
    // The real one dials.
    "pulumi-nodejs:dynamic/softmap:HostKey": () => ({}),
    "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: pair.certificate }),
    "pulumi-nodejs:dynamic/softmap:Installation": ({ host }) => ({
      silent: silent[String(host)] ?? "",
      repair: 0,
      drift: "",
    }),
    "pulumi-nodejs:dynamic/softmap:RollCall": () => ({}),
    ...pretend,
  };
  await pulumi.runtime.setMocks(
    {
      call: ({ token, inputs }) => lookups[token]?.(inputs as Record<string, unknown>) ?? {},
      async newResource(args) {
        const { __provider: provider, ...given } = bare(args.inputs) as Record<string, unknown>;
        const secretInputs = Object.entries(args.inputs as Record<string, unknown>)
          .filter(([, value]) => isSecret(value))
          .map(([key]) => key);
        const pretended = made[args.type]?.(given);
        const { inputs, outputs } =
          pretended !== undefined || typeof provider !== "string"
            ? { inputs: given, outputs: { ...given, ...pretended } }
            : await runProvider(provider, args.name, given);
        const request = requests.get(`${args.type} ${args.name}`);
        const parent = nameIn(request?.getParent() ?? "");
        const waitsFor = [...(request?.getDependenciesList() ?? [])].map(nameIn);
        const options = optionsOf(request);
        resources.push({ type: args.type, name: args.name, inputs, outputs, secretInputs, parent, waitsFor, options });
        return { id: `${args.name}-id`, state: outputs };
      },
    },
    "softmap",
    "test",
    false,
    "organization",
  );
  // Mocks are told neither parents nor what a resource waits for: both are in what the SDK asks the engine.
  const monitor = (pulumi.runtime as unknown as { getMonitor(): Monitor }).getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    requests.set(`${request.getType()} ${request.getName()}`, request);
    return register(request, callback);
  };
  // Everything that the program started has been registered once the connection is through.
  return { resources, settled: () => pulumi.runtime.disconnect() };
}

function optionsOf(request: Request | undefined): Options {
  // A provider is referred to as URN::ID.
  const provider = (request?.getProvider() ?? "").replace(/::[^:]*$/, "");
  return {
    protect: request?.getProtect() ?? false,
    retainOnDelete: request?.getRetainondelete() ?? false,
    ignoreChanges: [...(request?.getIgnorechangesList() ?? [])],
    additionalSecretOutputs: [...(request?.getAdditionalsecretoutputsList() ?? [])],
    provider: nameIn(provider),
  };
}

/** The name in `urn:pulumi:<stack>::<project>::<type>::<name>`; "" of the stack itself, which is every program's root. */
function nameIn(urn: string): string {
  const [, , type, name = ""] = urn.split("::");
  return type === "pulumi:pulumi:Stack" ? "" : name;
}

interface Checked {
  readonly inputs: Record<string, unknown>;
  readonly failures?: readonly { readonly reason: string }[];
}

async function runProvider(
  text: string,
  name: string,
  given: Record<string, unknown>,
): Promise<{ inputs: Record<string, unknown>; outputs: Record<string, unknown> }> {
  const provider = loadProvider<Record<string, unknown>>(text);
  const { inputs, failures = [] }: Checked =
    provider.check === undefined ? { inputs: given } : await provider.check({}, given);
  if (failures.length > 0) throw new Error(`${name}: ${failures.map((failure) => failure.reason).join("; ")}`);
  const created = await provider.create(inputs);
  return { inputs, outputs: { ...inputs, ...created.outs } };
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && secretSignature in value;
}

/** Values without the wrapping that marks secrets. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  if (isSecret(value)) return bare((value as Record<string, unknown>)["value"]);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, bare(entry)]));
}
