import * as pulumi from "@pulumi/pulumi";
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
}

/** Outputs of resources that a test cannot really make, by type. */
export type Pretend = Readonly<Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>>>;

const secretSignature = "4dabf18193072939515e22adb298388d";

/**
 * Stands in for the engine: dynamic resources run their real provider (check, then create), taken from the very text that goes into a state;
 * everything else answers with its inputs. `resources` fills while a program runs.
 */
export async function mockEngine(
  pretend: Pretend = {},
): Promise<{ resources: Registered[]; settled: () => Promise<void> }> {
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      call: () => ({}),
      async newResource(args) {
        const { __provider: provider, ...given } = bare(args.inputs) as Record<string, unknown>;
        const secretInputs = Object.entries(args.inputs as Record<string, unknown>)
          .filter(([, value]) => isSecret(value))
          .map(([key]) => key);
        const made = pretend[args.type]?.(given);
        const { inputs, outputs } =
          made !== undefined || typeof provider !== "string"
            ? { inputs: given, outputs: { ...given, ...made } }
            : await runProvider(provider, args.name, given);
        resources.push({ type: args.type, name: args.name, inputs, outputs, secretInputs });
        return { id: `${args.name}-id`, state: outputs };
      },
    },
    "softmap",
    "test",
    false,
  );
  // Everything that the program started has been registered once the connection is through.
  return { resources, settled: () => pulumi.runtime.disconnect() };
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
