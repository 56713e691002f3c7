import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { containerName, type Lab } from "../lab/lab";
import { podmanLine } from "../lab/podman";

/** One finished request, as load_clients.py prints it. */
export interface Request {
  /** When it was done, Unix seconds. */
  readonly at: number;
  /** How long it took, with its connection where it made one. */
  readonly seconds: number;
  /** Of the body. */
  readonly bytes: number;
  /** Empty, or why it failed. */
  readonly error: string;
}

/** What the visitors fetch. */
export interface Visit {
  /** With `.onion`. */
  readonly site: string;
  readonly path: string;
  /** Of the body; 0: nobody looks. */
  readonly bytes: number;
  /** A circuit of its own for each request; else circuit and connection are kept. */
  readonly fresh: boolean;
  /** At the same time, for each tor. */
  readonly visitors: number;
}

type Line = { readonly ready: true } | { readonly begun: true } | { readonly ended: true } | Request;

/** Seconds: tors to start, a command to be answered, one request. */
const LIMIT = { start: 120, answer: 30, request: 30 };

/** Tors in the lab's Tor container and the visitors that come through them; see load_clients.py. */
export class Clients {
  /** Of the visit that is under way, or was last. */
  requests: Request[] = [];
  private heard: string | undefined;
  private errors = "";
  private closed = false;
  private wake: () => void = () => undefined;

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on("line", (line) => this.take(JSON.parse(line) as Line));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.errors = (this.errors + text).slice(-2000)));
    child.stdin.on("error", () => undefined); // it has ended: "close" says so
    child.on("error", (error) => (this.errors += error.message));
    child.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  /** @returns when all tors are in the network */
  static async start(lab: Lab, tors: number): Promise<Clients> {
    const settings = { clients: tors, torrc: "/var/lib/lab-tor/common.conf", timeout: LIMIT.request };
    // The program is an argument, because its stdin is how it hears from us and that we are gone.
    const program = readFileSync(join(__dirname, "load_clients.py"), "utf8");
    const [command = "", ...args] = podmanLine([
      ...["exec", "-i", containerName(lab, "tor"), "python3", "-c", program, JSON.stringify(settings)],
    ]);
    const clients = new Clients(spawn(command, args, { stdio: "pipe" }));
    await clients.until("ready", LIMIT.start);
    return clients;
  }

  /** Begins a visit; its requests are gathered from now on. */
  async begin(visit: Visit): Promise<void> {
    this.requests = [];
    await this.ask(visit, "begun");
  }

  /** Ends it at once: what is under way is not counted. */
  stop(): Promise<void> {
    return this.ask({}, "ended");
  }

  /** Ends the tors, too. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.until("closed", 10).catch(() => this.child.kill("SIGKILL"));
  }

  private ask(command: object, answer: string): Promise<void> {
    this.heard = undefined;
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
    return this.until(answer, LIMIT.answer);
  }

  private take(line: Line): void {
    if ("at" in line) return void this.requests.push(line);
    this.heard = Object.keys(line)[0];
    this.wake();
  }

  private until(answer: string, seconds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (why: string) => reject(new Error(`The clients: not ${answer}. ${why} ${this.errors.trim()}`));
      const timer = setTimeout(() => failed(`${seconds} s are over.`), seconds * 1000);
      this.wake = () => {
        if (this.heard !== answer && !this.closed) return;
        clearTimeout(timer);
        if (this.heard === answer || answer === "closed") resolve();
        else failed("They ended.");
      };
      this.wake();
    });
  }
}
