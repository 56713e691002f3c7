import { html, onionOf, type Case, type Group, type World } from "./case";
import { logged, proxyLine, wireFor } from "./check";

const CHANGES = "changes.example.com";
const ADDED = "added.example.com";
const project = "changes";
const sites = [{ domain: CHANGES, onion: onionOf(CHANGES) }];
const both = [...sites, { domain: ADDED, onion: onionOf(ADDED), onionTls: "selfSigned" as const }];

const change = (name: string, run: (world: World) => Promise<void>): Case => ({ name, project, site: CHANGES, run });

/** The status or the body of one request. */
async function got({ proxy, request, host }: World, wanted: string | number, onion = host): Promise<boolean> {
  const { status, body } = await proxy.request("circuit http", request({ host: onion }), { proxy: proxyLine(7) });
  return status === wanted || body.toString() === wanted;
}

/** Waits until a request has this status or body: after a reload the old worker processes still take some for a moment. */
async function served(world: World, wanted: string | number = 200, onion = world.host): Promise<void> {
  const late = Date.now() + 5_000;
  while (!(await got(world, wanted, onion))) if (Date.now() > late) throw new Error(`never ${wanted}`);
}

/** The same for a site's https. */
async function overTls({ proxy, request }: World, host: string): Promise<void> {
  const late = Date.now() + 5_000;
  const status = async (): Promise<number> =>
    (await proxy.request("https", request({ host }), wireFor({ host, kind: "https" }))).status;
  while ((await status().catch(() => 0)) !== 200) if (Date.now() > late) throw new Error("no TLS");
}

export const changes: Group = {
  title: "changes",
  alone: true,
  projects: [
    { project, circuitRequestRate: 100, circuitRequestBurst: 100, backendHeader: true, sites: [{ domain: CHANGES }] },
  ],
  cases: [
    change("T3: a reload takes over another limit", async (world) => {
      await served(world);
      for (const [at, rate] of [2000, 3000, 1].entries()) {
        await world.rig.reload(
          { project, sites, circuitRequestRate: rate, circuitRequestBurst: 1, circuitConnections: 10 + at },
          `rate${rate}`,
        );
        await served(world);
      }
      await served(world, 429);
      await world.rig.reload({ project, sites }, "none");
      for (let at = 0; at < 5; at++) await served(world);
    }),
    change("a reload with one more site: links to it, and itself", async (world) => {
      world.rig.origin.answer(world.id, html(`https://${ADDED}/`));
      await served(world, `https://${ADDED}/`);
      await world.rig.reload({ project, sites: both }, "both");
      await served(world, `https://${onionOf(ADDED)}/`);
      await overTls(world, onionOf(ADDED));
      await served(world, 421, `x${onionOf(ADDED)}`);
    }),
    change("a reload with a cache of another size", async (world) => {
      for (const size of ["16m", "32m"]) {
        await world.rig.reload({ project, sites, nginxCacheSeconds: 5, nginxCacheSize: size }, size);
        await served(world);
      }
    }),
    change("T4: killed, it starts again beside its stale sockets", async (world) => {
      await world.rig.kill(project);
      await world.rig.startProxy({ project, sites, backendHeader: true });
      await served(world);
    }),
    ...(["http", "circuit http"] as const).map((on): Case => ({
      name: `backendHeader on ${on}`,
      project,
      site: CHANGES,
      on,
      get: { headers: { "X-Softmap-Backend": /^changes-[0-9a-z]+-1$/ } },
    })),
    change("nothing that it did was a fault to nginx", async ({ proxy }) => {
      await logged(proxy, /^(?![^]*\[(emerg|alert|crit)\])/);
    }),
  ],
};
