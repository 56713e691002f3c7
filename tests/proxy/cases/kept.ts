import { CLOSE, RESET, type Answer } from "../origin";
import { O, TLS, WWW, html, onionOf, type Case, type Group, type Sent, type World } from "./case";
import { wireFor } from "./check";

const KEPT = "kept.example.com";
const PAGE = `<a href="https://${WWW}/">`;
const PAGE_TO = `<a href="http://${O}/">`;

async function get(world: World, sent: Sent = {}): Promise<string> {
  const { status, body, whole } = await world.proxy.request(world.kind, world.request(sent), wireFor(world));
  return `${status} ${body.toString()}${whole ? "" : " broken off"}`;
}

function same(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${String(got)} and not ${String(wanted)}`);
}

const kept = (name: string, run: (world: World) => Promise<void>): Case => ({ name, site: KEPT, run });

/** Answers the n-th request with the n-th of these, and all later ones with a page. */
function inTurn(world: World, ...answers: readonly Answer[]): void {
  let at = 0;
  world.rig.origin.answer(world.id, async (peer, request) => {
    const turn = answers[at++] ?? html(PAGE);
    if (typeof turn === "function") return turn(peer, request);
    for (const piece of turn) await peer.piece(piece);
  });
}

export const keptConnections: Group = {
  title: "kept connections",
  alone: true,
  sites: [{ domain: KEPT }],
  cases: [
    kept("T1: a site's requests share connections", async (world) => {
      inTurn(world);
      // Each worker process has connections of its own.
      const before = world.rig.origin.connections;
      for (let at = 0; at < 40; at++) same(await get(world), `200 ${PAGE_TO}`);
      const made = world.rig.origin.connections - before;
      if (made > 12) throw new Error(`${made} connections for 40 requests`);
    }),
    kept("one that the origin closes after an answer is no fault to a reader", async (world) => {
      inTurn(world, ...Array<Answer>(10).fill([...html(PAGE), CLOSE]));
      for (let at = 0; at < 20; at++) same(await get(world), `200 ${PAGE_TO}`);
    }),
    kept("one that is reset at the next request: asked again, rewritten", async (world) => {
      inTurn(world);
      for (let at = 0; at < 6; at++) await get(world);
      const asked = world.rig.origin.seen(world.id).length;
      inTurn(world, [RESET]);
      const answered = await get(world);
      const times = world.rig.origin.seen(world.id).length - asked;
      // Not yet kept in the worker process that took it: then it is asked once, and told.
      if (times === 2) same(answered, `200 ${PAGE_TO}`);
      else if (!answered.startsWith("502")) throw new Error(answered);
      if (times > 2) throw new Error(`asked ${times} times`);
    }),
    ...(["POST", "PUT", "PATCH", "DELETE"] as const).map((method) =>
      kept(`${method} is never sent twice`, async (world) => {
        inTurn(world);
        for (let at = 0; at < 6; at++) await get(world);
        const asked = world.rig.origin.seen(world.id).length;
        inTurn(world, [RESET], [RESET]);
        const answered = await get(world, { method, body: "x" });
        if (!answered.startsWith("502")) throw new Error(answered);
        same(world.rig.origin.seen(world.id).length - asked, 1);
      }),
    ),
    kept("an answer that broke off is not taken for the next one's", async (world) => {
      inTurn(world, ["HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\nshort", CLOSE]);
      const first = await get(world);
      if (!first.endsWith("broken off")) throw new Error(first);
      for (let at = 0; at < 6; at++) same(await get(world), `200 ${PAGE_TO}`);
    }),
    kept("more than an answer's length is not the next one's answer", async (world) => {
      const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
      inTurn(world, [Buffer.concat([...html(PAGE), poison].map((piece) => Buffer.from(piece as string)))]);
      for (let at = 0; at < 8; at++) same(await get(world), `200 ${PAGE_TO}`);
    }),
    {
      name: "one site's connections are not another's",
      site: TLS,
      run: async (world) => {
        inTurn(world);
        for (let at = 0; at < 6; at++) await get(world);
        const host = onionOf(KEPT);
        for (let at = 0; at < 6; at++) await get({ ...world, host, kind: "http" }, { host });
        for (const { name, headers } of world.rig.origin.seen(world.id))
          same(headers.find(([each]) => each === "Host")?.[1], name);
      },
    },
  ],
};
