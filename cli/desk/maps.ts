// npx softmap maps, ob-maps: which onion stands for which domain. From the stack's outputs alone: no machine is asked.
import { called, type Exit, knownNames, stackOption } from "../call";
import type { Streams } from "../check";
import { readStack } from "../stack";
import type { DeployedStack } from "./survey";

const mapsUsage = `usage: npx softmap maps [--stack NAME] [--json] [PROJECT...]

Prints a line for each site and each backend that answers for it: onion, domain, project, and the backend's own address and name.
From the stack's outputs: no machine is asked.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON`;

const obMapsUsage = `usage: npx softmap ob-maps [--stack NAME] [--json] [PROJECT...]

Prints a line for each site: its onion and its domain. From the stack's outputs: no machine is asked.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON`;

/** What the commands reach the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
}

const options = { ...stackOption, json: { type: "boolean" } } as const;

/** Runs `maps`. */
export function main(args: readonly string[], streams: Streams, tools: Tools = { read: readStack }): Promise<Exit> {
  return called(args, streams, { usage: mapsUsage, options }, async ({ values, positionals }) => {
    const { sites, backends } = chosen(await tools.read(values.stack), positionals);
    const rows = sites.flatMap((site) =>
      backends.filter(({ project }) => project === site.project).map((backend) => ({ ...site, backend })),
    );
    const line = ({ address, domain, project, backend }: (typeof rows)[number]): string =>
      `${address} ${domain} ${project} softmap via ${backend.address} ${backend.name}`;
    streams.out(values.json ? JSON.stringify(rows, null, 2) : rows.map(line).join("\n"));
    return 0;
  });
}

/** Runs `ob-maps`. */
export function obMaps(args: readonly string[], streams: Streams, tools: Tools = { read: readStack }): Promise<Exit> {
  return called(args, streams, { usage: obMapsUsage, options }, async ({ values, positionals }) => {
    const { sites } = chosen(await tools.read(values.stack), positionals);
    const text = sites.map(({ address, domain }) => `${address} ${domain}`).join("\n");
    streams.out(values.json ? JSON.stringify(sites, null, 2) : text);
    return 0;
  });
}

/** The sites and backends of the projects that are named, or of all. */
function chosen(
  { sites, backends }: DeployedStack,
  projects: readonly string[],
): Pick<DeployedStack, "sites" | "backends"> {
  knownNames(projects, [...new Set(sites.map(({ project }) => project))], "project");
  const mine = ({ project }: { readonly project: string }): boolean =>
    projects.length === 0 || projects.includes(project);
  return { sites: sites.filter(mine), backends: backends.filter(mine) };
}
