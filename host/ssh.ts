/**
 * ssh to one host: whether its sshd answers, and one command over one connection of its own.
 */
import { createHash } from "node:crypto";
import { createConnection, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, utils, type ClientChannel, type ServerHostKeyAlgorithm } from "ssh2";

/** How to reach a host, in the words of @pulumi/command's `connection`. */
export interface SshConnection {
  /** DNS name or IP address. @example "192.0.2.10" */
  readonly host: string;
  /** @default 22 */
  readonly port?: number | undefined;
  /** Login user. @default "root" */
  readonly user?: string | undefined;
  /** The host's public key as `type base64`. Without one nothing is dialled. @example "ssh-ed25519 AAAAC3Nza..." */
  readonly hostKey?: string | undefined;
  /** Text of the private key to log in with (OpenSSH format or PEM). @default the keys of the agent */
  readonly privateKey?: string | undefined;
  /** Passphrase of `privateKey`. @default none */
  readonly privateKeyPassword?: string | undefined;
  /** Password of `user`, where keys are not enough. @default none */
  readonly password?: string | undefined;
  /** Socket of an ssh agent, asked beside the private key. @default the environment's SSH_AUTH_SOCK */
  readonly agentSocketPath?: string | undefined;
  /** A jump host: the machine that the connection goes through, its key pinned too. @default none */
  readonly proxy?: Omit<SshConnection, "proxy"> | undefined;
}

/** Where an sshd is: a part of a connection. */
export type SshPlace = Pick<SshConnection, "host" | "port" | "proxy">;

/** How a command ended. */
export interface Ran {
  /** Its exit code; 255 when a signal ended it, as ssh(1) has it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a command may take. */
export interface SshLimits {
  /** Seconds until the login is through. */
  readonly dialSeconds: number;
  /** Seconds that the command may run. */
  readonly seconds: number;
  /** Called with each line of stdout as it arrives. */
  readonly onLine?: (line: string) => void;
}

/** What {@link runOverSsh} throws: `reached` is false when no sshd answered, true when one did and the rest failed. */
export type SshError = Error & { readonly reached: boolean };

/** How long one knock waits when there is time for another: a machine that boots answers a later one. */
const oneKnockSeconds = 5;

/** A server may send other lines before its version (RFC 4253, section 4.2), but not without end. */
const bannerLimit = 8192;

/**
 * Whether an sshd answers: dials once and waits for its version string, RFC 4253, section 4.2. Does not log in, but at a jump host.
 * @returns undefined when it answers, else why not, in words without a full stop.
 * @example await knock({ host: "192.0.2.1" }, 15) // "nobody answers at 192.0.2.1:22 within 15 s"
 */
export function knock(place: SshPlace, seconds: number): Promise<string | undefined> {
  return knockOnce(place, seconds, seconds);
}

/**
 * {@link knock}, again and again until somebody answers or the time is over. `seconds` is the time in all, `pause` the seconds between two tries.
 * OpenSSH counts one second of penalty for each connection without a login (PerSourcePenalties): only the last try makes one.
 */
export async function knockPatiently(
  place: SshPlace,
  { seconds, pause }: { readonly seconds: number; readonly pause: number },
): Promise<string | undefined> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const left = (end - Date.now()) / 1000;
    const why = await knockOnce(place, seconds, Math.max(0.1, Math.min(left, oneKnockSeconds)));
    if (why === undefined || Date.now() + pause * 1000 >= end) return why;
    await sleep(pause * 1000);
  }
}

/**
 * One try of `limit` seconds; the words name the seconds that were given to all tries together. A jump host is given the same time at every try,
 * so that its words are the same every time.
 */
async function knockOnce(to: SshPlace, seconds: number, limit: number): Promise<string | undefined> {
  const { host, port = 22 } = to;
  const listen = (sock?: Duplex) =>
    heard(sock ?? createConnection({ host, port }), placeOf(host, port), seconds, limit);
  try {
    return await via(to, Math.min(seconds, oneKnockSeconds), listen);
  } catch (error) {
    return (error as SshError).message;
  }
}

/**
 * Work at a place, on a stream through its jump host where it has one. Who refuses is said: a jump host's words alone could be taken for those of
 * the machine behind it.
 */
async function via<T>(
  { host, port = 22, proxy }: SshPlace,
  seconds: number,
  work: (sock?: ClientChannel) => Promise<T>,
): Promise<T> {
  if (proxy === undefined) return work();
  const jump = await logIn(proxy, seconds).catch(({ reached, message }: SshError) => {
    throw failure(reached, `jump host: ${message}`);
  });
  try {
    return await work(await through(jump, host, port, seconds));
  } finally {
    jump.on("error", () => undefined).end();
  }
}

/**
 * A stream from the jump host to a place behind it. Reason 1 is that it may not, others that it cannot: RFC 4254, section 5.1. For a place that is
 * silent it waits as long as its kernel does, two minutes.
 */
function through(jump: Client, host: string, port: number, seconds: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(failure(false, `the jump host cannot reach ${placeOf(host, port)}: ${why}`));
    const timer = setTimeout(() => fail(`no answer within ${seconds} s`), seconds * 1000);
    jump.on("error", () => fail("the connection to it broke")).on("close", () => fail("the connection to it broke"));
    jump.forwardOut("127.0.0.1", 0, host, port, (error: (Error & { reason?: unknown }) | undefined, channel) => {
      clearTimeout(timer);
      if (!error) resolve(channel);
      else if (error.reason === 1) fail("it forbids forwarding (sshd_config: AllowTcpForwarding, PermitOpen)");
      else fail(error.message.replace("(SSH) Channel open failure: ", "") || "no answer");
    });
  });
}

/** Whether an ssh server speaks on a stream that is open, or opening. */
function heard(socket: Duplex, place: string, seconds: number, limit: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let connected = !(socket instanceof Socket);
    let heard = "";
    const timer = setTimeout(
      () =>
        end(
          connected
            ? `no ssh server speaks at ${place} within ${seconds} s`
            : `nobody answers at ${place} within ${seconds} s`,
        ),
      limit * 1000,
    );
    function end(why?: string): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(why);
    }
    socket.on("connect", () => (connected = true));
    socket.on("error", (error: NodeJS.ErrnoException) => end(dialWords(place, seconds, error)));
    socket.on("close", () => end(`the connection to ${place} is closed before an ssh server speaks`));
    socket.on("data", (bytes: Buffer) => {
      heard += bytes.toString("latin1");
      if (/^SSH-/m.test(heard)) end();
      else if (heard.length > bannerLimit) end(`what answers at ${place} is no ssh server`);
    });
  });
}

/**
 * Runs one command on a host, with `stdin` on its standard input: one connection, closed at the end, the host key pinned.
 * A command that fails is no error: see `code`.
 * @throws {SshError} when the host cannot be reached, shows another key, refuses the login, or the command does not end. No secret is in its message.
 */
export function runOverSsh(connection: SshConnection, command: string, stdin: string, limits: SshLimits): Promise<Ran> {
  return via(connection, limits.dialSeconds, async (sock) => {
    const client = await logIn(connection, limits.dialSeconds, sock);
    try {
      return await execute(client, placeOf(connection.host, connection.port ?? 22), { command, stdin, ...limits });
    } finally {
      client.on("error", () => undefined).end();
    }
  });
}

/**
 * One login, `seconds` for all of it. ssh2 reports a key that the agent cannot use as an error and goes on to the next way to log in.
 * Keep-alives are asked over SSH, because bytes on their way suspend the kernel's own probes: a vanished host is noticed after 150 s.
 * An RSA key signs with SHA-2 under names of its own (RFC 8332); today's sshd has no other. Keys are named as `ssh-keygen -l` prints them.
 */
async function logIn(connection: SshConnection, seconds: number, sock?: ClientChannel): Promise<Client> {
  const { host, port = 22, user = "root", privateKey, privateKeyPassword, password } = connection;
  const place = placeOf(host, port);
  const { type, blob } = pinnedKey(place, connection.hostKey);
  const agent = connection.agentSocketPath ?? process.env["SSH_AUTH_SOCK"];
  if (privateKey !== undefined) {
    const key = utils.parseKey(privateKey, privateKeyPassword);
    if (key instanceof Error)
      throw failure(true, `the private key for ${user}@${place} cannot be used: ${key.message}`);
  }
  const signatures = type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
  const lost = `the connection to ${place} is closed before the login`;
  const print = (key: Buffer) => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
  const client = new Client();
  let answered = false;
  let stranger: string | undefined;
  return new Promise((resolve, reject) => {
    const late = () =>
      answered
        ? `the login at ${place} does not end within ${seconds} s`
        : `nobody answers at ${place} within ${seconds} s`;
    const timer = setTimeout(() => fail(failure(answered, late())), seconds * 1000);
    function fail(error: SshError): void {
      clearTimeout(timer);
      client.removeAllListeners().on("error", () => undefined);
      client.destroy();
      reject(error);
    }
    client.on("error", (error: NodeJS.ErrnoException & { level?: string }) => {
      if (error.level === "agent") return;
      if (stranger !== undefined) fail(failure(true, stranger));
      else if (error.level === "client-authentication") {
        const next = `Next: put a public key whose private key is here into ${user}'s authorized_keys there, or name another user or key`;
        fail(failure(true, `${place} refuses the login of ${user}. ${next}`));
      } else if (error.message.includes("no matching host key format")) {
        fail(failure(true, `${place} has no host key of the pinned type ${type}. ${hostKeyNext}`));
      } else if (error.message.includes("no matching")) fail(failure(true, `${place}: ${error.message}`));
      else if (error.code === undefined) fail(failure(answered, lost));
      else fail(failure(answered, dialWords(place, seconds, error)));
    });
    client.on("close", () => fail(failure(answered, lost)));
    client.on("ready", () => {
      clearTimeout(timer);
      client.removeAllListeners();
      resolve(client);
    });
    client.connect({
      ...(sock ? { sock } : { host, port }),
      username: user,
      ...(privateKey !== undefined && { privateKey }),
      ...(privateKeyPassword !== undefined && { passphrase: privateKeyPassword }),
      ...(password !== undefined && { password }),
      ...(agent && { agent }),
      readyTimeout: 0,
      keepaliveInterval: 15_000,
      keepaliveCountMax: 9,
      algorithms: { serverHostKey: signatures as ServerHostKeyAlgorithm[] },
      hostVerifier: (key: Buffer) => {
        if (key.equals(blob)) return (answered = true);
        stranger = `${place} shows another host key (${print(key)}) than the pinned one (${print(blob)}). ${hostKeyNext}`;
        return false;
      },
    });
  });
}

interface Job extends SshLimits {
  readonly command: string;
  readonly stdin: string;
}

/** A channel that closes without a status went with its connection. */
function execute(client: Client, place: string, { command, stdin, seconds, onLine }: Job): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    let line = "";
    let code: number | undefined;
    const started = Date.now();
    const timer = setTimeout(() => fail(`the command on ${place} did not end within ${seconds} s`), seconds * 1000);
    function fail(what: string): void {
      clearTimeout(timer);
      client.destroy();
      reject(failure(true, what));
    }
    const broken = (): void =>
      fail(`the connection to ${place} broke after ${Math.round((Date.now() - started) / 1000)} s`);
    client.on("error", broken).on("close", broken);
    client.exec(command, (refused: Error | undefined, channel: ClientChannel) => {
      if (refused) return fail(`${place} does not run the command: ${refused.message}`);
      channel.on("error", () => undefined);
      channel.setEncoding("utf8").on("data", (text: string) => {
        stdout += text;
        const lines = (line + text).split("\n");
        line = lines.pop() ?? "";
        for (const each of lines) onLine?.(each);
      });
      channel.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      channel.on("exit", (status: number | null, signal?: string) => {
        code = status ?? 255;
        if (status === null) stderr += `ended by signal ${signal}\n`;
      });
      channel.on("close", () => {
        if (code === undefined) return broken();
        clearTimeout(timer);
        if (line !== "") onLine?.(line);
        resolve({ code, stdout, stderr });
      });
      channel.end(stdin);
    });
  });
}

const hostKeyNext =
  "Next: if the machine was set up anew, read its key on its console and correct hostKey; if not, find out who answers there";

function pinnedKey(place: string, hostKey: string | undefined): { type: string; blob: Buffer } {
  if (!hostKey) throw failure(true, `${place} has no host key to be known by. Next: give hostKey as type base64`);
  const key = utils.parseKey(hostKey);
  if (key instanceof Error) throw failure(true, `the host key of ${place} is none. Next: give hostKey as type base64`);
  return { type: key.type, blob: key.getPublicSSH() };
}

function placeOf(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** Why a dial failed. */
function dialWords(place: string, seconds: number, error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return `connection refused at ${place}`;
  if (error.code === "ENOTFOUND") return `no such host: ${place}`;
  if (error.code === "ETIMEDOUT") return `nobody answers at ${place} within ${seconds} s`;
  if (error.code === "EHOSTUNREACH") return `nobody answers at ${place}: host unreachable`;
  return `no connection to ${place} (${error.code})`;
}

function failure(reached: boolean, message: string): SshError {
  return Object.assign(new Error(message), { reached });
}
