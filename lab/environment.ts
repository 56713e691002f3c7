import { engineEnvironment } from "./engine/engine";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./engine/recipe";
import { makeLabFolder, type Lab } from "./places";

/** The stack that deploys into the lab: Pulumi.dev.yaml. */
export const DEV_STACK = "dev";

/** For each Node process of a `pulumi`. */
const nodeOptions = [
  // The SDK touches node:sqlite; the warning is of no use to an operator.
  "--disable-warning=ExperimentalWarning",
  // V8 lets the space for what is new grow to 48 MB before it tidies up. With a small one an `up` takes as long, and a fifth less memory in all.
  "--max-semi-space-size=2",
];

/** Environment in which plain `npx pulumi` works on the lab's dev stack: its own state, no account, the engine where one had to be built. */
export function stackEnvironment(lab: Lab): Record<string, string> {
  makeLabFolder(lab);
  const state = join(lab.dir, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const given = process.env["NODE_OPTIONS"] ?? "";
  return {
    SOFTMAP_LAB: lab.name,
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_STACK: DEV_STACK,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    NODE_OPTIONS: [given, ...nodeOptions.filter((option) => !given.includes(option))].join(" ").trim(),
    // The engine tidies up sooner: thirty machines with a site take 130 MB less in the same time, a hundred sites on them 500 MB less and a fifth longer.
    GOMEMLIMIT: process.env["GOMEMLIMIT"] ?? "200MiB",
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
