/** local.Command: a command on this machine. */
import { spawn } from "node:child_process";
import type { Context } from "./context";
import { failed, localEnd } from "./gotext";
import { Output, type Logging, type Printed } from "./output";
import { previousOutput } from "./previous";

/** The inputs of local.Command that a run looks at. */
export interface LocalInputs {
  interpreter?: string[];
  dir?: string;
  environment?: Record<string, string>;
  stdin?: string;
  logging?: Logging;
  addPreviousOutputInEnv?: boolean;
}

/**
 * Runs a command with `/bin/sh -c`, or the interpreter given, in the folder of the Pulumi program or `dir`.
 * Ends when the process and every holder of its stdout and stderr have ended.
 */
export async function runLocal(
  inputs: LocalInputs,
  command: string,
  previous: Printed,
  context: Context,
): Promise<Printed> {
  const interpreter = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  const [file = "", ...args] = [...interpreter, command];
  const output = new Output(context, inputs.logging);
  const cwd = inputs.dir ?? process.cwd();
  const env = { ...process.env, ...inputs.environment, ...previousOutput(inputs, previous) };
  const end = await new Promise<string | undefined>((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const kill = () => child.kill("SIGKILL");
    context.cancelled.addEventListener("abort", kill);
    child.stdout.on("data", (chunk: Buffer) => output.add("stdout", chunk));
    child.stderr.on("data", (chunk: Buffer) => output.add("stderr", chunk));
    // A command that does not read its stdin closes the pipe: not an error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(inputs.stdin ?? "");
    child.on("error", (error) => resolve(startFailure(file, cwd, error)));
    child.on("close", (code, signal) => {
      context.cancelled.removeEventListener("abort", kill);
      resolve(localEnd(code, signal));
    });
  });
  await output.end();
  if (end !== undefined) throw failed(end, command, output.all());
  return output.printed();
}

function startFailure(file: string, cwd: string, error: NodeJS.ErrnoException): string {
  // Node says ENOENT of the program for a missing folder too; Go tells them apart.
  if (!error.path?.includes("/") && error.code === "ENOENT" && !file.includes("/")) {
    return `exec: "${file}": executable file not found in $PATH`;
  }
  return error.code === "ENOENT" ? `chdir ${cwd}: no such file or directory` : error.message;
}
