// A deployed stack, read from its outputs with Pulumi's own CLI: for commands that go to the hosts themselves. The Automation API calls the same program,
// but its errors hold all that this program printed, keys too, and it selects the stack in the operator's workspace.
import { isRecord } from "../config/place";
import type { Ran, SshConnection } from "../host/ssh";
import type { BackendKnown, DeployedStack, SiteKnown } from "./desk/survey";
import { runProcess } from "./process";
import { pulumiProgram } from "./pulumiProgram";

/** A stack that cannot be read. The message is ready to print: what is wrong and what to do next, no output of the stack. */
export class StackError extends Error {
  constructor(what: string, next: string) {
    super(`${what}\n  Next: ${next}`);
    this.name = "StackError";
  }
}

/**
 * Reads a stack's outputs, in this process's environment. Changes nothing.
 * @param stack its name as Pulumi takes it; undefined: the one that is selected
 * @param program path of Pulumi's CLI
 * @throws {StackError} when Pulumi cannot read it, or it has no machines and backends
 */
export async function readStack(stack?: string, program = pulumiProgram()): Promise<DeployedStack> {
  const chosen = stack === undefined ? [] : ["--stack", stack];
  const [name, outputs] = await Promise.all([
    ask(program, ["stack", "--show-name", "--fully-qualify-stack-names", ...chosen]),
    ask(program, ["stack", "output", "--show-secrets", "--json", ...chosen]),
  ]);
  return deployedStackOf(name.trim(), outputs);
}

/** What is in a stack's outputs: index.ts, `machines`, `backends` and what else is there of it. @throws {StackError} when they are not there or not of this form */
export function deployedStackOf(stack: string, json: string): DeployedStack {
  const outputs = parsed(json);
  const machines = isRecord(outputs) ? outputs["machines"] : undefined;
  const listed = isRecord(outputs) ? outputs["backends"] : undefined;
  if (!isRecord(machines) || !Array.isArray(listed)) {
    const next =
      "deploy it with `pulumi up`, run that again where it did not come to its end, or name another stack with --stack.";
    throw new StackError(`Stack ${stack} has no outputs machines and backends.`, next);
  }
  const reach = new Map(Object.entries(machines).flatMap(([name, value]) => entry(name, value)));
  const backends = listed.flatMap((backend: unknown) => backendOf(backend));
  const workers = [...new Set(backends.map(({ worker }) => worker))];
  const lost = workers.filter((name) => !reach.has(name));
  if (lost.length > 0) {
    throw new StackError(`Stack ${stack} does not say how to reach ${lost.join(", ")}.`, "run `pulumi up`.");
  }
  const published = isRecord(outputs) && isRecord(outputs["published"]) ? Object.keys(outputs["published"]) : [];
  const balancers = [...reach.keys()].filter((name) => published.includes(name) || !workers.includes(name));
  const sites = sitesOf(isRecord(outputs) ? outputs : {});
  return { stack, machines: reach, workers, balancers, backends, sites, monitoring: monitoringOf(outputs) };
}

/** Where the machines tell their metrics: components/deskOutputs.ts, `monitoring`. */
function monitoringOf(outputs: unknown): DeployedStack["monitoring"] {
  const found = isRecord(outputs) ? outputs["monitoring"] : undefined;
  if (!isRecord(found) || typeof found["port"] !== "number") return undefined;
  const from = Array.isArray(found["from"]) ? found["from"].filter((each) => typeof each === "string") : [];
  return { port: found["port"], from };
}

/** Every site with its address: index.ts, `addresses`. */
function sitesOf({ addresses }: Readonly<Record<string, unknown>>): SiteKnown[] {
  return Object.entries(isRecord(addresses) ? addresses : {}).flatMap(([project, sites]) =>
    Object.entries(isRecord(sites) ? sites : {}).flatMap(([domain, address]) =>
      typeof address === "string" ? [{ project, domain, address }] : [],
    ),
  );
}

/** JSON.parse quotes the text in its errors, and this text holds keys. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function entry(name: string, value: unknown): [string, SshConnection | undefined][] {
  if (isRecord(value) && value["local"] === true) return [[name, undefined]];
  const connection = connectionOf(value);
  return connection === undefined ? [] : [[name, connection]];
}

function backendOf(value: unknown): BackendKnown[] {
  if (!isRecord(value) || typeof value["worker"] !== "string") return [];
  const text = (key: string): string => (typeof value[key] === "string" ? value[key] : "");
  return [{ name: text("name"), worker: value["worker"], project: text("project"), address: text("address") }];
}

function connectionOf(value: unknown): SshConnection | undefined {
  if (!isRecord(value)) return undefined;
  const text = (key: string): string | undefined => (typeof value[key] === "string" ? value[key] : undefined);
  const host = text("host");
  if (host === undefined) return undefined;
  return {
    host,
    port: typeof value["port"] === "number" ? value["port"] : undefined,
    user: text("user"),
    hostKey: text("hostKey"),
    privateKey: text("privateKey"),
    privateKeyPassword: text("privateKeyPassword"),
    password: text("password"),
    agentSocketPath: text("agentSocketPath"),
    ...(value["proxy"] !== undefined && { proxy: connectionOf(value["proxy"]) }),
  };
}

/** What Pulumi prints. Its stdout may hold keys, so that of a failure is thrown away: its reasons are on stderr. */
async function ask(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runPulumi(args, { program });
  if (code === 0) return stdout;
  const said = stderr.trim().split("\n").slice(-8).join("\n    ") || "it said nothing";
  const next =
    "choose the stack with --stack or `pulumi stack select`, and see that this shell is one in which `pulumi preview` works.";
  throw new StackError(`\`pulumi ${args.join(" ")}\` failed:\n    ${said}`, next);
}

/**
 * Runs Pulumi's CLI, which asks nobody anything. What it prints may hold keys: show nothing of `stdout`.
 * @throws {StackError} when it is not installed, or cannot be run
 */
export async function runPulumi(
  args: readonly string[],
  { program, cwd, input = "" }: { readonly program: string; readonly cwd?: string; readonly input?: string },
): Promise<Ran> {
  const given = [...args, "--non-interactive", "--color", "never"];
  try {
    return await runProcess(program, given, input, cwd === undefined ? {} : { cwd });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "is not installed" : `cannot be run (${code})`;
    throw new StackError(`Pulumi's CLI ${what}.`, "run `npm install pulumi`, or install Pulumi's CLI.");
  }
}
