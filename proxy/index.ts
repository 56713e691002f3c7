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

/** Every Lua module, sorted by name. The same for every project of a worker: nginx finds them by its prefix. */
export function proxyFiles(): ProxyFile[] {
  const folder = join(__dirname, "softmap");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".lua"))
    .sort()
    .map((name) => ({
      path: `${workerFiles.nginxLua}softmap/${name}`,
      text: readFileSync(join(folder, name), "utf8"),
    }));
}
