import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder, writeWhole, type Lab } from "./places";
import { asRoot, run, type Ran, type RunOptions } from "./run";

/** Runs podman as root with the lab's own settings. */
export function podman(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(podmanLine(args), options);
}

/** The command line of {@link podman}, for who needs to spawn it with a terminal. */
export function podmanLine(args: readonly string[]): string[] {
  // sudo drops the environment: set it behind sudo
  return asRoot(["env", `CONTAINERS_CONF=${settingsFile()}`, "podman", ...args]);
}

/** The settings lie in the cache folder, not in the clone: podman's monitor reads them at a host's reboot, when the clone may be gone. */
function settingsFile(): string {
  const file = join(cacheFolder(), "containers.conf");
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  writeWhole(file, readFileSync(join(__dirname, "guest", "containers.conf"), "utf8"), 0o644);
  return file;
}

/** A container as `podman ps` has it. */
export interface Container {
  readonly name: string;
  readonly role: string;
  readonly running: boolean;
  /** Unix seconds. */
  readonly startedAt: number;
}

interface PsRow {
  readonly Names: readonly string[];
  readonly State: string;
  readonly StartedAt: number;
  readonly Labels: Readonly<Record<string, string>> | null;
}

/** All containers of the lab, running or not. */
export async function containersOf(lab: Lab): Promise<Container[]> {
  const ran = await podman(["ps", "-a", "--filter", `label=${lab.label}`, "--format", "json"]);
  return (JSON.parse(ran.text || "[]") as PsRow[])
    .map((row) => ({
      name: row.Names[0] ?? "",
      role: row.Labels?.["softmap.role"] ?? "",
      running: row.State === "running",
      startedAt: row.StartedAt,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a container's label says; empty when it has none of that name. */
export async function containerLabel(name: string, label: string): Promise<string> {
  return (await podman(["container", "inspect", "--format", `{{index .Config.Labels "${label}"}}`, name])).text.trim();
}

/** State of one container, undefined when there is none. */
export async function containerState(name: string): Promise<string | undefined> {
  const ran = await podman(["container", "inspect", "--format", "{{.State.Status}}", name], { mayFail: true });
  return ran.code === 0 ? ran.text.trim() : undefined;
}
