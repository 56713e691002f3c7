/** remote.Command: a command on another machine, one new SSH connection each time. */
import type { ClientChannel } from "ssh2";
import { dial, type Connection } from "./connection";
import type { Context } from "./context";
import { failed, quote, remoteEnd } from "./gotext";
import { Output, type Logging, type Printed } from "./output";
import { previousOutput } from "./previous";
import { exec, openSession, setEnvironment } from "./session";

/** The inputs of remote.Command that a run looks at. */
export interface RemoteInputs {
  connection: Connection;
  environment?: Record<string, string>;
  stdin?: string;
  logging?: Logging;
  addPreviousOutputInEnv?: boolean;
}

/**
 * Runs a command and waits for its end and for the end of its stdout and stderr: a background process that holds them
 * keeps the operation open. The connection stays open until the plugin ends. Cancelling does not stop a command that
 * runs. A host that vanishes is noticed after about 150 s of silence.
 */
export async function runRemote(
  inputs: RemoteInputs,
  command: string,
  previous: Printed,
  context: Context,
): Promise<Printed> {
  const client = await dial(inputs.connection, context);
  const channel = await openSession(client);
  for (const [key, value] of Object.entries(inputs.environment ?? {})) {
    if (await setEnvironment(client, channel, key, value)) continue;
    channel.close();
    context.report("error", refused(key));
    await context.flushed();
    throw new Error(`could not set environment variable ${quote(key)}: ssh: setenv failed`);
  }
  for (const [key, value] of Object.entries(previousOutput(inputs, previous))) {
    if (!(await setEnvironment(client, channel, key, value))) context.report("warning", refused(key));
  }
  const output = new Output(context, inputs.logging);
  channel.on("data", (chunk: Buffer) => output.add("stdout", chunk));
  channel.stderr.on("data", (chunk: Buffer) => output.add("stderr", chunk));
  const end = ended(channel);
  if (!(await exec(client, channel, command))) throw new Error(`ssh: command ${command} failed`);
  // A command that ends without reading its stdin is no error.
  channel.on("error", () => undefined);
  channel.end(inputs.stdin ?? "");
  const why = await end;
  await output.end();
  if (why !== undefined) throw failed(why, command, output.all());
  return output.printed();
}

function ended(channel: ClientChannel): Promise<string | undefined> {
  return new Promise((resolve) => {
    let code: number | null | undefined;
    let signal: string | undefined;
    channel.on("exit", (...args: unknown[]) => {
      if (typeof args[0] === "number") code = args[0];
      else if (typeof args[1] === "string") signal = args[1];
    });
    channel.on("close", () => resolve(remoteEnd(code, signal)));
  });
}

function refused(key: string): string {
  return (
    `Unable to set '${key}'. This only works if your SSH server is configured to accept\n` +
    "\tthese variables via AcceptEnv. Alternatively, if a Bash-like shell runs the command on the remote host, you " +
    "could\n\tprefix the command itself with the variables in the form 'VAR=value command'"
  );
}
