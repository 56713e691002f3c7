// The machines of a deployed stack, read from its outputs with Pulumi's own CLI: for commands that go to the hosts themselves.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { isRecord } from "../config/place";
import type { SshConnection } from "../host/ssh";

/** A deployed stack, as far as a command needs it to go to its machines. */
export interface StackMachines {
  /** As components/releaseDefaults.ts writes it, for the hosts' locks. @example "organization/softmap/prod" */
  readonly stack: string;
  /** How to reach each machine, by its name; private keys are in it. Undefined: it is this one. */
  readonly machines: ReadonlyMap<string, SshConnection | undefined>;
  /** Names of those that run backends, in the order of the stack's config. */
  readonly workers: readonly string[];
}

/** A stack that cannot be read. The message is ready to print: what is wrong and what to do next, no output of the stack. */
export class StackError extends Error {
  constructor(what: string, next: string) {
    super(`${what}\n  Next: ${next}`);
    this.name = "StackError";
  }
}

const pulumiProgram = join(__dirname, "../node_modules/.bin/pulumi");

/**
 * Reads a stack's outputs, in this process's environment. Changes nothing.
 * @param stack its name as Pulumi takes it; undefined: the one that is selected
 * @param program path of Pulumi's CLI
 * @throws {StackError} when Pulumi cannot read it, or it has no machines and backends
 */
export async function readStackMachines(stack?: string, program = pulumiProgram): Promise<StackMachines> {
  const chosen = stack === undefined ? [] : ["--stack", stack];
  const [name, outputs] = await Promise.all([
    ask(program, ["stack", "--show-name", "--fully-qualify-stack-names", ...chosen]),
    ask(program, ["stack", "output", "--show-secrets", "--json", ...chosen]),
  ]);
  return machinesOf(name.trim(), outputs);
}

/** What is in a stack's outputs: index.ts, `machines` and `backends`. @throws {StackError} when they are not there or not of this form */
export function machinesOf(stack: string, json: string): StackMachines {
  const outputs = parsed(json);
  const machines = isRecord(outputs) ? outputs["machines"] : undefined;
  const backends = isRecord(outputs) ? outputs["backends"] : undefined;
  if (!isRecord(machines) || !Array.isArray(backends)) {
    const next = "deploy it with `pulumi up`, or name another one with --stack.";
    throw new StackError(`Stack ${stack} has no outputs machines and backends.`, next);
  }
  const reach = new Map(Object.entries(machines).flatMap(([name, value]) => entry(name, value)));
  const workers = [...new Set(backends.flatMap((backend: unknown) => workerOf(backend)))];
  const lost = workers.filter((name) => !reach.has(name));
  if (lost.length > 0) {
    throw new StackError(`Stack ${stack} does not say how to reach ${lost.join(", ")}.`, "run `pulumi up`.");
  }
  return { stack, machines: reach, workers };
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

function workerOf(backend: unknown): string[] {
  const worker = isRecord(backend) ? backend["worker"] : undefined;
  return typeof worker === "string" ? [worker] : [];
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
function ask(program: string, args: readonly string[]): Promise<string> {
  const given = [...args, "--non-interactive", "--color", "never"];
  return new Promise((resolve, reject) => {
    const child = execFile(program, given, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (error.code === "ENOENT") return reject(new StackError("Pulumi's CLI is not installed.", "run `npm ci`."));
      const said = stderr.trim().split("\n").slice(-8).join("\n    ") || "it said nothing";
      const next =
        "choose the stack with --stack or `pulumi stack select`, and see that this shell is one in which `pulumi preview` works.";
      reject(new StackError(`\`pulumi ${args.join(" ")}\` failed:\n    ${said}`, next));
    });
    child.stdin?.end();
  });
}
