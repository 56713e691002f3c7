import type { HostFile, Service } from "../host/program";
import { sha256 } from "./hash";
import type { Services } from "./servicePlan";

/** The file of a unit in a release: units/softmap-tor@.service of softmap-tor@news-1-3fa9.service. */
function unitFile(unit: string): string {
  return `units/${unit.replace(/@.*\.service$/, "@.service")}`;
}

/** Whether a service that watches `names` looks at a path; a name that ends in `/` stands for all below it (host/watched.py). */
function watches(names: readonly string[], path: string): boolean {
  return names.some((name) => (name.endsWith("/") ? path.startsWith(name) : path === name));
}

/**
 * What each unit of a release runs on, as host/services.py will see it: with a hash for each file, by what its change asks for.
 * Keys are left out: another key is another unit or another machine.
 */
export function runsOn(services: readonly Service[], files: readonly HostFile[]): Services {
  const placed = files.flatMap(({ path, text, install }) => [
    { path, text },
    ...(install === undefined ? [] : [{ path: install.path, text }]),
  ]);
  const hashes = (wanted: (path: string) => boolean): Record<string, string> =>
    Object.fromEntries(placed.filter(({ path }) => wanted(path)).map(({ path, text }) => [path, sha256(text)]));
  return Object.fromEntries(
    services.map(({ unit, reloadOn, restartOn, standby }) => [
      unit,
      {
        reload: hashes((path) => watches(reloadOn, path) && !watches(restartOn, path)),
        restart: hashes((path) => watches(restartOn, path) || path === unitFile(unit)),
        ...(standby === true && { standby }),
      },
    ]),
  );
}
