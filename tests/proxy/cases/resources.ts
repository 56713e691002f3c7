import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Wire } from "../client";
import { O, WWW, chunk, head, LAST_CHUNK, type Case, type Group, type World } from "./case";

const MB = 1 << 20;
const LOGS = "logs.example.com";
const LOGS_ALL = "logsall.example.com";

/** Reads an answer to its end and keeps nothing of it. @returns its length, and the last bytes */
async function drained(wire: Wire): Promise<{ length: number; tail: string }> {
  let length = 0;
  let tail = "";
  await new Promise<void>((done, failed) => {
    wire.socket.removeAllListeners("data");
    wire.socket.on("data", (data: Buffer) => {
      length += data.length;
      tail = (tail + data.subarray(-1000).toString("latin1")).slice(-1000);
      if (tail.endsWith("\r\n0\r\n\r\n")) done();
    });
    wire.socket.once("close", () => failed(new Error(`closed after ${length}`)));
  });
  return { length, tail };
}

/** 100 MB in pieces through the proxy; the workers' memory may grow by so much at most. */
interface Streamed {
  readonly type?: string;
  readonly piece: string;
  readonly most?: number;
  readonly headers?: Record<string, string>;
}

const streamed = (name: string, { type = "text/html", piece, most = 16, headers = {} }: Streamed): Case => ({
  name: `100 MB, ${name}: memory grows by less than ${most} MB`,
  run: async ({ rig, proxy, id, kind, request }: World) => {
    const data = chunk(piece.repeat(Math.ceil(MB / piece.length)));
    rig.origin.answer(id, async (peer) => {
      await peer.send(head("200 OK", { "Content-Type": type, "Transfer-Encoding": "chunked" }));
      for (let at = 0; at < 100; at++) await peer.send(data);
      await peer.send(LAST_CHUNK);
    });
    const before = await proxy.memory();
    const wire = await proxy.open(kind);
    wire.write(request({ headers }));
    const { length, tail } = await drained(wire);
    wire.close();
    const grown = (await proxy.memory()) - before;
    if (length < 100 * MB) throw new Error(`${length} bytes`);
    if (piece.startsWith("<") && (tail.includes(WWW) || !tail.includes(O))) throw new Error(tail);
    if (grown > most * MB) throw new Error(`${Math.round(grown / MB)} MB more`);
  },
});

const logged = (site: string, wanted: RegExp, never?: RegExp): Case => ({
  name: `accessLog of ${site}`,
  site,
  run: async ({ rig, proxy, kind, request }) => {
    await proxy.request(kind, request({ path: `/secret-${site}?q=1`, headers: { "User-Agent": "agent-x" } }));
    const late = Date.now() + 3_000;
    const text = (): string => {
      try {
        return readFileSync(join(rig.folder, "log", "journal"), "utf8");
      } catch {
        return "";
      }
    };
    while (!wanted.test(text()) && Date.now() < late) await new Promise((soon) => setTimeout(soon, 10));
    const line =
      text()
        .split("\n")
        .find((each) => each.includes(site)) ?? "";
    if (!wanted.test(line)) throw new Error(`journal: ${text()}`);
    if (never?.test(line)) throw new Error(line);
  },
});

export const resources: Group = {
  title: "resources",
  alone: true,
  sites: [
    { domain: LOGS, accessLog: "truncated" },
    { domain: LOGS_ALL, accessLog: "full", accessLogFormat: "json" },
  ],
  cases: [
    logged(LOGS, / logs\.example\.com GET 200 \d+ /, /secret|agent-x/),
    logged(LOGS_ALL, /"site":"logsall\.example\.com".*"uri":"\/secret-logsall\.example\.com\?q=1".*"agent":"agent-x"/),
    {
      name: "without accessLog nobody's visit is written down",
      run: async ({ rig, proxy, kind, request }) => {
        await proxy.request(kind, request({ path: "/never-logged" }));
        await logged(LOGS, / logs\.example\.com GET 200 \d+ /).run?.({ rig, proxy, kind, request } as World);
        if (/never-logged|www\.example\.org/.test(readFileSync(join(rig.folder, "log", "journal"), "utf8")))
          throw new Error("it was");
      },
    },
    streamed("an image", { type: "image/png", piece: "x", most: 12 }),
    streamed("a page full of links", { piece: `<a href="https://${WWW}/">x</a>\n` }),
    streamed("a page in one line without a link", { piece: "x" }),
    streamed("a line of dots and names", { piece: `.${WWW}` }),
    streamed("a stream", { piece: `<a href="https://${WWW}/">x</a>\n`, headers: { Accept: "text/event-stream" } }),
    {
      name: "a slow reader: the origin is not read faster than what is kept for it",
      run: async ({ rig, proxy, id, kind, request }) => {
        let sent = 0;
        const data = chunk("x".repeat(MB));
        rig.origin.answer(id, async (peer) => {
          await peer.send(head("200 OK", { "Content-Type": "text/html", "Transfer-Encoding": "chunked" }));
          for (; sent < 200; sent++) await peer.send(data);
          await peer.send(LAST_CHUNK);
        });
        const before = await proxy.memory();
        const wire = await proxy.open(kind);
        wire.write(request());
        await wire.text("200 OK");
        wire.socket.pause();
        for (let last = -1; last !== sent;) {
          last = sent;
          await new Promise((later) => setTimeout(later, 400));
        }
        const grown = (await proxy.memory()) - before;
        wire.close();
        if (sent > 150) throw new Error(`${sent} MB taken`);
        if (grown > 24 * MB) throw new Error(`${Math.round(grown / MB)} MB more`);
      },
    },
    {
      name: "a compressed page a thousand times as large as it comes: memory stays bounded",
      run: async ({ rig, proxy, id, kind, request }) => {
        const bomb = gzipSync(Buffer.alloc(200 * MB));
        const fields = {
          "Content-Type": "text/html",
          "Content-Encoding": "gzip",
          "Content-Length": String(bomb.length),
        };
        rig.origin.answer(id, async (peer) => {
          await peer.send(head("200 OK", fields));
          await peer.send(bomb);
        });
        const before = await proxy.memory();
        const wire = await proxy.open(kind);
        wire.write(request());
        await drained(wire).catch(() => undefined);
        wire.close();
        const grown = (await proxy.memory()) - before;
        if (grown > 64 * MB) throw new Error(`${Math.round(grown / MB)} MB more`);
      },
    },
  ],
};
