/** A plugin under test, spoken to as the engine does: gRPC to the process, and a log for it to write to. */
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { createInterface } from "node:readline";

export type Properties = Record<string, unknown>;

const { Kind } = messages.PropertyDiff;
const replacements = new Set([Kind.ADD_REPLACE, Kind.DELETE_REPLACE, Kind.UPDATE_REPLACE]);

/** A line of the plugin's log. */
export interface LogLine {
  message: string;
  urn: string;
  /** A status line, which goes when the operation is over. */
  passing: boolean;
  severity: "debug" | "info" | "warning" | "error";
}

/** A started plugin; methods are the provider protocol's, with plain objects. */
export class Plugin {
  private constructor(
    private readonly client: ResourceProviderClient,
    private readonly stop: () => Promise<void>,
    /** Everything logged so far. */
    readonly log: LogLine[],
  ) {}

  static async start(file: string, cwd: string): Promise<Plugin> {
    const log: LogLine[] = [];
    const engine = new grpc.Server();
    engine.addService(EngineService, {
      log: (call: { request: LogRequest }, answer: (error: null, empty: Empty) => void) => {
        const severities = ["debug", "info", "warning", "error"] as const;
        log.push({
          message: call.request.getMessage(),
          urn: call.request.getUrn(),
          passing: call.request.getEphemeral(),
          severity: severities[call.request.getSeverity()],
        });
        answer(null, new Empty());
      },
    });
    const port = await new Promise<number>((resolve, reject) =>
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    // An agent of the machine must not take part.
    const env = { ...process.env, SSH_AUTH_SOCK: "" };
    const child = spawn(file, [`127.0.0.1:${port}`], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const client = new ResourceProviderClient(`127.0.0.1:${line.trim()}`, grpc.credentials.createInsecure());
    const stop = async () => {
      client.close();
      child.kill("SIGKILL");
      await ended;
      engine.forceShutdown();
    };
    const plugin = new Plugin(client, stop, log);
    const configure = new messages.ConfigureRequest();
    configure.setArgs(struct({}));
    configure.setAcceptsecrets(true);
    await plugin.call<messages.ConfigureResponse>((done) => client.configure(configure, done));
    return plugin;
  }

  async check(urn: string, news: Properties, olds: Properties = {}) {
    const request = new messages.CheckRequest();
    request.setUrn(urn);
    request.setOlds(struct(olds));
    request.setNews(struct(news));
    const response = await this.call<messages.CheckResponse>((done) => this.client.check(request, done));
    return { inputs: object(response.getInputs()), failures: response.getFailuresList().map((f) => f.toObject()) };
  }

  async diff(urn: string, olds: Properties, news: Properties, oldInputs = olds) {
    const request = new messages.DiffRequest();
    request.setId("id");
    request.setUrn(urn);
    request.setOlds(struct(olds));
    request.setOldInputs(struct(oldInputs));
    request.setNews(struct(news));
    const response = await this.call<messages.DiffResponse>((done) => this.client.diff(request, done));
    const detailed = [...response.getDetaileddiffMap().entries()] as [string, messages.PropertyDiff][];
    const replacing = detailed.filter(([, diff]) => replacements.has(diff.getKind())).map(([path]) => path);
    // Real plugins name elements ("triggers[0]", "subject.commonName"), stand-ins properties.
    const names = [...response.getReplacesList(), ...replacing].map((path) => path.replace(/[.[].*$/s, ""));
    return {
      changes: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
      /** The properties that force a replacement. */
      replaces: [...new Set(names)].sort(),
    };
  }

  async create(urn: string, inputs: Properties, preview = false) {
    const request = new messages.CreateRequest();
    request.setPreview(preview);
    request.setUrn(urn);
    request.setProperties(struct(inputs));
    const response = await this.call<messages.CreateResponse>((done) => this.client.create(request, done));
    return { id: response.getId(), state: object(response.getProperties()) };
  }

  async update(urn: string, olds: Properties, news: Properties): Promise<Properties> {
    const request = new messages.UpdateRequest();
    request.setId("id");
    request.setUrn(urn);
    request.setOlds(struct(olds));
    request.setOldInputs(struct(olds));
    request.setNews(struct(news));
    const response = await this.call<messages.UpdateResponse>((done) => this.client.update(request, done));
    return object(response.getProperties());
  }

  async delete(urn: string, state: Properties): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setId("id");
    request.setUrn(urn);
    request.setProperties(struct(state));
    await this.call<Empty>((done) => this.client.delete(request, done));
  }

  async cancel(): Promise<void> {
    await this.call<Empty>((done) => this.client.cancel(new Empty(), done));
  }

  close(): Promise<void> {
    return this.stop();
  }

  /** Rejects with the text that the operator would read. */
  private call<T>(send: (done: (error: grpc.ServiceError | null, response: T) => void) => unknown): Promise<T> {
    return new Promise((resolve, reject) =>
      send((error, response) => (error ? reject(new Error(error.details)) : resolve(response))),
    );
  }
}

function struct(properties: Properties): Struct {
  return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}

function object(found: Struct | undefined): Properties {
  return found?.toJavaScript() ?? {};
}
