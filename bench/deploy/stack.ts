import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { hostInfo, readNetwork, stackEnvironment, type Lab } from "../../lab/lab";
import { commandOf, ensureStack, pulumi, type LabStack } from "../../lab/pulumi";
import { UP } from "../options";
import type { Command } from "../spent";

const PROGRAM = join(__dirname, "program");
/** The change of one line: the value of a header of the requests to the site. */
const SETTINGS = { first: {}, changed: { xFromOnionValue: "bench" } } as const;
/** All hosts at once, as the others do it. */
const ROLLOUT = { canary: 0, waveSize: 50 };

/** softmap's own way: a stack that has never been deployed, on these hosts. */
export class Stack {
  private constructor(
    private readonly lab: Lab,
    private readonly hosts: readonly string[],
    private readonly stack: LabStack & { readonly configFile: string },
  ) {}

  static async make(lab: Lab, name: string, hosts: readonly string[], folder: string): Promise<Stack> {
    const configFile = join(folder, `Pulumi.${name}.yaml`);
    const stack = new Stack(lab, hosts, {
      name,
      configFile,
      program: PROGRAM,
      environment: stackEnvironment(lab),
    });
    stack.configure("first");
    await ensureStack(stack.stack);
    return stack;
  }

  /** The operator's edit. */
  configure(version: keyof typeof SETTINGS): void {
    const { privateKeyFile, torrc } = readNetwork(this.lab);
    const machines = this.hosts.map((host) => {
      const { name, address, hostKey } = hostInfo(this.lab, host);
      return { name, address, hostKey };
    });
    const settings = { privateKeyFile, torNetwork: torrc, machines, settings: SETTINGS[version], rollout: ROLLOUT };
    const named = Object.entries(settings).map(([key, value]) => [`bench-deploy:${key}`, value]);
    writeFileSync(this.stack.configFile, stringify({ config: Object.fromEntries(named) as unknown }));
  }

  /** The command that is measured, as an operator types it. */
  command(): Command {
    return commandOf(this.stack, UP);
  }

  /** The same, not measured. */
  async up(): Promise<void> {
    const run = await pulumi(this.stack, UP);
    if (run.code !== 0) throw new Error(`pulumi up failed:\n${run.stderr}${run.stdout.slice(-4000)}`);
  }
}
