/**
 * Hosts that pretend: an ssh server on loopback for each, which takes what it is sent and says that all went well. Nothing is run. So the real
 * engine deploys to as many as it likes, and what is in its state has the size of the real thing but for what a host would have said.
 */
import { once } from "node:events";
import type { Server as NetServer } from "node:net";
import { Server, utils, type AuthContext, type Connection, type ServerChannel } from "ssh2";
import { ed25519Pair } from "../lab/standins/command/testing/sshServer";

/** The user that logs in. */
export const USER = "operator";

/** Where one of them is, in the words of the stack's config. */
export interface PretendedHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
}

/** All of them. */
export interface PretendedHosts {
  readonly hosts: readonly PretendedHost[];
  /** The key that logs in everywhere. */
  readonly privateKey: string;
  /** Connections that have logged in so far. */
  readonly logins: () => number;
  close(): Promise<void>;
}

/** @param many at most 250: each has an address of its own on loopback */
export async function pretendHosts(many: number): Promise<PretendedHosts> {
  const [host, login] = [ed25519Pair(), ed25519Pair()];
  const wanted = utils.parseKey(login.public);
  const open = new Set<Connection>();
  let logins = 0;
  const allowed = ({ username, method, ...context }: AuthContext): boolean => {
    if (username !== USER || method !== "publickey" || wanted instanceof Error || !("key" in context)) return false;
    return wanted.getPublicSSH().equals(context.key.data);
  };
  const serve = (connection: Connection): void => {
    open.add(connection);
    connection.on("error", () => undefined).on("close", () => open.delete(connection));
    connection.on("authentication", (context) => (allowed(context) ? context.accept() : context.reject(["publickey"])));
    connection.on("ready", () => logins++);
    connection.on("session", (accept) => accept().on("exec", (run) => pretend(run())));
  };
  const servers: Server[] = [];
  const hosts: PretendedHost[] = [];
  for (let n = 1; n <= many; n++) {
    const server = new Server({ hostKeys: [host.private] }, serve);
    const address = `127.0.77.${n}`;
    server.listen(0, address);
    await once(server, "listening");
    const { port } = (server as unknown as { _srv: NetServer })._srv.address() as { port: number };
    servers.push(server);
    hosts.push({ name: `host${n}`, address, port, hostKey: host.public.split(" ").slice(0, 2).join(" ") });
  }
  const close = async (): Promise<void> => {
    for (const connection of open) connection.end();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  return { hosts, privateKey: login.private, logins: () => logins, close };
}

/** Reads all of stdin, as a step does, and ends well. */
function pretend(channel: ServerChannel): void {
  channel
    .on("error", () => undefined)
    .on("end", () => {
      channel.exit(0);
      channel.end();
    });
  channel.resume();
}
