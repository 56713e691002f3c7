/** A command on a machine, this one or another. For dynamic providers too: see ssh.ts. */
import { spawn } from "node:child_process";
import { runOverSsh, type Ran, type SshConnection, type SshLimits } from "./ssh";

/**
 * Runs one command on a machine, with `stdin` on its standard input: over ssh, or, without a connection, on this one, where it is a process like
 * any other (bootstrap.sh becomes root there too). A command that fails is no error: see `code`.
 * @throws {SshError} as `runOverSsh` does; here, when no process can be made.
 */
export function runOn(
  connection: SshConnection | undefined,
  command: string,
  stdin: string,
  limits: SshLimits,
): Promise<Ran> {
  if (connection !== undefined) return runOverSsh(connection, command, stdin, limits);
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], { stdio: "pipe", timeout: limits.seconds * 1000 });
    let [stdout, stderr, line] = ["", "", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      const lines = (line + text).split("\n");
      line = lines.pop() ?? "";
      for (const each of lines) limits.onLine?.(each);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 255, stdout, stderr }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}
