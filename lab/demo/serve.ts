import { LabError } from "../errors";
import { fetchThroughTor } from "../lab";
import type { Lab } from "../places";
import type { Say } from "../progress";
import type { StackOutputs } from "./deploy";

/** How often one backend answered. */
export interface ServedBackend {
  readonly address: string;
  readonly host: string;
  readonly name: string;
  readonly served: number;
}

const mostRounds = 40;

/**
 * Fetches every site through Tor, each time on a new circuit, until every site and every backend has answered.
 * The dev stack's nginx names the backend in a response header (`backendHeader`).
 */
export async function serveEverywhere(lab: Lab, outputs: StackOutputs, say: Say): Promise<ServedBackend[]> {
  const served = new Map(outputs.backends.map(({ name }) => [name, 0]));
  const answered = new Set<string>();
  const done = () => answered.size === outputs.sites.length && [...served.values()].every((count) => count > 0);

  for (let round = 1; !done(); round++) {
    if (round > mostRounds)
      throw new LabError(
        unfinished(served, answered, outputs),
        "npm run lab -- status shows the hosts, npx pulumi up repairs them",
      );
    for (const { domain, onion } of outputs.sites) {
      const page = await fetchThroughTor(lab, `http://${onion}/`);
      const backend = page.headers["x-softmap-backend"] ?? "nobody";
      if (page.status !== 200) {
        say(`${domain}: no page yet (${page.status === 0 ? page.error : `status ${page.status}`}), again`);
        continue;
      }
      answered.add(domain);
      if (served.has(backend)) served.set(backend, (served.get(backend) ?? 0) + 1);
      say(`${domain}  ${page.status}  ${page.seconds.toFixed(1)} s  by ${backend}`);
    }
  }
  return outputs.backends.map(({ name, address, worker }) => ({
    name,
    address,
    host: worker,
    served: served.get(name) ?? 0,
  }));
}

function unfinished(served: ReadonlyMap<string, number>, answered: ReadonlySet<string>, outputs: StackOutputs): string {
  const silent = [...served].filter(([, count]) => count === 0).map(([name]) => name);
  const missing = outputs.sites.filter(({ domain }) => !answered.has(domain)).map(({ domain }) => domain);
  return `After ${mostRounds} rounds of fetches: sites without an answer: ${missing.join(", ") || "none"}; backends that never served: ${silent.join(", ") || "none"}.`;
}
