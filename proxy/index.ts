// What runs inside nginx: the Lua modules of the proxy, as files of a worker's release.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { workerFiles } from "../plan/names";

/** A file of a release. */
export interface ProxyFile {
  /** Below the release, e.g. `nginx/lua/softmap/matcher.lua`. */
  readonly path: string;
  readonly text: string;
}

let files: readonly ProxyFile[] | undefined;

/** Every Lua module, sorted by name. The same for every project and worker, and read once: nginx finds them by its prefix. */
export function proxyFiles(): readonly ProxyFile[] {
  return (files ??= readFiles());
}

function readFiles(): ProxyFile[] {
  const folder = join(__dirname, "softmap");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".lua"))
    .sort()
    .map((name) => ({
      path: `${workerFiles.nginxLua}softmap/${name}`,
      text: readFileSync(join(folder, name), "utf8"),
    }));
}
