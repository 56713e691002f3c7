import { CLOSE } from "../origin";
import { O, OTLS, TLS, WWW, chunk, head, LAST_CHUNK, type Case, type Group } from "./case";
import { wireFor } from "./check";

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "chat",
};
const SWITCH = head("101 Switching Protocols", {
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
  "Sec-WebSocket-Protocol": "chat",
});
/** A text frame that names the domain: frames are not rewritten. */
const FRAME = Buffer.concat([Buffer.from([0x81, WWW.length]), Buffer.from(WWW)]);

const websocket = (name: string, site: string, upgrade: string): Case => ({
  name: `websocket: ${name}`,
  site,
  run: async (world) => {
    const { rig, proxy, id, kind, request } = world;
    const onion = site === TLS ? OTLS : O;
    rig.origin.answer(id, async (peer) => {
      await peer.send(SWITCH);
      for (let bytes = await peer.bytes(FRAME.length); bytes; bytes = await peer.bytes(FRAME.length))
        await peer.send(bytes);
    });
    const wire = await proxy.open(kind, wireFor(world));
    const origin = `${site === TLS ? "https" : "http"}://${onion}`;
    wire.write(request({ path: "/socket", headers: { ...UPGRADE, Upgrade: upgrade, Origin: origin, Cookie: "a=b" } }));
    const answered = await wire.response("GET");
    if (answered.status !== 101) throw new Error(`${answered.line} ${answered.body.toString()}`);
    const has = JSON.stringify(answered.headers);
    for (const part of ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", '"chat"', '"websocket"'])
      if (!has.includes(part)) throw new Error(has);
    for (let at = 1; at <= 3; at++) {
      wire.write(FRAME);
      await wire.until((bytes) =>
        bytes.subarray(-FRAME.length * at).equals(Buffer.concat(Array(at).fill(FRAME) as Buffer[])) ? true : undefined,
      );
    }
    wire.close();
    const [asked] = rig.origin.seen(id);
    const text = JSON.stringify(asked?.headers);
    for (const part of [
      `["Origin","https://${site}"]`,
      '["Upgrade","websocket"]',
      "dGhlIHNhbXBsZSBub25jZQ==",
      '["Cookie","a=b"]',
      '"chat"',
    ]) {
      if (!text.includes(part)) throw new Error(`${part} is not in ${text}`);
    }
  },
});

const notUpgraded = (name: string, upgrade: string, connection = "Upgrade"): Case => ({
  name: `T7: Upgrade: ${name} does not go up`,
  send: { headers: { Upgrade: upgrade, Connection: connection, "HTTP2-Settings": "AAMAAABkAAQAAP__" } },
  asked: { headers: { Upgrade: null, Connection: /^(close|\(none\))$/ } },
});

const events = (name: string, headers: Record<string, string>, type = "text/event-stream"): Case => ({
  name: `T8: ${name}: each event arrives before the next is sent`,
  run: async ({ rig, proxy, id, kind, request }) => {
    const wire = await proxy.open(kind);
    const arrived = (text: string) => () => wire.text(text);
    rig.origin.answer(id, [
      head("200 OK", { "Content-Type": type, "Transfer-Encoding": "chunked", "Cache-Control": "no-cache" }),
      ...[1, 2, 3].flatMap((at) => [chunk(`data: https://${WWW}/${at}\n\n`), arrived(`data: http://${O}/${at}\n\n`)]),
      // An event that ends where a name may still go on.
      chunk("data: www.exam\n\n"),
      arrived("data: www.exam\n\n"),
      LAST_CHUNK,
    ]);
    wire.write(request({ headers }));
    const { body } = await wire.response("GET");
    wire.close();
    if (body.includes(WWW)) throw new Error(body.toString());
  },
});

export const streams: Group = {
  title: "streams",
  cases: [
    websocket("frames both ways, the handshake rewritten", WWW, "websocket"),
    websocket("Upgrade in other letters", WWW, "WebSocket"),
    websocket("over TLS", TLS, "websocket"),
    {
      name: "websocket: refused by the origin with a page",
      send: { headers: UPGRADE },
      origin: [head("403 Forbidden", { "Content-Type": "text/html", "Content-Length": String(WWW.length) }) + WWW],
      get: { status: 403, body: O },
    },
    {
      name: "websocket: asked for, h2c given: refused or closed, never a tunnel",
      run: async ({ rig, proxy, id, kind, request }) => {
        rig.origin.answer(id, [head("101 Switching Protocols", { Upgrade: "h2c", Connection: "Upgrade" }), WWW, CLOSE]);
        const wire = await proxy.open(kind);
        wire.write(request({ headers: UPGRADE }));
        await wire.until((_, ended) => ended || undefined);
        if (/HTTP\/1.1 101/.test(wire.received.toString())) throw new Error(wire.received.toString());
      },
    },
    notUpgraded("h2c", "h2c", "Upgrade, HTTP2-Settings"),
    notUpgraded("websocket with h2c", "websocket, h2c"),
    notUpgraded("TLS", "TLS/1.0"),
    notUpgraded("something that contains it", "xwebsocketx"),
    {
      name: "T7: h2c is asked for and given all the same: refused",
      send: { headers: { Upgrade: "h2c", Connection: "Upgrade" } },
      origin: [head("101 Switching Protocols", { Upgrade: "h2c", Connection: "Upgrade" }), WWW, CLOSE],
      get: { status: 502 },
    },
    events("Accept: text/event-stream", { Accept: "text/event-stream" }),
    events("among others in Accept", { Accept: "application/json, text/event-stream;q=0.9" }),
    events("a page as a stream", { Accept: "text/event-stream" }, "text/html"),
    {
      name: "T8: an event stream that goes on when its reader has gone: the origin's connection ends",
      run: async ({ rig, proxy, id, kind, request }) => {
        let gone: Promise<void> | undefined;
        rig.origin.answer(id, async (peer) => {
          await peer.send(head("200 OK", { "Content-Type": "text/event-stream", "Transfer-Encoding": "chunked" }));
          await peer.send(chunk("data: 1\n\n"));
          gone = peer.gone();
          await gone;
        });
        const wire = await proxy.open(kind);
        wire.write(request({ headers: { Accept: "text/event-stream" } }));
        await wire.text("data: 1");
        wire.close();
        await gone;
      },
    },
  ],
};
