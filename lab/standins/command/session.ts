/**
 * A session channel whose environment requests are answered before the command is sent. ssh2's own `exec` sends them
 * without asking for an answer; the real plugin refuses to run a command whose environment the server refused.
 */
import type { Client, ClientChannel } from "ssh2";

/** The parts of ssh2 1.17.0 that it keeps to itself (lib/client.js: openChannel, reqEnv, reqExec). */
interface Internals {
  _chanMgr: { add(wrapper: unknown): number };
  _protocol: {
    session(channel: number, window: number, packet: number): void;
    env(channel: number, key: string, value: string, wantReply: boolean): void;
    exec(channel: number, command: string, wantReply: boolean): void;
  };
}

interface ChannelInternals {
  subtype: string;
  outgoing: { id: number; state: string };
  _callbacks: ((refused: boolean | Error) => void)[];
}

// ssh2's own figures, which its window accounting expects.
const windowSize = 2 * 1024 * 1024;
const packetSize = 32 * 1024;

/** Opens a session; nothing is asked of the host yet. */
export function openSession(client: Client): Promise<ClientChannel> {
  const { _chanMgr: channels, _protocol: protocol } = client as unknown as Internals;
  return new Promise((resolve, reject) => {
    const opened = (error: Error | undefined, channel: ClientChannel) => (error ? reject(error) : resolve(channel));
    const id = channels.add(Object.assign(opened, { type: "session" }));
    client.once("close", () => reject(new Error("EOF")));
    protocol.session(id, windowSize, packetSize);
  });
}

/** Asks for one variable; false when the server refuses it (OpenSSH: not in AcceptEnv). */
export async function setEnvironment(client: Client, channel: ClientChannel, key: string, value: string) {
  return request(client, channel, (protocol, id) => protocol.env(id, key, value, true));
}

/** Starts the command; false when the server refuses. */
export async function exec(client: Client, channel: ClientChannel, command: string) {
  const started = await request(client, channel, (protocol, id) => protocol.exec(id, command, true));
  if (started) (channel as unknown as ChannelInternals).subtype = "exec";
  return started;
}

function request(
  client: Client,
  channel: ClientChannel,
  send: (protocol: Internals["_protocol"], id: number) => void,
): Promise<boolean> {
  const inner = channel as unknown as ChannelInternals;
  return new Promise((resolve) => {
    // The server answers requests in order, and ssh2 hands each answer to the first in this list.
    inner._callbacks.push((refused) => resolve(refused === false || refused === undefined));
    channel.once("close", () => resolve(false));
    send((client as unknown as Internals)._protocol, inner.outgoing.id);
  });
}
