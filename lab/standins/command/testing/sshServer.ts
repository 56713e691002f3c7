/** An SSH server on 127.0.0.1 for tests: runs commands with sh, counts connections, misbehaves on request. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type AddressInfo, type Server as NetServer } from "node:net";
import { Server, utils, type AuthContext, type Connection, type ServerChannel, type Session } from "ssh2";
import { serveFiles } from "./sftpServer";

/** What the server allows. */
export interface ServerOptions {
  user?: string;
  password?: string;
  /** Names of variables that clients may set; OpenSSH's AcceptEnv. */
  acceptEnv?: readonly string[];
  /** Cuts this many connections before the handshake. */
  cutFirst?: number;
  /** Whether it can be a jump host. Default: it can. */
  forward?: boolean;
}

/** A running server. */
export interface TestServer {
  port: number;
  /** "type base64" of the host key. */
  hostKey: string;
  /** The private key that may log in. */
  privateKey: string;
  /** TCP connections so far. */
  dials: () => number;
  /** Connections that are open. */
  open: () => number;
  /** Cuts every open connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

/** A key pair that ssh2 itself can read: it writes one in some hundred so that it cannot (a leading zero is lost). */
export function ed25519Pair(): { private: string; public: string } {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519");
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** Starts a server. The user is "operator" unless given. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const host = ed25519Pair();
  const login = ed25519Pair();
  const connections = new Set<Connection>();
  let dials = 0;
  let left = options.cutFirst ?? 0;
  const server = new Server({ hostKeys: [host.private] }, (connection) => {
    connections.add(connection);
    connection.on("error", () => undefined).on("close", () => connections.delete(connection));
    connection.on("authentication", (context) => (allowed(context) ? context.accept() : context.reject(["publickey"])));
    connection.on("session", (accept) => serve(accept(), connection, options.acceptEnv ?? []));
    if (options.forward ?? true) connection.on("tcpip", forward);
  });
  // Counted before the handshake, so that failed ones count as well.
  (server as unknown as { _srv: NetServer })._srv.prependListener("connection", (socket) => {
    dials++;
    socket.setNoDelay(true);
    if (left-- > 0) socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const wanted = utils.parseKey(login.public);
  function allowed(context: AuthContext): boolean {
    if (context.username !== (options.user ?? "operator")) return false;
    if (context.method === "password") return options.password === context.password;
    if (context.method !== "publickey" || wanted instanceof Error) return false;
    if (!wanted.getPublicSSH().equals(context.key.data)) return false;
    const { signature, blob, hashAlgo } = context;
    return signature === undefined || (blob !== undefined && wanted.verify(blob, signature, hashAlgo) === true);
  }

  return {
    port: (server.address() as AddressInfo).port,
    hostKey: host.public.split(" ").slice(0, 2).join(" "),
    privateKey: login.private,
    dials: () => dials,
    open: () => connections.size,
    cut: () =>
      connections.forEach((connection) => (connection as unknown as { _sock: { destroy(): void } })._sock.destroy()),
    close: async () => {
      connections.forEach((connection) => connection.end());
      server.close();
      await once(server, "close");
    },
  };
}

/** As sshd: first the connection, then the word that there is one. */
function forward(
  accept: () => ServerChannel,
  reject: () => void,
  { destIP, destPort }: { destIP: string; destPort: number },
): void {
  const socket = connect(destPort, destIP);
  socket.on("error", reject).on("connect", () => {
    const channel = accept();
    socket.on("error", () => channel.close());
    channel.on("error", () => undefined).on("close", () => socket.destroy());
    channel.pipe(socket).pipe(channel);
  });
}

function serve(session: Session, connection: Connection, acceptEnv: readonly string[]): void {
  const env: Record<string, string> = {};
  session.on("env", (accept, reject, { key, val }: { key: string; val: string }) => {
    if (!acceptEnv.includes(key)) return reject?.();
    env[key] = val;
    accept?.();
  });
  session.on("exec", (accept, _reject, { command }) => execute(accept(), connection, command, env));
  session.on("sftp", (accept) => serveFiles(accept()));
}

function execute(channel: ServerChannel, connection: Connection, command: string, env: Record<string, string>): void {
  const child = spawn("/bin/sh", ["-c", command], { env: { PATH: process.env["PATH"], ...env } });
  channel.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  connection.on("close", () => child.kill("SIGKILL"));
  // As sshd: the status when the process ends, the end of the channel when its output ends.
  child.on("exit", (code, signal) => (signal ? channel.exit(signal.slice(3)) : channel.exit(code ?? 0)));
  child.on("close", () => channel.end());
}
