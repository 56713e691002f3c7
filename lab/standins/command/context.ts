/** What an operation may use: the engine's log, and the word that the operator has cancelled. */
import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { StringDecoder } from "node:string_decoder";

/** Where an operation speaks, and how it learns that it should stop. */
export interface Context {
  /** A line of status: live, and gone from the display when the operation is over. */
  status(line: string): void;
  /** A diagnostic that stays. */
  report(severity: "warning" | "error", message: string): void;
  /** Resolves when the engine has every line so far, so that none comes after the answer. */
  flushed(): Promise<void>;
  /** Aborted on the first Ctrl-C: dialling stops, local processes are killed, remote ones run on. */
  cancelled: AbortSignal;
}

type Severity = Parameters<LogRequest["setSeverity"]>[0];

/** The log of the engine at an address; without one (a plugin started by hand) lines go to stderr. */
export class EngineLog {
  private readonly client: EngineClient | undefined;

  constructor(address: string | undefined) {
    if (address !== undefined) this.client = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** The context for one resource. */
  context(urn: string, cancelled: AbortSignal): Context {
    let last: Promise<void> = Promise.resolve();
    const send = (severity: Severity, text: string, passing: boolean) => {
      last = last.then(() => this.send(urn, severity, text, passing));
    };
    return {
      status: (line) => send(LogSeverity.INFO, line, true),
      report: (severity, message) =>
        send(severity === "error" ? LogSeverity.ERROR : LogSeverity.WARNING, message, false),
      flushed: () => last,
      cancelled,
    };
  }

  private send(urn: string, severity: Severity, text: string, passing: boolean): Promise<void> {
    if (this.client === undefined) {
      process.stderr.write(`${text}\n`);
      return Promise.resolve();
    }
    const request = new LogRequest();
    request.setSeverity(severity);
    request.setMessage(text);
    request.setUrn(urn);
    request.setEphemeral(passing);
    // A log line that cannot be delivered must not fail the operation.
    return new Promise((resolve) => this.client?.log(request, () => resolve()));
  }
}

/** Cuts a stream into lines as Go's bufio.Scanner does: no "\r" at the end, the last line needs no newline. */
export class Lines {
  private readonly decoder = new StringDecoder("utf8");
  private rest = "";

  constructor(private readonly line: (text: string) => void) {}

  write(chunk: Buffer): void {
    const parts = (this.rest + this.decoder.write(chunk)).split("\n");
    this.rest = parts.pop() ?? "";
    for (const part of parts) this.line(part.replace(/\r$/, ""));
  }

  end(): void {
    const rest = this.rest + this.decoder.end();
    if (rest !== "") this.line(rest.replace(/\r$/, ""));
  }
}
