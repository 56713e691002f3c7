// Secrets into a stack's config: through Pulumi's own CLI, on its stdin. Nothing of them is on a command line or in a message.
import { pulumiProgram } from "../pulumiProgram";
import { runPulumi, StackError } from "../stack";
import { shown } from "./entry";
import { configPath, type Secret } from "./keys";

/** One secret to set. */
export interface Setting {
  /** @example 'softmap:siteKeys["www.example.org"]' */
  readonly path: string;
  readonly value: string;
  readonly stack: string;
  /** The stack's file, where it is not Pulumi's own choice. */
  readonly file?: string | undefined;
}

/** Sets a secret. Returns what went wrong, in words without the secret; undefined when it is set. */
export type ConfigSet = (setting: Setting) => Promise<string | undefined>;

/** Sets a secret with Pulumi's CLI. */
export async function configSet(
  { path, value, stack, file }: Setting,
  program = pulumiProgram(),
): Promise<string | undefined> {
  const where = file === undefined ? [] : ["--config-file", file];
  const args = ["config", "set", "--secret", "--path", path, "--stack", stack, ...where];
  try {
    const { code, stderr } = await runPulumi(args, { program, input: value });
    return code === 0 ? undefined : failure(stderr, value);
  } catch (error) {
    if (error instanceof StackError) return error.message.replace(".\n  Next: ", ": ").replace(/\.$/, "");
    throw error;
  }
}

function failure(said: string, value: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  const secret = value.split("\n").filter((part) => part.length >= 16);
  const safe = lines.filter((line) => !secret.some((part) => line.includes(part.slice(0, 16))));
  return shown(safe.slice(-3).join(" ") || "pulumi said nothing", 300);
}

/** A secret, and whether it was set. */
export interface Adopted {
  readonly secret: Secret;
  readonly set: boolean;
  readonly failure?: string;
}

/** Sets all secrets, one after the other: each writes the same file. After the first failure the others are left. */
export async function setAll(
  secrets: readonly Secret[],
  where: { readonly stack: string; readonly file?: string | undefined },
  set: ConfigSet,
): Promise<Adopted[]> {
  const all: Adopted[] = [];
  for (const secret of secrets) {
    if (all.some(({ failure }) => failure !== undefined)) {
      all.push({ secret, set: false });
      continue;
    }
    const path = configPath(secret.key, secret.name);
    const failure = await set({ path, value: secret.value(), ...where });
    all.push(failure === undefined ? { secret, set: true } : { secret, set: false, failure });
  }
  return all;
}
