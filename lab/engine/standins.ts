/** The plugins of a built engine: stand-ins that run from the clone. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./recipe";

/** Plugins that have a stand-in, in the version that package.json pins. */
export const standins = [
  { name: "command", version: "1.2.1" },
  { name: "tls", version: "5.6.1" },
  { name: "aws", version: "7.48.0" },
] as const;

/** The variable that tells the launchers in the home which clone's stand-ins to run. */
export const standinsVariable = "SOFTMAP_STANDINS";

/** This clone's stand-ins. */
export const standinsFolder = join(root, "lab", "standins");

/**
 * Puts a launcher for each stand-in where the engine looks for the plugin. The home is shared by clones, so a launcher
 * holds no path: it asks the environment, and every clone runs its own code.
 */
export function installStandins(home: string): void {
  for (const { name, version } of standins) {
    const file = join(home, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
    const text = launcher(name);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    // Renamed into place: another clone may be starting it.
    const part = `${file}.${process.pid}`;
    writeFileSync(part, text);
    chmodSync(part, 0o755);
    renameSync(part, file);
  }
}

function launcher(name: string): string {
  return `#!/bin/sh
if [ -z "$${standinsVariable}" ]; then
  echo 'softmap: ${standinsVariable} is not set. Enter the lab in the clone: eval "$(npm run -s lab -- env)"' >&2
  exit 1
fi
exec "$${standinsVariable}/${name}/pulumi-resource-${name}" "$@"
`;
}
