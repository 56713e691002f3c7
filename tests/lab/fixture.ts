import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify, parse } from "yaml";
import { ensureEngine } from "../../lab/engine/engine";
import {
  connectionsOf,
  connectionsSince,
  fetchThroughTor,
  labDown,
  labNamed,
  labUp,
  readNetwork,
  stackEnvironment,
  stopwatch,
  type Fetched,
  type HostInfo,
  type Lab,
  type UpOptions,
} from "../../lab/lab";
import { ensureStack, pulumi, type LabStack, type PulumiOptions, type PulumiRun } from "../../lab/pulumi";
import { resolveProject } from "../../config/schema";
import { generationOf, type TakenAtStart } from "../../plan/generation";
import { daemonName } from "../../plan/names";
import { render } from "../../templates";
import { readSources } from "../../templates/sources";

/** Settings of a stack, without `softmap:` in front. */
export type Settings = Record<string, unknown>;

/**
 * Names of a project's tor daemons on any worker, from 1 on: with the generation that these sites make.
 * @example daemonsOf("news", 2, [{ domain: "court.test" }]) // ["news-1-3fa9", "news-2-3fa9"]
 */
export function daemonsOf(project: string, count: number, sites: TakenAtStart["sites"]): string[] {
  const generation = generationOf({
    sites,
    tor: resolveProject({}),
    unit: render("unit-tor", readSources("unit-tor"), {}),
  });
  return Array.from({ length: count }, (_, i) => daemonName(project, i + 1, generation));
}

/** A lab and a stack of this test's own: nothing of `npm run demo` is touched. */
export class Rehearsal {
  private constructor(
    readonly lab: Lab,
    readonly stack: LabStack & { readonly configFile: string },
    private readonly folder: string,
  ) {}

  /** Starts lab NAME and makes the stack NAME in it. `environment`: what the operator's shell has besides. */
  static async start(
    name: string,
    { environment = {}, ...options }: UpOptions & { environment?: Readonly<Record<string, string>> } = {},
  ): Promise<Rehearsal> {
    const say = stopwatch();
    await ensureEngine(say);
    const lab = labNamed(name);
    await labUp(lab, say, options);
    const folder = mkdtempSync(join(tmpdir(), `softmap-${name}-`));
    const configFile = join(folder, `Pulumi.${name}.yaml`);
    const stack = { name, configFile, environment: { ...stackEnvironment(lab), ...environment } };
    const rehearsal = new Rehearsal(lab, stack, folder);
    rehearsal.configure({});
    await ensureStack(stack);
    return rehearsal;
  }

  /** Writes the stack's whole config; keys that were set stay. */
  configure(settings: Settings): void {
    const { secrets, ...kept } = this.kept();
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`softmap:${key}`, value]));
    writeFileSync(this.stack.configFile, stringify({ ...kept, config: { ...secrets, ...config } }));
  }

  /** A stack on one machine that is balancer and worker, listed by ssh address and host key: softmap 1. */
  solo({ name, address, hostKey }: HostInfo): Settings {
    const { privateKeyFile, torrc } = readNetwork(this.lab);
    return {
      hosts: { provider: "ssh", user: "operator", privateKeyFile, torNetwork: torrc },
      balancers: [{ name, address, hostKey }],
      workers: [],
      workersOnBalancers: true,
      protectKeys: false,
      retireGrace: "0s",
    };
  }

  /** Gives a site its key as an operator does: a secret of the stack, the value on stdin. */
  async setSiteKey(domain: string, secretFile: Uint8Array): Promise<PulumiRun> {
    return this.setSecret(`siteKeys["${domain}"]`, Buffer.from(secretFile).toString("base64"));
  }

  /** Sets a secret of the stack, e.g. `tlsKeys["www.example.org"]`, the value on stdin. */
  async setSecret(path: string, value: string): Promise<PulumiRun> {
    const run = await pulumi(this.stack, ["config", "set", "--secret", "--path", `softmap:${path}`], { input: value });
    assert.equal(run.code, 0, run.stderr);
    return run;
  }

  /** `pulumi ARGS`, its lines shown as they come. */
  pulumi(args: readonly string[], options: PulumiOptions = {}): Promise<PulumiRun> {
    return pulumi(this.stack, args, {
      onLine: (line) => line.trim() !== "" && console.log(`    ${line.slice(0, 200)}`),
      ...options,
    });
  }

  /** `pulumi up` that must succeed. */
  async up(...more: string[]): Promise<PulumiRun> {
    const run = await this.pulumi(["up", "--yes", "--skip-preview", ...more]);
    assert.equal(run.code, 0, `pulumi up failed:\n${run.stderr}${run.stdout}`);
    return run;
  }

  /** One of the stack's outputs. */
  async output<T>(name: string): Promise<T> {
    const run = await pulumi(this.stack, ["stack", "output", name, "--json"]);
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stdout) as T;
  }

  /** Fetches through Tor until an answer comes; a first fetch may meet a descriptor that is not there yet. */
  async fetch(url: string, headers: Record<string, string> = {}): Promise<Fetched> {
    let last: Fetched | undefined;
    for (let attempt = 1; attempt <= 8; attempt++) {
      last = await fetchThroughTor(this.lab, url, { headers });
      if (last.status !== 0) return last;
    }
    assert.fail(`${url}: no answer through Tor in 8 attempts: ${last?.error ?? ""}`);
  }

  /** ssh connections that `work` opened and that logged in, by host. */
  async connections(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await connectionsOf(this.lab);
    await work();
    return connectionsSince(this.lab, before);
  }

  /** Removes the lab and everything this rehearsal made. */
  async end(): Promise<void> {
    await labDown(this.lab);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What Pulumi itself keeps in a config file, the salt of its secrets; and the encrypted keys. */
  private kept(): { secrets?: Record<string, unknown> } & Record<string, unknown> {
    try {
      const { config, ...rest } = parse(readFileSync(this.stack.configFile, "utf8")) as Record<string, unknown>;
      const secrets = Object.entries(config ?? {}).filter(([key]) => /^softmap:(site|tls|upstream)Keys$/.test(key));
      return { ...rest, secrets: Object.fromEntries(secrets) };
    } catch {
      return {}; // the file is not there yet
    }
  }
}
