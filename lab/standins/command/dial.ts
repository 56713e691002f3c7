/** One SSH connection, as the real plugin opens it: the same options, the same order, the same words when it fails. */
import { createConnection, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, utils, type AnyAuthMethod, type KeyboardInteractiveAuthMethod, type ParsedKey } from "ssh2";
import { dialFailure } from "./gotext";

/** How to reach one machine. Unset: user root, port 22, 10 failed dials, 15 s a dial. */
export interface Endpoint {
  host: string;
  port?: number;
  user?: string;
  password?: string;
  privateKey?: string;
  privateKeyPassword?: string;
  agentSocketPath?: string;
  hostKey?: string;
  dialErrorLimit?: number;
  perDialTimeout?: number;
}

/** What is worked out once, before any dial: an error here is not retried. */
export interface Login {
  user: string;
  methods: AnyAuthMethod[];
  hostKey: ParsedKey | undefined;
  timeoutMs: number;
}

/** The address as Go writes it. */
export function address(endpoint: Endpoint): string {
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  return `${host}:${Math.trunc(endpoint.port ?? 22)}`;
}

/** Reads keys and looks for the agent; throws what the real plugin says of bad ones. */
export async function login(endpoint: Endpoint): Promise<Login> {
  const user = endpoint.user ?? "root";
  const methods: AnyAuthMethod[] = [{ type: "none", username: user }];
  const hostKey = endpoint.hostKey === undefined ? undefined : parseHostKey(endpoint.hostKey);
  if (endpoint.privateKey !== undefined) {
    const key = parsePrivateKey(endpoint.privateKey, endpoint.privateKeyPassword);
    methods.push({ type: "publickey", username: user, key });
  }
  const password = endpoint.password;
  if (password !== undefined) {
    methods.push({ type: "password", username: user, password });
    const prompt: KeyboardInteractiveAuthMethod["prompt"] = (...asked) => asked[4](asked[3].map(() => password));
    methods.push({ type: "keyboard-interactive", username: user, prompt });
  }
  // An agent in the environment is used without being asked for, and must be there.
  const agent = endpoint.agentSocketPath ?? (process.env["SSH_AUTH_SOCK"] || undefined);
  if (agent !== undefined) {
    (await connect({ path: agent }, "unix", agent, 0)).destroy();
    methods.push({ type: "agent", username: user, agent });
  }
  return { user, methods, hostKey, timeoutMs: (endpoint.perDialTimeout ?? 15) * 1000 };
}

function parsePrivateKey(text: string, passphrase: string | undefined): ParsedKey {
  const key = utils.parseKey(text, passphrase);
  if (!(key instanceof Error)) return key;
  if (/encrypted|passphrase|decrypt|integrity/i.test(key.message)) {
    const wrong = passphrase !== undefined;
    throw new Error(wrong ? "x509: decryption password incorrect" : "ssh: this private key is passphrase protected");
  }
  throw new Error("ssh: no key found");
}

function parseHostKey(text: string): ParsedKey {
  const key = utils.parseKey(text);
  if (key instanceof Error) throw new Error("failed to parse host key: ssh: no key found");
  return key;
}

/** Opens a socket; 0 ms means no limit. */
export function connect(
  to: { path: string } | { host: string; port: number },
  network: "tcp" | "unix",
  name: string,
  timeoutMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // As Go's dialer: no waiting to fill packets, and the kernel's keep-alives, so that a vanished host is noticed.
    const socket = createConnection({ ...to, noDelay: true, keepAlive: true, keepAliveInitialDelay: 15_000 });
    const fail = (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(dialFailure(network, name, error)));
    };
    const timer = timeoutMs > 0 ? setTimeout(() => fail(timedOut()), timeoutMs) : undefined;
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      resolve(socket);
    });
  });
}

function timedOut(): NodeJS.ErrnoException {
  return Object.assign(new Error("i/o timeout"), { code: "ETIMEDOUT" });
}

/** The SSH handshake and login over an open stream. */
export function handshake(stream: Duplex, { user, methods, hostKey, timeoutMs }: Login): Promise<Client> {
  const client = new Client();
  const tried: string[] = [];
  const left = [...methods];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      client.removeAllListeners("close");
      client.on("error", () => undefined);
      client.destroy();
      reject(new Error(`ssh: handshake failed: ${why}`));
    };
    let mismatch = false;
    client.on("error", (error: Error & { level?: string }) => {
      // A key that the agent cannot use: the next method is tried.
      if (error.level === "agent") return;
      if (mismatch) fail("ssh: host key mismatch");
      else if (error.level === "client-authentication") {
        const methodsTried = [...new Set(tried)].join(" ");
        fail(`ssh: unable to authenticate, attempted methods [${methodsTried}], no supported methods remain`);
      } else fail(handshakeWords(error));
    });
    client.on("close", () => fail("EOF"));
    client.on("ready", () => {
      client.removeAllListeners("error").removeAllListeners("close");
      // The connection outlives its command, as the real plugin's does; its end is nobody's news.
      client.on("error", () => undefined);
      resolve(client);
    });
    client.connect({
      sock: stream,
      username: user,
      // The real plugin limits only the TCP dial and would wait for ever for a mute server.
      readyTimeout: timeoutMs,
      // 15 s and 9 misses are what Go's TCP keep-alive gives a vanished host; asked over SSH, because bytes on their
      // way suspend the kernel's own probes.
      keepaliveInterval: 15_000,
      keepaliveCountMax: 9,
      ...(hostKey && { algorithms: { serverHostKey: [hostKey.type] } }),
      hostVerifier: (key: Buffer) => {
        mismatch = hostKey !== undefined && !hostKey.getPublicSSH().equals(key);
        return !mismatch;
      },
      authHandler: (allowed: string[] | null, _partial, next) => {
        for (;;) {
          const method = left.shift();
          if (method === undefined) return next(false as never);
          const name = method.type === "agent" ? "publickey" : method.type;
          if (allowed !== null && !allowed.includes(name)) continue;
          tried.push(name);
          return next(method);
        }
      },
    });
  });
}

function handshakeWords(error: NodeJS.ErrnoException & { level?: string }): string {
  if (error.level === "client-timeout") return "i/o timeout";
  if (error.code === "ECONNRESET") return "read: connection reset by peer";
  if (/Connection lost before handshake/i.test(error.message)) return "EOF";
  if (/no matching/i.test(error.message)) return `ssh: no common algorithm: ${error.message}`;
  return error.message;
}
