/** The resources of @pulumi/command 1.2.1 that the lab needs, with the real plugin's rules for what runs when. */
import type { CheckResult, CreateResult, DiffResult, Provider, UpdateResult } from "@pulumi/pulumi/provider";
import { randomBytes } from "node:crypto";
import { missing, typeOf as knownType, type Failure } from "../shared/inputs";
import { isUnknown, plain, same, secret, source, sourceHash, type Properties } from "../shared/values";
import type { Context } from "./context";
import { copyToRemote } from "./copy";
import { runLocal, type LocalInputs } from "./local";
import type { Printed } from "./output";
import { runRemote, type RemoteInputs } from "./remote";

const localCommand = "command:local:Command";
const remoteCommand = "command:remote:Command";
const copy = "command:remote:CopyToRemote";

/** What may be run, and with what. */
interface CommandState extends LocalInputs, RemoteInputs, Partial<Printed> {
  create?: string;
  update?: string;
  delete?: string;
}

const inputNames: Record<string, readonly string[]> = {
  [localCommand]: ["interpreter", "dir"],
  [remoteCommand]: ["connection"],
  [copy]: ["connection", "source", "remotePath", "triggers"],
};
const commandInputs = [
  ...["create", "update", "delete", "stdin", "logging", "environment"],
  ...["addPreviousOutputInEnv", "triggers"],
];

/** Serves one engine; `context` gives each resource its log. */
export class CommandProvider implements Provider {
  readonly version = "1.2.1";
  private readonly cancelling = new AbortController();

  constructor(private readonly context: (urn: string, cancelled: AbortSignal) => Context) {}

  async check(urn: string, _olds: Properties, news: Properties): Promise<CheckResult> {
    const type = typeOf(urn);
    const inputs = { ...news };
    const failures: Failure[] = [];
    if (type !== localCommand) {
      if (inputs["connection"] === undefined) failures.push(missing("connection"));
      else inputs["connection"] = secret(withDefaults(inputs["connection"], failures));
    }
    if (type === copy) {
      failures.push(...checkSource(inputs));
    } else {
      inputs["addPreviousOutputInEnv"] ??= true;
      for (const property of ["assetPaths", "archivePaths"].filter((name) => inputs[name] !== undefined)) {
        failures.push({ property, reason: "the lab's stand-in for the command plugin does not collect files" });
      }
    }
    return { inputs, failures };
  }

  async diff(_id: string, urn: string, olds: Properties, news: Properties): Promise<DiffResult> {
    const type = typeOf(urn);
    const names = type === copy ? inputNames[copy] : [...commandInputs, ...(inputNames[type] ?? [])];
    const changed = (names ?? []).filter((name) => !same(olds[name], news[name]));
    return { changes: changed.length > 0, replaces: changed.filter((name) => name === "triggers") };
  }

  async create(urn: string, inputs: Properties): Promise<CreateResult> {
    if (typeOf(urn) === copy) {
      await this.copy(urn, inputs);
      return { id: hex(), outs: inputs };
    }
    const id = (urn.split("::").pop() ?? "") + hex();
    return { id, outs: await this.run(urn, inputs, "create", { stdout: "", stderr: "" }) };
  }

  async update(_id: string, urn: string, olds: Properties, news: Properties): Promise<UpdateResult> {
    if (typeOf(urn) === copy) {
      // Only other content or another path is copied: a new host in the connection is not.
      if (contentOf(olds) !== contentOf(news) || !same(olds["remotePath"], news["remotePath"])) {
        await this.copy(urn, news);
      }
      return { outs: news };
    }
    const { update } = plain(news) as CommandState;
    return { outs: await this.run(urn, news, update === undefined ? "create" : "update", printedBy(olds)) };
  }

  async delete(_id: string, urn: string, state: Properties): Promise<void> {
    if (typeOf(urn) !== copy) await this.run(urn, state, "delete", printedBy(state));
  }

  async cancel(): Promise<void> {
    this.cancelling.abort();
  }

  /** Runs one of the commands, or nothing when it is not given; what the last run printed stays then. */
  private async run(urn: string, inputs: Properties, verb: "create" | "update" | "delete", previous: Printed) {
    const state = plain(inputs) as CommandState;
    const command = state[verb];
    if (command === undefined) return { ...inputs, ...previous };
    const context = this.context(urn, this.cancelling.signal);
    const run = typeOf(urn) === localCommand ? runLocal : runRemote;
    return { ...inputs, ...(await run(state, command, previous, context)) };
  }

  private async copy(urn: string, inputs: Properties): Promise<void> {
    const { connection, remotePath } = plain(inputs) as RemoteInputs & { remotePath: string };
    const from = source(inputs["source"]);
    if (from === undefined) throw new Error("either asset or archive must be set");
    await copyToRemote(connection, from, remotePath, this.context(urn, this.cancelling.signal));
  }
}

function typeOf(urn: string): string {
  return knownType(urn, inputNames, "command");
}

/** The defaults that the plugin fills in, so that a `connection` with and without them is the same. */
function withDefaults(value: unknown, failures: Failure[]): unknown {
  const connection = plain(value);
  if (isUnknown(value) || typeof connection !== "object" || connection === null) return connection;
  const given = connection as Properties;
  if (given["host"] === undefined) failures.push(missing("connection.host"));
  const filled: Properties = { user: "root", port: 22, dialErrorLimit: 10, perDialTimeout: 15, ...given };
  if (given["proxy"] !== undefined) filled["proxy"] = withDefaults(given["proxy"], failures);
  return filled;
}

function checkSource(inputs: Properties): Failure[] {
  const from = source(inputs["source"]);
  // 1.2.1 says this of a source that a preview does not know yet, too (fixed after the tag by pull request 1184).
  if (from === undefined) return [{ property: "asset", reason: "either asset or archive must be set" }];
  if (from.kind === "archive" && from.path === undefined) {
    return [{ property: "archive", reason: "archive must be a path to a file or directory" }];
  }
  return [];
}

function contentOf(inputs: Properties): string | undefined {
  const from = source(inputs["source"]);
  return from && sourceHash(from);
}

function printedBy(state: Properties): Printed {
  const { stdout, stderr } = plain(state) as CommandState;
  return { stdout: stdout ?? "", stderr: stderr ?? "" };
}

/** Eight hex digits, as the real plugin appends to names. */
function hex(): string {
  return randomBytes(4).toString("hex");
}
