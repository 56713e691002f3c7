import type { Printed } from "./output";

/** The outputs of the run before, as the environment of the next one, unless the resource says no. */
export function previousOutput(
  inputs: { addPreviousOutputInEnv?: boolean },
  previous: Printed,
): Record<string, string> {
  const env: Record<string, string> = {};
  if (inputs.addPreviousOutputInEnv === false) return env;
  if (previous.stdout !== "") env["PULUMI_COMMAND_STDOUT"] = previous.stdout;
  if (previous.stderr !== "") env["PULUMI_COMMAND_STDERR"] = previous.stderr;
  return env;
}
