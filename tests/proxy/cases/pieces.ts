import { NET, O, ONET, TLS, OTLS, WWW, chunk, head, html, LAST_CHUNK, type Case, type Group } from "./case";

// Where the origin's pieces end must make no difference, at no byte.
const DOC = `<a href="https://${WWW}/">x%2e${NET}</a>`;
const DOC_TO = `<a href="http://${O}/">x%2e${ONET}</a>`;
const ESCAPED = `"https:\\/\\/a.${TLS.replaceAll(".", "\\u002e")}:443\\/"`;
const ESCAPED_TO = `"https:\\/\\/a.${OTLS.replaceAll(".", "\\u002e")}:443\\/"`;

/** Streams go on as they come: a piece is what the rewriting gets at once. */
const STREAM = { headers: { Accept: "text/event-stream" } };
const chunked = head("200 OK", { "Content-Type": "text/html", "Transfer-Encoding": "chunked" });
const offsets = (text: string): number[] => Array.from(text, (_, at) => at + 1).slice(0, -1);

function split(text: string, to: string, at: number): Case {
  return {
    name: `two pieces, the first of ${at}: ${JSON.stringify(text.slice(0, at).slice(-12))} ${JSON.stringify(text.slice(at, at + 12))}`,
    send: STREAM,
    origin: [chunked, chunk(text.slice(0, at)), chunk(text.slice(at)), LAST_CHUNK],
    get: { body: to },
  };
}

/** nginx's buffers are 16k and the head is in the first: a body that is longer is cut there. */
function buffered(at: number): Case {
  const length = 20_000;
  const fields = { "Content-Type": "text/html", "Content-Length": String(length) };
  const before = "-".repeat(16_384 - head("200 OK", fields).length - at);
  const after = "-".repeat(length - before.length - DOC.length);
  return {
    name: `a buffer that ends after ${at} bytes of a link`,
    origin: [head("200 OK", fields) + before + DOC + after],
    get: { body: before + DOC_TO + after },
  };
}

const many = `${DOC}\n`.repeat(40);
const manyTo = `${DOC_TO}\n`.repeat(40);

export const pieces: Group = {
  title: "pieces",
  cases: [
    ...offsets(DOC).map((at) => split(DOC, DOC_TO, at)),
    ...offsets(ESCAPED).map((at) => split(ESCAPED, ESCAPED_TO, at)),
    ...offsets(DOC).map(buffered),
    ...[1, 2, 3, 5, 7].map((size): Case => ({
      name: `every piece ${size} long`,
      send: STREAM,
      origin: [chunked, ...(DOC.match(new RegExp(`.{1,${size}}`, "g")) ?? []).map(chunk), LAST_CHUNK],
      get: { body: DOC_TO },
    })),
    ...[1000, 4096, 16_384].map((size): Case => ({
      name: `chunks of ${size}`,
      origin: [chunked, Buffer.concat((many.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []).map(chunk)), LAST_CHUNK],
      get: { body: manyTo },
    })),
    {
      name: "the answer's end decides what is a name",
      send: STREAM,
      origin: [chunked, chunk(`to ${WWW}`), chunk("."), chunk("b"), chunk(` ${WWW}`), LAST_CHUNK],
      get: { body: `to ${WWW}.b ${O}` },
    },
    {
      name: "what stands before a piece decides, too",
      send: STREAM,
      origin: [chunked, chunk("my-"), chunk(WWW), chunk(" foo@"), chunk(WWW), chunk(" /"), chunk(WWW), LAST_CHUNK],
      get: { body: `my-${WWW} foo@${WWW} /${O}` },
    },
    {
      name: "one line of .www.example.org, a megabyte: every look behind has an end",
      origin: html(`.${WWW}`.repeat(65_000)),
      get: { check: ({ body }) => void (body.length >= 1_000_000 || fail(body.length)) },
    },
  ],
};

function fail(length: number): never {
  throw new Error(`${length} bytes`);
}
