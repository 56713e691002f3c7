import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../lab/mutex";
import { cacheFolder } from "../../lab/places";
import { step, type Say } from "../../lab/progress";
import { ensureRequirements } from "../../lab/requirements";
import { hasProgram, run } from "../../lab/run";

const REQUIREMENTS = join(__dirname, "requirements.txt");
const RSYNC = {
  package: "rsync",
  why: "one of the ways to deploy that are compared",
  found: () => hasProgram("rsync"),
};

/** The other tools on this machine. */
export interface Tools {
  /** Where pyinfra's and Ansible's commands are. */
  readonly bin: string;
  /** What was measured, a line each. */
  readonly versions: readonly string[];
}

/** pyinfra and Ansible in a venv of their own in the cache folder, rsync from the distribution; each is made when it is missing. */
export async function ensureTools(say: Say): Promise<Tools> {
  await ensureRequirements(say, [RSYNC]);
  const text = readFileSync(REQUIREMENTS, "utf8");
  const folder = join(cacheFolder(), `bench-deploy-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`);
  const whole = join(folder, "whole");
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(whole)) return;
    await rm(folder, { recursive: true, force: true });
    await step(say, "installing pyinfra and Ansible from the package registry, once a machine", async () => {
      const next = "look at `pip config list`: the registry must be reachable, and python3 needs venv (python3-venv)";
      await run(["python3", "-m", "venv", folder], { next });
      await run([join(folder, "bin", "pip"), "install", "-q", "-r", REQUIREMENTS], { next, timeout: 600_000 });
      await writeFile(whole, "");
    });
  });
  const bin = join(folder, "bin");
  const asked = [
    [join(bin, "pyinfra"), "--version"],
    [join(bin, "ansible"), "--version"],
    ["rsync", "--version"],
  ];
  const versions = await Promise.all(asked.map(async (argv) => (await run(argv)).text.split("\n")[0] ?? ""));
  return { bin, versions };
}
