/** What a command prints: kept for the outputs, kept in order for the error, and logged live where it is asked for. */
import { Lines, type Context } from "./context";

/** Which streams are logged; both when it is not given. Outputs are kept in every case. */
export type Logging = "stdout" | "stderr" | "stdoutAndStderr" | "none";

/** The outputs of a command, without the newline at their end. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** Collects both streams of one run. */
export class Output {
  private readonly kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  private readonly both: Buffer[] = [];
  private readonly lines: Lines;

  constructor(
    private readonly context: Context,
    private readonly logging: Logging = "stdoutAndStderr",
  ) {
    this.lines = new Lines((line) => context.status(line));
  }

  add(stream: "stdout" | "stderr", chunk: Buffer): void {
    this.kept[stream].push(chunk);
    this.both.push(chunk);
    // Both streams share one log, as in the real plugin: a line is whatever ends in a newline.
    if (this.logging === "stdoutAndStderr" || this.logging === stream) this.lines.write(chunk);
  }

  /** Ends the log; resolves when the engine has it all. */
  async end(): Promise<void> {
    this.lines.end();
    await this.context.flushed();
  }

  /** Everything printed, in the order of arrival. */
  all(): string {
    return Buffer.concat(this.both).toString();
  }

  /** The outputs; exactly one newline is cut from the end of each. */
  printed(): Printed {
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString().replace(/\n$/, "");
    return { stdout: text(this.kept.stdout), stderr: text(this.kept.stderr) };
  }
}
