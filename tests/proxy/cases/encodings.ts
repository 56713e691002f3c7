import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { CLOSE } from "../origin";
import { O, WWW, answer, chunk, head, LAST_CHUNK, type Case, type Group } from "./case";

const PAGE = `<a href="https://${WWW}/">`.repeat(50);
const PAGE_TO = `<a href="http://${O}/">`.repeat(50);
const zipped = gzipSync(PAGE);
const plainText = { headers: { "Content-Encoding": null, "Content-Length": null }, body: PAGE_TO };

const packed = (encoding: string, body: Buffer | string, type = "text/html") =>
  answer("200 OK", { "Content-Type": type, "Content-Encoding": encoding }, body);

const undone: readonly (readonly [name: string, encoding: string, body: Buffer | string])[] = [
  ["gzip", "gzip", zipped],
  ["GZIP", "GZIP", zipped],
  ["x-gzip", "x-gzip", zipped],
  ["deflate with zlib's head", "deflate", deflateSync(PAGE)],
  ["deflate without", "deflate", deflateRawSync(PAGE)],
  ["gzip in two members", "gzip", Buffer.concat([gzipSync(PAGE.slice(0, 700)), gzipSync(PAGE.slice(700))])],
  ["identity", "identity", PAGE],
];

const refused: readonly (readonly [name: string, encoding: string | readonly string[]])[] = [
  ["br", "br"],
  ["zstd", "zstd"],
  ["compress", "compress"],
  ["an unknown one", "rot13"],
  ["gzip, br", "gzip, br"],
  ["gzip, gzip", "gzip, gzip"],
  ["two headers", ["gzip", "br"]],
];

const broken = (name: string, body: Buffer): Case => ({
  name: `gzip, ${name}: the answer breaks off`,
  run: async ({ rig, proxy, id, kind, request }) => {
    rig.origin.answer(id, packed("gzip", body));
    const response = await proxy.request(kind, request()).catch(() => undefined);
    if (response?.whole) throw new Error(`a whole answer: ${response.line} ${response.body.toString("latin1")}`);
  },
});

const chunkedHead = head("200 OK", {
  "Content-Type": "text/html",
  "Content-Encoding": "gzip",
  "Transfer-Encoding": "chunked",
});
const pieces = (size: number): Buffer[] =>
  Array.from({ length: Math.ceil(zipped.length / size) }, (_, at) => zipped.subarray(at * size, (at + 1) * size));

export const encodings: Group = {
  title: "encodings",
  cases: [
    {
      name: "the origin is asked for none",
      send: { headers: { "Accept-Encoding": "gzip, br, zstd" } },
      asked: { headers: { "Accept-Encoding": "identity" } },
    },
    ...undone.map(([name, encoding, body]): Case => ({
      name: `${name} is undone`,
      origin: packed(encoding, body),
      get: plainText,
    })),
    ...[1, 2, 10].map((size): Case => ({
      name: `gzip in chunks of ${size}`,
      origin: [chunkedHead, Buffer.concat(pieces(size).map(chunk)), LAST_CHUNK],
      get: plainText,
    })),
    ...[1, 10, 30].map((size): Case => ({
      name: `gzip in pieces of ${size}, as they come`,
      send: { headers: { Accept: "text/event-stream" } },
      origin: [chunkedHead, ...pieces(size).map(chunk), LAST_CHUNK],
      get: plainText,
    })),
    {
      name: "gzip until the end of the connection",
      origin: [head("200 OK", { "Content-Type": "text/html", "Content-Encoding": "gzip" }), zipped, CLOSE],
      get: plainText,
    },
    {
      name: "gzip of 8 MB",
      origin: packed("gzip", gzipSync(PAGE.repeat(4_500))),
      get: { body: PAGE_TO.repeat(4_500) },
    },
    { name: "gzip of nothing", origin: packed("gzip", gzipSync("")), get: { body: "" } },
    broken("cut off", zipped.subarray(0, zipped.length - 20)),
    broken("that is none", Buffer.from("this is no gzip at all, whatever the header says")),
    broken("damaged", Buffer.concat([zipped.subarray(0, 40), Buffer.alloc(20, 0xff), zipped.subarray(60)])),
    ...refused.map(([name, encoding]): Case => ({
      name: `${name}: refused, never unrewritten`,
      origin: answer(
        "200 OK",
        { "Content-Type": "text/html", "Content-Encoding": encoding, "Set-Cookie": "a=b", ETag: '"x"' },
        PAGE,
      ),
      get: {
        status: 502,
        // nginx can take away one header of that name, not two.
        headers: {
          ...(typeof encoding === "string" ? { "Content-Encoding": null } : {}),
          "Content-Type": /^text\/plain/,
          "Set-Cookie": null,
          ETag: null,
          Connection: /keep-alive|close/,
        },
        body: /^502: the origin compressed/,
      },
      log: /refused: the origin compressed its answer/,
    })),
    ...["gzip", "br", "zstd", "gzip, br"].map((encoding): Case => ({
      name: `${encoding} of an image stays as it is`,
      origin: packed(encoding, zipped, "image/svg"),
      get: { headers: { "Content-Encoding": encoding, "Content-Length": String(zipped.length) }, body: zipped },
    })),
    {
      name: "br of an empty 204",
      origin: [head("204 No Content", { "Content-Type": "text/html", "Content-Encoding": "br" })],
      get: { status: 204 },
    },
    {
      name: "T10: a refusal is whole and the connection lives on",
      run: async ({ proxy, kind, request, rig, id }) => {
        const wire = await proxy.open(kind);
        for (const [encoding, wanted] of [
          ["br", 502],
          ["identity", 200],
        ] as const) {
          rig.origin.answer(id, packed(encoding, PAGE));
          wire.write(request());
          const { status, whole, rest } = await wire.response("GET");
          if (status !== wanted || !whole) throw new Error(`${status}, whole: ${whole}`);
          wire.forget(wire.received.length - rest.length);
        }
        wire.close();
      },
    },
  ],
};
