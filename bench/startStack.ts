/** A stack of hosts that pretend, of any size, with a state of its own: what `bench:start` and `bench:limits` look at. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { ensureEngine } from "../lab/engine/engine";
import { labNamed, stackEnvironment } from "../lab/lab";
import { ensureStack, pulumi, type LabStack, type PulumiOptions, type PulumiRun } from "../lab/pulumi";
import { USER, type PretendedHosts } from "./startHosts";

/** How big. */
export interface Size {
  readonly sites: number;
  /** One is balancer and worker; of more, the first is the balancer. */
  readonly hosts: number;
  /** Tor daemons of the project on each worker. @default 2 */
  readonly daemons?: number;
  /** A header's value that each worker's nginx has in its config. @default that of the project */
  readonly line?: string;
}

const LAB = labNamed("benchstart");

/** One folder for the states of all stacks. */
export class Stacks {
  private readonly folder = mkdtempSync(join(tmpdir(), "softmap-benchstart-"));
  readonly environment: Record<string, string>;

  private constructor(private readonly pretended: PretendedHosts) {
    mkdirSync(join(this.folder, "state"), { mode: 0o700 });
    this.environment = {
      ...stackEnvironment(LAB),
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      // As `npx` and the lab have it: the program's Node is the project's.
      PATH: `${resolve("node_modules/.bin")}:${process.env["PATH"] ?? ""}`,
    };
    writeFileSync(this.keyFile, pretended.privateKey, { mode: 0o600 });
  }

  static async start(pretended: PretendedHosts, say: (line: string) => void): Promise<Stacks> {
    await ensureEngine(say);
    return new Stacks(pretended);
  }

  /** A stack of that size, one of several that are called differently: configured, and not deployed. */
  async make(size: Size, called: string): Promise<LabStack> {
    const name = `s${size.sites}h${size.hosts}-${called}`;
    const configFile = join(this.folder, `Pulumi.${name}.yaml`);
    const stack = { name, configFile, environment: this.environment };
    this.configure(stack, size);
    await ensureStack(stack);
    return stack;
  }

  /** The operator's edit. */
  configure({ configFile = "" }: LabStack, size: Size): void {
    const settings = settingsOf(size, this.pretended, this.keyFile);
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`softmap:${key}`, value]));
    writeFileSync(configFile, stringify({ config }));
  }

  /** `pulumi ARGS` that must succeed. `path`: a folder of programs that come before all others. */
  async run(stack: LabStack, args: readonly string[], path?: string, options: PulumiOptions = {}): Promise<PulumiRun> {
    const PATH = [path, stack.environment["PATH"]].filter((part) => part !== undefined).join(":");
    const run = await pulumi({ ...stack, environment: { ...stack.environment, PATH } }, args, options);
    if (run.code !== 0) throw new Error(`pulumi ${args.join(" ")} failed:\n${run.stderr}${run.stdout}`.slice(0, 4000));
    return run;
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
    // Its environment is all that was wanted of it: it was never up.
    rmSync(LAB.dir, { recursive: true, force: true });
  }

  private get keyFile(): string {
    return join(this.folder, "login");
  }
}

/** A whole stack's settings, as an operator would write them. */
export function settingsOf(
  { sites, hosts, daemons = 2, line }: Size,
  pretended: Pick<PretendedHosts, "hosts">,
  privateKeyFile: string,
): Record<string, unknown> {
  const machines = pretended.hosts.slice(0, hosts);
  if (machines.length < hosts) throw new Error(`${hosts} hosts are wanted, and ${machines.length} pretend`);
  return {
    hosts: { provider: "ssh", user: USER, privateKeyFile },
    balancers: machines.slice(0, 1),
    workers: machines.slice(1),
    workersOnBalancers: hosts === 1,
    protectKeys: false,
    rollout: { canary: 0, waveSize: 50 },
    projects: [
      {
        name: "news",
        softmapTorWorkers: daemons,
        ...(line === undefined ? {} : { xFromOnionValue: line }),
        sites: Array.from({ length: sites }, (_, n) => ({ domain: `site${n + 1}.example.org` })),
      },
    ],
  };
}
