import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lab } from "./places";
import { runAsRoot } from "./run";

/** Where a container finds its seed. */
export const SEED = "/media/lab";

/** Files for a container, on the machine's tmpfs, for root only: what `fill` writes into the folder it is given. */
export async function placeSeed(lab: Lab, container: string, fill: (folder: string) => void): Promise<void> {
  const staged = mkdtempSync(join(tmpdir(), "softmap-seed-"));
  try {
    fill(staged);
    const target = `${lab.seeds}/${container}`;
    const script = `umask 077; rm -rf "$2" && mkdir -p "$2" && cp -R "$1"/. "$2"/ && chown -R 0:0 "$2"`;
    await runAsRoot(["sh", "-c", script, "sh", staged, target]);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}
