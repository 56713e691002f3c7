/** Dialling with patience, directly or through a jump host. */
import { setTimeout as wait } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import type { Context } from "./context";
import { address, connect, handshake, login, type Endpoint } from "./dial";

/** The `connection` input. */
export interface Connection extends Endpoint {
  proxy?: Endpoint;
}

const firstDelayMs = 100;
const delayFactor = 1.5;
const longestDelayMs = 5_000;

/**
 * One connection to the host. Every failed try is said live and repeated, whatever the reason (a wrong host key too),
 * until `dialErrorLimit` failures have been forgiven; -1 forgives all.
 */
export async function dial(connection: Connection, context: Context): Promise<Client> {
  const target = await login(connection);
  const tries = connection.dialErrorLimit ?? 10;
  const { proxy } = connection;
  if (proxy === undefined) return retry("Dial", tries, context, async () => handshake(await open(connection), target));
  try {
    const jump = await login(proxy);
    const jumpTries = proxy.dialErrorLimit ?? 10;
    const through = await retry("Dial proxy", jumpTries, context, async () => handshake(await open(proxy), jump));
    return await retry("Dial", tries, context, async () => handshake(await forward(through, connection), target));
  } catch (error) {
    throw new Error(`proxy: ${(error as Error).message}`, { cause: error });
  }
}

function open(endpoint: Endpoint) {
  const timeoutMs = (endpoint.perDialTimeout ?? 15) * 1000;
  const port = Math.trunc(endpoint.port ?? 22);
  return connect({ host: endpoint.host, port }, "tcp", address(endpoint), timeoutMs);
}

function forward(through: Client, to: Endpoint) {
  return new Promise<ClientChannel>((resolve, reject) => {
    through.forwardOut("0.0.0.0", 0, to.host, Math.trunc(to.port ?? 22), (error, channel) => {
      if (error) reject(new Error(`ssh: rejected: connect failed (${error.message})`));
      else resolve(channel);
    });
  });
}

async function retry<T>(what: string, limit: number, context: Context, attempt: () => Promise<T>): Promise<T> {
  let delay = firstDelayMs;
  for (let dials = 1; ; dials++) {
    try {
      return await attempt();
    } catch (error) {
      if (limit > -1 && dials > limit) {
        throw new Error(`after ${dials - 1} failed attempts: ${(error as Error).message}`, { cause: error });
      }
      context.status(`${what} ${dials}/${limit === -1 ? "inf" : limit} failed: retrying`);
    }
    await wait(delay, undefined, { signal: context.cancelled }).catch(() => {
      throw new Error("context canceled");
    });
    delay = Math.min(delay * delayFactor, longestDelayMs);
  }
}
