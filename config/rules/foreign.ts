// Rules on foreign maps: they are of somebody else's sites, each once.
import { type Path, earlier, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import type { Raw } from "./machines";

/** A site of the stack, as far as the raw config tells it. */
interface OwnSite {
  readonly domain: string | undefined;
  readonly onion: string | undefined;
}

/** Problems of the foreign maps of every project, given all sites of the stack. */
export function foreignRules(raw: Raw, sites: readonly OwnSite[]): Problem[] {
  const projects: unknown = raw["projects"];
  return (Array.isArray(projects) ? projects : []).flatMap((project: unknown, p) => {
    const maps = valueAt(project, ["foreignMaps"]);
    const first = { onion: new Map<string, number>(), domain: new Map<string, number>() };
    return (Array.isArray(maps) ? maps : []).flatMap((map: unknown, i) =>
      (["onion", "domain"] as const).flatMap((key): Problem[] => {
        const value = valueAt(map, [key]);
        if (typeof value !== "string" || value === "") return [];
        const path: Path = ["projects", p, "foreignMaps", i, key];
        const what = key === "onion" ? "address" : "domain";
        const own = sites.find((site) => site[key] === value);
        if (own) {
          const whose = key === "onion" ? `the address of ${own.domain ?? "a site"}, a site` : "a site";
          const message = `This is ${whose} of this stack's own: a foreign map is for somebody else's site.`;
          return [
            problemAt(raw, path, { message, next: "Remove the entry: links to own sites are rewritten anyway." }),
          ];
        }
        if (earlier(first[key], value, i) === undefined) return [];
        const message = `There are two foreign maps with this ${what}.`;
        return [problemAt(raw, path, { message, next: "Remove one of them." })];
      }),
    );
  });
}
