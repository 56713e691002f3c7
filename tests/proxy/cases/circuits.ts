import { html, O, WWW, type Case, type Group, type World } from "./case";
import { proxyLine } from "./check";

const TOLD = "told.example.com";
const LIMITED = "limited.example.com";
const FEW = "few.example.com";
const address = (circuit: number): string => proxyLine(circuit).split(" ")[2] ?? "";

/** So many requests at once, each on a connection of its own. @returns how often there was each status */
async function burst(
  world: World,
  count: number,
  line: string,
  more: { daemon?: number } = {},
): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  for (let at = 0; at < count; at++) {
    const { status } = await world.proxy.request("circuit http", world.request(), { proxy: line, ...more });
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}

function same(got: unknown, wanted: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    throw new Error(`${JSON.stringify(got)} and not ${JSON.stringify(wanted)}`);
}

const limited = (name: string, run: (world: World) => Promise<void>): Case => ({
  name: `circuitRequestRate: ${name}`,
  project: "limited",
  site: LIMITED,
  run,
});

export const circuits: Group = {
  title: "circuits",
  alone: true,
  sites: [{ domain: TOLD, nginxXOnionCircuitId: true }],
  projects: [
    { project: "limited", circuitRequestRate: 1, circuitRequestBurst: 4, sites: [{ domain: LIMITED }] },
    { project: "few", circuitConnections: 2, sites: [{ domain: FEW }] },
  ],
  cases: [
    { name: "a page over the circuit's socket", on: "circuit http", origin: html(WWW), get: { body: O } },
    {
      name: "X-Onion-CircuitID",
      site: TOLD,
      on: "circuit http",
      asked: { headers: { "X-Onion-CircuitID": address(1) } },
    },
    {
      name: "X-Onion-CircuitID is not sent where it is not asked for",
      on: "circuit http",
      asked: { headers: { "X-Onion-CircuitID": null } },
    },
    {
      name: "X-Onion-CircuitID cannot be made up",
      site: TOLD,
      on: "circuit http",
      send: { headers: { "X-Onion-CircuitID": "x" } },
      asked: { headers: { "X-Onion-CircuitID": address(1) } },
    },
    {
      name: "X-Onion-CircuitID cannot be made up on the plain socket",
      site: TOLD,
      send: { headers: { "X-Onion-CircuitID": "x" } },
      asked: { headers: { "X-Onion-CircuitID": null } },
    },
    {
      name: "PROXY UNKNOWN is served, without an id",
      site: TOLD,
      run: async ({ rig, proxy, id, request }) => {
        const { status } = await proxy.request("circuit http", request(), { proxy: "PROXY UNKNOWN\r\n" });
        same(status, 200);
        same(
          rig.origin.seen(id)[0]?.headers.some(([name]) => /circuit/i.test(name)),
          false,
        );
      },
    },
    {
      name: "without its line the circuit's socket does not serve",
      run: async ({ proxy, request, rig, id }) => {
        const answered = await proxy.request("circuit http", request()).catch(() => undefined);
        same(answered?.status, undefined);
        same(rig.origin.seen(id).length, 0);
      },
    },
    {
      name: "a line of the PROXY protocol on the plain socket is not believed",
      site: TOLD,
      run: async ({ proxy, request, rig, id }) => {
        const answered = await proxy
          .request("http", Buffer.concat([Buffer.from(proxyLine(9)), request()]))
          .catch(() => undefined);
        same(answered?.status ?? 400, 400);
        same(rig.origin.seen(id).length, 0);
      },
    },
    limited("a circuit's burst passes, what is above it is 429 and not asked for", async (world) => {
      same(await burst(world, 10, proxyLine(1)), { 200: 5, 429: 5 });
      same(world.rig.origin.seen(world.id).length, 5);
    }),
    limited("another circuit is another count", async (world) => {
      await burst(world, 10, proxyLine(2));
      same(await burst(world, 3, proxyLine(3)), { 200: 3 });
    }),
    limited("the same circuit of another daemon is another count", async (world) => {
      await burst(world, 10, proxyLine(4));
      same(await burst(world, 3, proxyLine(4), { daemon: 2 }), { 200: 3 });
    }),
    limited("no circuit, no limit", async (world) => {
      same(await burst(world, 12, "PROXY UNKNOWN\r\n"), { 200: 12 });
    }),
    limited("T2: what this proxy answers itself counts, too", async (world) => {
      const hello = { ...world, request: () => world.request({ path: "/hello-onion" }) };
      same(await burst(hello, 10, proxyLine(5)), { 200: 5, 429: 5 });
    }),
    limited("the plain socket has no limit", async (world) => {
      const statuses = new Set<number>();
      for (let at = 0; at < 12; at++) statuses.add((await world.proxy.request("http", world.request())).status);
      same([...statuses], [200]);
    }),
    {
      name: "circuitConnections: the third at the same time is 429",
      project: "few",
      site: FEW,
      run: async ({ rig, proxy, id, request }) => {
        let release = (): void => undefined;
        const released = new Promise<void>((done) => (release = done));
        rig.origin.answer(id, [() => released, ...html("late")]);
        const open = async (circuit: number) => {
          const wire = await proxy.open("circuit http", { proxy: proxyLine(circuit) });
          wire.write(request());
          return wire;
        };
        const first = [await open(1), await open(1)];
        const late = Date.now() + 5_000;
        while (rig.origin.seen(id).length < 2 && Date.now() < late) await new Promise((soon) => setTimeout(soon, 5));
        const third = await open(1);
        same((await third.response("GET")).status, 429);
        const other = await open(2);
        release();
        for (const wire of [...first, other]) {
          same((await wire.response("GET")).status, 200);
          wire.close();
        }
        third.close();
      },
    },
  ],
};
