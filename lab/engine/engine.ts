/**
 * Pulumi's engine for lab, tests and demo. On a connected machine that is what `npx pulumi` fetches by itself. Where
 * that fails it is built from Go modules, in a home of its own with stand-ins for the plugins, so that a stand-in never
 * lies where an operator's own Pulumi looks for the real plugin.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildEngine } from "./build";
import { withLock } from "../mutex";
import { run } from "./process";
import { builtHome, cli, engineCache, ordinaryHome, pulumiVersion, recipeHash, root } from "./recipe";
import { installStandins, standins, standinsFolder, standinsVariable } from "./standins";

/** The engine in use. */
export interface Engine {
  /** `pulumi`: Pulumi's own download with the real plugins; `built`: from Go modules, with stand-ins. */
  kind: "pulumi" | "built";
  /** The version of the CLI. */
  version: string;
  /** What to add to the environment before `npx pulumi`; nothing for Pulumi's own. */
  environment: Record<string, string>;
}

/**
 * Makes sure that `npx pulumi` works in this clone, by building the engine if need be (minutes, once on a machine).
 * @param say gets plain lines of progress, at least one every ten seconds
 * @throws with what to install or do when it cannot be had
 * @example const { environment } = await ensureEngine(console.error);
 */
export async function ensureEngine(say: (line: string) => void): Promise<Engine> {
  if (!existsSync(cli(ordinaryHome())) && !existsSync(cli(builtHome())) && !(await download(say))) {
    const lock = join(engineCache(), `${recipeHash()}.lock`);
    let said = -10;
    const waiting = (seconds: number) => {
      if (seconds - said < 10) return;
      said = seconds;
      say(`another process is building the engine: waiting, ${Math.round(seconds)} s`);
    };
    const build = async () => {
      if (!existsSync(cli(builtHome()))) await buildEngine(say);
    };
    await withLock(lock, build, { patience: 3600, onWait: waiting });
  }
  const kind = engineKind();
  if (kind === "built") {
    installStandins(builtHome());
    const names = standins.map(({ name, version }) => `${name} ${version}`).join(", ");
    say(`Pulumi ${pulumiVersion} built from its Go modules, with stand-ins for plugins: ${names} (lab and tests only)`);
  }
  return { kind, version: pulumiVersion, environment: engineEnvironment() };
}

/**
 * The environment in which `npx pulumi` works as {@link ensureEngine} left it. Looks at files only, so it is `{}` too
 * where there is no engine yet.
 */
export function engineEnvironment(): Record<string, string> {
  if (engineKind() === "pulumi") return {};
  return {
    PULUMI_HOME: builtHome(),
    [standinsVariable]: standinsFolder,
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

/** Pulumi's own wins as soon as it is there: it runs the real plugins. */
function engineKind(): Engine["kind"] {
  return !existsSync(cli(ordinaryHome())) && existsSync(cli(builtHome())) ? "built" : "pulumi";
}

/** Lets the npm package `pulumi` fetch the CLI, as `npx pulumi` does; false when it cannot. */
async function download(say: (line: string) => void): Promise<boolean> {
  say(`fetching Pulumi ${pulumiVersion}`);
  const wrapper = join(root, "node_modules", ".bin", "pulumi");
  const { code, stdout, stderr } = await run(wrapper, ["version"], {
    env: { PULUMI_HOME: ordinaryHome(), PULUMI_SKIP_UPDATE_CHECK: "true" },
    onTick: (seconds) => say(`fetching Pulumi ${pulumiVersion}, ${seconds} s`),
    timeoutMs: 600_000,
  });
  if (code === 0 && stdout.includes(pulumiVersion) && existsSync(cli(ordinaryHome()))) return true;
  say(`Pulumi's download is not to be had here (${stderr.trim().split("\n").pop() ?? `exit ${code}`})`);
  return false;
}
