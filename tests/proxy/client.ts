import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { parseResponse, type Response } from "./http";

export interface WireOptions {
  /** The name that is asked for in TLS; none: no TLS. */
  readonly tls?: string;
  /** A line of PROXY protocol to send first. */
  readonly proxy?: string;
}

/** Milliseconds after which something that is waited for counts as missing. */
const PATIENCE = 15_000;

/** A connection of bytes to a unix socket. What is missing in time or breaks off is an error that shows what came instead. */
export class Wire {
  private parts: Buffer[] = [];
  private all: Buffer | undefined = Buffer.alloc(0);
  private wake: (() => void)[] = [];
  /** How the connection ended; undefined while it is there. */
  end: "closed" | "reset" | undefined;

  private constructor(readonly socket: Socket | TLSSocket) {
    socket.on("data", (data: Buffer) => {
      this.parts.push(data);
      this.all = undefined;
      this.awake();
    });
    socket.on("end", () => this.ended("closed"));
    socket.on("close", () => this.ended("closed"));
    socket.on("error", () => this.ended("reset"));
  }

  private ended(how: "closed" | "reset"): void {
    this.end ??= how;
    this.awake();
  }

  private awake(): void {
    for (const each of this.wake.splice(0)) each();
  }

  /** @throws Error when there is no connection, or TLS refuses the name */
  static async open(path: string, { tls, proxy }: WireOptions = {}): Promise<Wire> {
    const socket = connectTcp(path);
    await connected(socket, "connect");
    if (proxy !== undefined) socket.write(proxy);
    if (tls === undefined) return new Wire(socket);
    const secure = connectTls({ socket, servername: tls, rejectUnauthorized: false });
    await connected(secure, "secureConnect");
    return new Wire(secure);
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  get received(): Buffer {
    this.all ??= Buffer.concat(this.parts);
    this.parts = [this.all];
    return this.all;
  }

  /** Forgets what has been received so far. */
  forget(count: number): void {
    this.parts = [this.received.subarray(count)];
    this.all = undefined;
  }

  /** Waits until `found` finds something in what has been received. */
  async until<Found>(found: (received: Buffer, ended: boolean) => Found | undefined): Promise<Found> {
    const late = Date.now() + PATIENCE;
    for (;;) {
      const got = found(this.received, this.end !== undefined);
      if (got !== undefined) return got;
      if (this.end !== undefined) throw new Error(`the connection was ${this.end} after ${this.shown()}`);
      // What is large is not looked at again for every packet.
      if (this.received.length > 1 << 20) await new Promise((soon) => setTimeout(soon, 50));
      if (this.all === undefined) continue;
      const left = late - Date.now();
      if (left <= 0) throw new Error(`nothing more in ${PATIENCE / 1000} s after ${this.shown()}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        this.wake.push(() => {
          clearTimeout(timer);
          done();
        });
      });
    }
  }

  /** Waits until this text has come. */
  async text(text: string): Promise<void> {
    await this.until((bytes) => (bytes.includes(text) ? true : undefined));
  }

  /** The answer to a request of that method: whole, or what came of it before the connection ended. */
  response(method: string): Promise<Response> {
    return this.until((bytes, ended) => {
      const parsed = parseResponse(bytes, method, ended);
      return parsed && (parsed.whole || ended) ? parsed : undefined;
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private shown(): string {
    const all = this.received;
    return all.length === 0 ? "nothing" : JSON.stringify(all.subarray(0, 2000).toString("latin1"));
  }
}

function connected(socket: Socket, event: string): Promise<void> {
  return new Promise((done, failed) => {
    socket.once(event, () => {
      socket.off("error", failed);
      done();
    });
    socket.once("error", failed);
    socket.once("close", () => failed(new Error("closed before the connection was made")));
  });
}
