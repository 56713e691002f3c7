import { engineEnvironment } from "./engine/engine";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./engine/recipe";
import { makeLabFolder, type Lab } from "./places";

/** The stack that deploys into the lab: Pulumi.dev.yaml. */
export const DEV_STACK = "dev";

const quiet = "--disable-warning=ExperimentalWarning";

/** Environment in which plain `npx pulumi` works on the lab's dev stack: its own state, no account, the engine where one had to be built. */
export function stackEnvironment(lab: Lab): Record<string, string> {
  makeLabFolder(lab);
  const state = join(lab.dir, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  return {
    SOFTMAP_LAB: lab.name,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_STACK: DEV_STACK,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The SDK touches node:sqlite; the warning is of no use to an operator.
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], quiet]
      .filter((word) => word && word !== quiet)
      .concat(quiet)
      .join(" "),
    // The program, the dynamic providers and the stand-ins start from what V8 has compiled before; Node 20 does not know it.
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "softmap-compiled"),
    ...engineEnvironment(),
  };
}

/** Lines for `eval "$(...)"` in a POSIX shell. */
export function shellExports(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join("\n");
}
