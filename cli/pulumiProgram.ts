import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Pulumi's CLI for a command that is run in `folder`: the one that npm installed there or in a folder above, as `npx pulumi` would take it, or else
 * plain `pulumi`, which the shell's PATH finds. A package has none of its own: the stack is a stranger's, and so is the version that made it.
 * @param folder default: the current one
 * @example "node_modules/.bin/pulumi" with all of its path, or "pulumi"
 */
export function pulumiProgram(folder: string = process.cwd()): string {
  for (let at = folder; ; at = dirname(at)) {
    const program = join(at, "node_modules", ".bin", "pulumi");
    if (existsSync(program)) return program;
    if (dirname(at) === at) return "pulumi";
  }
}
