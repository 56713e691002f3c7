import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { hostDown, hostUp, stackEnvironment, type Lab } from "../lab/lab";
import { ensureStack, pulumi, type LabStack, type PulumiRun } from "../lab/pulumi";

/** A tor daemon, as the stack's output has it. */
export interface Backend {
  readonly name: string;
  readonly worker: string;
  readonly address: string;
}

/** One of several stacks in a lab, each with hosts of its own. */
export class BenchStack {
  private constructor(
    private readonly lab: Lab,
    private readonly stack: LabStack & { readonly configFile: string },
    private readonly folder: string,
  ) {}

  /** Makes the stack; it has no resources yet. Its state goes with the lab. */
  static async start(lab: Lab, name: string): Promise<BenchStack> {
    const folder = mkdtempSync(join(tmpdir(), `softmap-${lab.name}-`));
    const configFile = join(folder, `Pulumi.${name}.yaml`);
    const stack = new BenchStack(lab, { name, configFile, environment: stackEnvironment(lab) }, folder);
    stack.write({});
    await ensureStack(stack.stack);
    return stack;
  }

  /** Writes the stack's whole config, in this lab; its site keys and the salt of its secrets stay. */
  configure(settings: Readonly<Record<string, unknown>>): void {
    const common = { hosts: { provider: "lab", name: this.lab.name }, protectKeys: false, retireGrace: "5s" };
    const named = Object.entries({ ...common, ...settings }).map(([key, value]) => [`softmap:${key}`, value] as const);
    this.write(Object.fromEntries(named));
  }

  /** Gives a site its key, a secret of the stack; the value on stdin. */
  async setSiteKey(domain: string, secretFile: Uint8Array): Promise<void> {
    const path = `softmap:siteKeys["${domain}"]`;
    const input = Buffer.from(secretFile).toString("base64");
    const run = await pulumi(this.stack, ["config", "set", "--secret", "--path", path], { input });
    if (run.code !== 0) throw new Error(`pulumi config set failed:\n${run.stderr}`);
  }

  /** `pulumi up`; every line of it also goes to `onLine`. @throws Error with all that it said when it fails */
  async up(onLine: (line: string) => void = () => undefined): Promise<PulumiRun> {
    const run = await pulumi(this.stack, ["up", "--yes", "--skip-preview"], { onLine });
    if (run.code !== 0) throw new Error(`pulumi up failed:\n${run.stderr}${run.stdout}`);
    return run;
  }

  /** One of the stack's outputs. */
  async output<T>(name: string): Promise<T> {
    const run = await pulumi(this.stack, ["stack", "output", name, "--json"]);
    if (run.code !== 0) throw new Error(`pulumi stack output failed:\n${run.stderr}`);
    return JSON.parse(run.stdout) as T;
  }

  /** Removes what is outside of the lab. */
  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private write(config: Readonly<Record<string, unknown>>): void {
    const file = this.stack.configFile;
    let kept: Record<string, unknown> = {};
    try {
      kept = parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    } catch {
      // the file is not there yet
    }
    const keys = Object.entries((kept["config"] ?? {}) as Record<string, unknown>).filter(
      ([key]) => key === "softmap:siteKeys",
    );
    writeFileSync(file, stringify({ ...kept, config: { ...Object.fromEntries(keys), ...config } }));
  }
}

/** Boots hosts with nothing on them: those that exist are thrown away first. */
export async function emptyHosts(lab: Lab, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => hostDown(lab, name)));
  await Promise.all(names.map((name) => hostUp(lab, name)));
}
