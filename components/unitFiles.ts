import * as pulumi from "@pulumi/pulumi";
import type { HostFile, Service } from "../host/program";
import { sha256 } from "./hash";
import type { PlannedServices } from "./servicePlan";

/** A file of a release whose text may not be known yet: a preview knows no address whose key is still to be made. */
export type PlannedFile = Omit<HostFile, "text"> & { readonly text: pulumi.Input<string> };

/** The file of a unit in a release: units/softmap-tor@.service of softmap-tor@news-1-3fa9.service. */
function unitFile(unit: string): string {
  return `units/${unit.replace(/@.*\.service$/, "@.service")}`;
}

/** Enough of a hash to tell one text from another: a plan has one for each file and unit, four times in the state. */
const fingerprint = (text: string): string => sha256(text).slice(0, 12);

/** Whether a service that watches `names` looks at a path; a name that ends in `/` stands for all below it (host/watched.py). */
function watches(names: readonly string[], path: string): boolean {
  return names.some((name) => (name.endsWith("/") ? path.startsWith(name) : path === name));
}

/**
 * What each unit of a release runs on, as host/services.py will see it: with a hash for each file, by what its change asks for.
 * Keys are left out: another key is another unit or another machine.
 */
export function runsOn(services: readonly Service[], files: readonly PlannedFile[]): PlannedServices {
  const placed = files.flatMap(({ path, text, install }) => [
    { path, text },
    ...(install === undefined ? [] : [{ path: install.path, text }]),
  ]);
  const hashes = (wanted: (path: string) => boolean): Record<string, pulumi.Output<string>> =>
    Object.fromEntries(
      placed.filter(({ path }) => wanted(path)).map(({ path, text }) => [path, pulumi.output(text).apply(fingerprint)]),
    );
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
