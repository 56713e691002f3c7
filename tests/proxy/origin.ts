import { createServer, type Server, type Socket } from "node:net";
import { chmodSync } from "node:fs";
import { joined, parseRequest, type Headers } from "./http";

/** A request as the origin saw it. */
export interface SeenRequest {
  /** The name that was asked for in TLS. */
  readonly name: string | null;
  /** Common name of the client's certificate, when there was one. */
  readonly client: string | null;
  readonly line: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Bytes, the end of the connection in one of three ways, or something to wait for. */
export type Piece = string | Buffer | typeof CLOSE | typeof CUT | typeof RESET | (() => Promise<unknown>);
/** The connection ends as TLS wants it. */
export const CLOSE = Symbol("close");
/** It ends in the middle, without TLS's farewell. */
export const CUT = Symbol("cut");
/** It is reset. */
export const RESET = Symbol("reset");

/** What an origin answers: piece by piece, each sent when the proxy has read the one before; or a function that does as it likes. */
export type Answer = readonly Piece[] | ((peer: Peer, request: SeenRequest) => unknown);

/** Name of the request header that says whose answer is wanted. */
export const CASE_HEADER = "X-Case";

/** The origin's end of one connection. */
export class Peer {
  private unread = Buffer.alloc(0);
  private ended = false;
  private wake: (() => void)[] = [];

  constructor(private readonly socket: Socket) {
    socket.on("data", (data: Buffer) => {
      this.unread = Buffer.concat([this.unread, data]);
      this.awake();
    });
    for (const end of ["end", "close", "error"])
      socket.on(end, () => {
        this.ended = true;
        this.awake();
      });
  }

  private awake(): void {
    for (const each of this.wake.splice(0)) each();
  }

  private frame(kind: string, data: Buffer = Buffer.alloc(0)): boolean {
    const head = Buffer.alloc(5);
    head.write(kind, "latin1");
    head.writeUInt32BE(data.length, 1);
    if (this.socket.destroyed || this.socket.writableEnded) return true;
    return this.socket.write(Buffer.concat([head, data]));
  }

  /** Sends bytes as fast as they are taken. */
  async send(data: string | Buffer): Promise<void> {
    if (this.frame("D", Buffer.from(data))) return;
    await new Promise<void>((done) => {
      this.socket.once("drain", done);
      this.socket.once("close", done);
    });
  }

  async piece(piece: Piece): Promise<void> {
    if (typeof piece === "function") await piece();
    else if (typeof piece === "symbol") this.frame(piece === CLOSE ? "C" : piece === CUT ? "F" : "R");
    else if (piece.length > 0) this.frame("P", Buffer.from(piece));
  }

  /** Waits until `taken` finds what it looks for in what has come and not been taken; undefined when the connection ends first. */
  async take<Found>(taken: (bytes: Buffer) => { found: Found; rest: Buffer } | undefined): Promise<Found | undefined> {
    for (;;) {
      const got = taken(this.unread);
      if (got) {
        this.unread = got.rest as Buffer<ArrayBuffer>;
        return got.found;
      }
      if (this.ended) return undefined;
      await new Promise<void>((done) => this.wake.push(done));
    }
  }

  /** Exactly so many bytes. */
  async bytes(count: number): Promise<Buffer | undefined> {
    return this.take((all) =>
      all.length < count ? undefined : { found: all.subarray(0, count), rest: all.subarray(count) },
    );
  }

  /** When the other side has gone. */
  async gone(): Promise<void> {
    await this.take(() => undefined);
  }
}

/** The origins of a rig: every name's connections come here, the case's header says what is answered. */
export class Origin {
  private readonly answers = new Map<string, Answer>();
  private readonly requests = new Map<string, SeenRequest[]>();
  /** Connections that were made, for what must reuse them or must not. */
  connections = 0;

  private constructor(private readonly server: Server) {}

  static async listen(path: string): Promise<Origin> {
    const server = createServer({ allowHalfOpen: true });
    const origin = new Origin(server);
    server.on("connection", (socket) => void origin.serve(socket));
    await new Promise<void>((done) => server.listen(path, done));
    chmodSync(path, 0o666);
    return origin;
  }

  answer(id: string, answer: Answer): void {
    this.answers.set(id, answer);
  }

  /** What was asked for in a case's name, in order. */
  seen(id: string): readonly SeenRequest[] {
    return this.requests.get(id) ?? [];
  }

  private async serve(socket: Socket): Promise<void> {
    this.connections++;
    const peer = new Peer(socket);
    const first = await peer.take((bytes) => {
      const at = bytes.indexOf("\n");
      return at < 0 ? undefined : { found: bytes.subarray(0, at).toString(), rest: bytes.subarray(at + 1) };
    });
    if (first === undefined) return void socket.end();
    const about = JSON.parse(first) as Pick<SeenRequest, "name" | "client">;
    for (;;) {
      const parsed = await peer.take(parseRequest);
      if (!parsed) break;
      const request = { ...about, ...parsed };
      const id = joined(request.headers, CASE_HEADER) ?? "";
      this.requests.set(id, [...this.seen(id), request]);
      await this.reply(peer, request, id);
    }
    socket.end();
  }

  private async reply(peer: Peer, request: SeenRequest, id: string): Promise<void> {
    const answer = this.answers.get(id);
    if (answer === undefined) {
      const text = `no case ${id}`;
      return peer.send(`HTTP/1.1 500 Unknown\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
    }
    if (typeof answer === "function") return void (await answer(peer, request));
    for (const piece of answer) await peer.piece(piece);
  }

  async close(): Promise<void> {
    await new Promise((done) => this.server.close(done));
  }
}
