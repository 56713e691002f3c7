import { join } from "node:path";
import type { Lab } from "../lab/lab";
import { Looking } from "../lab/ownTor";

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
  private constructor(private readonly program: Looking<Line>) {}

  /** @returns when all tors are in the network */
  static async start(lab: Lab, tors: number): Promise<Clients> {
    const started = { container: "tor", what: "The clients", kind: "visits" } as const;
    const settings = { clients: tors, torrc: "/var/lib/lab-tor/common.conf", timeout: LIMIT.request };
    const file = join(__dirname, "load_clients.py");
    const clients = new Clients(Looking.start<Line>(lab, { ...started, file }, settings));
    await clients.until("ready", LIMIT.start);
    return clients;
  }

  /** Of the visit that is under way, or was last. */
  get requests(): Request[] {
    return this.program.lines.filter((line) => "at" in line);
  }

  /** Begins a visit; its requests are gathered from now on. */
  async begin(visit: Visit): Promise<void> {
    this.program.lines = [];
    await this.ask(visit, "begun");
  }

  /** Ends it at once: what is under way is not counted. */
  stop(): Promise<void> {
    return this.ask({}, "ended");
  }

  /** Ends the tors, too. */
  end(): Promise<void> {
    return this.program.end();
  }

  private ask(command: object, answer: string): Promise<void> {
    this.program.tell(command);
    return this.until(answer, LIMIT.answer);
  }

  /** Called after each of thousands of lines: what is asked for is the last one. */
  private async until(answer: string, seconds: number): Promise<void> {
    const last = () => this.program.lines.at(-1);
    await this.program.until(`they have said ${answer}`, () => (answer in (last() ?? {}) ? true : undefined), seconds);
  }
}
