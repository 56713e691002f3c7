// npx softmap hostkey HOST: the host keys that a machine shows, with fingerprints to compare by eye. Logs in nowhere, trusts nobody.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { parseArgs } from "node:util";
import { Client, type ServerHostKeyAlgorithm } from "ssh2";
import type { Streams } from "./check";

const usage = `usage: npx softmap hostkey HOST [--port N] [--proxy USER@HOST[:PORT]]

Prints the host keys that a machine shows, with their fingerprints and the line for the stack's config. It does not log in there.

  --port N    where its sshd listens (default: 22)
  --proxy     a jump host: ssh(1) logs in there, with your keys, and by your known_hosts`;

/** A machine's sshd, and by which way. */
interface Place {
  readonly host: string;
  readonly port: number;
  /** The jump host as ssh(1) takes it. */
  readonly proxy?: string | undefined;
}

/** The types that can be pinned, the one to take first; an RSA key signs under names of its own (RFC 8332). */
const types: readonly { readonly type: string; readonly algorithms: readonly ServerHostKeyAlgorithm[] }[] = [
  { type: "ssh-ed25519", algorithms: ["ssh-ed25519"] },
  { type: "ecdsa-sha2-nistp256", algorithms: ["ecdsa-sha2-nistp256"] },
  { type: "ssh-rsa", algorithms: ["rsa-sha2-512", "rsa-sha2-256"] },
];

/** A key as a machine shows it. */
export interface ShownKey {
  readonly type: string;
  /** `type base64`, as `hostKey` in a config has it. */
  readonly line: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/**
 * Runs the command. Returns its exit code: 0 when the machine showed a key, 1 when not, 2 for a wrong call.
 * @param ssh path of ssh(1), for a jump host
 */
export async function main(args: readonly string[], { out, err }: Streams, ssh = "ssh"): Promise<0 | 1 | 2> {
  const place = parsed(args);
  if (typeof place === "string") {
    if (place === "help") out(usage);
    else err(`${place}\n${usage}`);
    return place === "help" ? 0 : 2;
  }
  try {
    const keys = await keysOf(place, ssh);
    out(keys.map((key) => `${key.type}  ${key.fingerprint}\n  hostKey: "${key.line}"`).join("\n\n"));
    out(
      `\nThis came over the network and proves nothing by itself: compare the fingerprint by eye with the one on the console of ${place.host}:\n  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done`,
    );
    return 0;
  } catch (error) {
    const next = "see that the machine runs, and that its sshd is reached from here";
    err(`${(error as Error).message}\n  Next: ${next}${place.proxy === undefined ? "" : ` by way of ${place.proxy}`}.`);
    return 1;
  }
}

/** The place; text when the call is wrong, `help` when that is asked for. */
function parsed(args: readonly string[]): Place | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        port: { type: "string", default: "22" },
        proxy: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
      allowPositionals: true,
    });
    if (values.help) return "help";
    const [host, ...rest] = positionals;
    const port = Number(values.port);
    if (host === undefined || host === "" || rest.length > 0) return "Name one host.";
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      return `--port takes a number from 1 to 65535, not ${values.port}.`;
    if (values.proxy !== undefined && !/^([^@\s/-][^@\s/]*@)?[^@\s/-][^@\s/]*$/.test(values.proxy))
      return `--proxy takes USER@HOST or USER@HOST:PORT, not ${values.proxy}.`;
    return { host, port, proxy: values.proxy };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Every key that the machine shows, one connection each. @throws when it shows none, with the reason */
export async function keysOf(place: Place, ssh = "ssh"): Promise<ShownKey[]> {
  const found: ShownKey[] = [];
  for (const { type, algorithms } of types) {
    const answer = await shown(place, algorithms, ssh);
    if (Buffer.isBuffer(answer))
      found.push({ type, line: `${type} ${answer.toString("base64")}`, fingerprint: fingerprint(answer) });
    else if (!/no matching host key format/.test(answer))
      throw new Error(`${place.host} port ${place.port} shows no host key: ${answer}`);
  }
  if (found.length === 0)
    throw new Error(`${place.host} port ${place.port} has none of ${types.map(({ type }) => type).join(", ")}`);
  return found;
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The key of these algorithms, or why there is none. The handshake ends there: nobody logs in. */
function shown(
  { host, port, proxy }: Place,
  serverHostKey: readonly ServerHostKeyAlgorithm[],
  ssh: string,
): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const client = new Client();
    let seen: Buffer | undefined;
    client.on("error", (error) => resolve(seen ?? error.message));
    client.on("close", () => resolve(seen ?? "the connection was closed"));
    client.connect({
      ...(proxy === undefined ? { host, port } : { sock: through(ssh, proxy, host, port) }),
      username: "nobody",
      readyTimeout: proxy === undefined ? 15_000 : 60_000,
      algorithms: { serverHostKey: [...serverHostKey] },
      hostVerifier: (key: Buffer) => {
        seen = key;
        return false;
      },
    });
  });
}

/** ssh(1) asks and warns at the terminal, as it always does; a jump host's own key is its business. */
function through(ssh: string, proxy: string, host: string, port: number): Duplex {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const child = spawn(ssh, ["-W", target, "--", `ssh://${proxy}`], { stdio: ["pipe", "pipe", "inherit"] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.on("error", (error) => stream.destroy(error));
  return stream.on("error", () => undefined).on("close", () => child.kill());
}
