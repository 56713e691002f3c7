import { homedir } from "node:os";
import { join } from "node:path";

/** A path as operators write it: `~/` in front is the home folder. @example homePath("~/.ssh/id_ed25519") */
export function homePath(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}
