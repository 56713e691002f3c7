import type * as pulumi from "@pulumi/pulumi";
import type { HostFile, Service } from "../host/program";
import { sha256 } from "./hash";
import type { Services } from "./servicePlan";
import { unknownValue } from "./unknownValue";
import { comparable } from "./valueOf";

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
 * What each unit of a release runs on, as host/services.py will see it: with a hash for each file, by what its change asks for; the hash of a text that
 * is not known yet is {@link unknownValue}. Keys are left out: another key is another unit or another machine. A promise and no Output: of each plan the
 * state would have the names of all files that it is made of, 30 kB for a hundred sites.
 */
export function runsOn(services: readonly Service[], files: readonly PlannedFile[]): Promise<Services> {
  const found = hashesOf(files).then((placed) => servicesOn(services, placed));
  // The plan that asks for it fails with it: here nobody does.
  found.catch(() => undefined);
  return found;
}

/** Each path with the hash of its file. */
type Hashes = readonly (readonly [path: string, hash: string])[];

async function hashesOf(files: readonly PlannedFile[]): Promise<Hashes> {
  const hashes = files.map(async ({ path, text, install }) => {
    const known = await comparable(text);
    const hash = known === unknownValue ? known : fingerprint(known);
    return [path, ...(install === undefined ? [] : [install.path])].map((place) => [place, hash] as const);
  });
  return (await Promise.all(hashes)).flat();
}

function servicesOn(services: readonly Service[], placed: Hashes): Services {
  const of = (wanted: (path: string) => boolean) => Object.fromEntries(placed.filter(([path]) => wanted(path)));
  return Object.fromEntries(
    services.map(({ unit, reloadOn, restartOn, standby }) => [
      unit,
      {
        reload: of((path) => watches(reloadOn, path) && !watches(restartOn, path)),
        restart: of((path) => watches(restartOn, path) || path === unitFile(unit)),
        ...(standby === true && { standby }),
      },
    ]),
  );
}
