import { gzipSync } from "node:zlib";
import { values, type Response } from "../http";
import { CLOSE } from "../origin";
import { O, WWW, answer, chunk, head, html, LAST_CHUNK, type Case, type Group } from "./case";

// Origins write headers in any letters and as often as they like: none of it may slip through.
const named = [
  ...[
    "Access-Control-Allow-Origin",
    "Content-Location",
    "Content-Security-Policy",
    "Feature-Policy",
    "Link",
    "Location",
  ],
  ...["Content-Security-Policy-Report-Only", "Permissions-Policy", "Refresh", "Report-To", "Reporting-Endpoints"],
  ...["SourceMap", "Timing-Allow-Origin", "X-Frame-Options", "X-SourceMap"],
];
const gone = [
  ...["Strict-Transport-Security", "Public-Key-Pins", "Public-Key-Pins-Report-Only", "Alt-Svc", "Onion-Location"],
  ...["Expect-CT", "NEL", "Age", "Server", "Via", "X-Powered-By", "X-Request-Id", "X-Runtime", "X-Varnish", "X-NA"],
  ...["X-From-Nginx", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest", "Accept-Ranges"],
];
const PAGE = `<a href="https://${WWW}/">`;
const PAGE_TO = `<a href="http://${O}/">`;

/** There is one of these or none (RFC 9110): of two nginx can change the last alone. */
const single = ["Location", "Refresh"];

/** The domain is nowhere in the answer. */
function noLeak({ headers, body }: Response): void {
  if (JSON.stringify(headers).includes(WWW) || body.includes(WWW)) throw new Error("an unrewritten name");
}

const spellings: readonly (readonly [name: string, spell: (header: string) => string])[] = [
  ["in small letters", (header) => header.toLowerCase()],
  ["in capitals", (header) => header.toUpperCase()],
];

const rewritten = (name: string, fields: Record<string, string | readonly string[]>, header: string): Case => ({
  name: `${header} ${name} is rewritten`,
  origin: html(PAGE, fields),
  get: {
    check: (response) => {
      noLeak(response);
      if (!values(response.headers, header).join().includes(O)) throw new Error(`no ${header}`);
    },
  },
});

const removed = (name: string, fields: Record<string, string | readonly string[]>, header: string): Case => ({
  name: `${header} ${name} goes`,
  origin: html(PAGE, fields),
  get: { headers: { [header]: null } },
});

const link = (path: string): string => `https://${WWW}/${path}`;

/** What nginx reads itself: its own rules of which one counts, and the body follows what the reader is told. */
const types = (first: string, second: string): Case => ({
  name: `Content-Type ${first} and ${second}: the reader's type and the body fit`,
  origin: [head("200 OK", { "Content-Type": [first, second], "Content-Length": String(PAGE.length) }) + PAGE],
  get: {
    check: ({ headers, body }) => {
      const told = values(headers, "Content-Type");
      const wanted = told.some((type) => type.startsWith("text/html")) ? PAGE_TO : PAGE;
      if (body.toString() !== wanted) throw new Error(`${told.join(", ")}: ${body.toString()}`);
    },
  },
});

const inStream = (name: string, origin: Case["origin"] & object, get: Case["get"] & object): Case => ({
  name: `as a stream: ${name}`,
  send: { headers: { Accept: "text/event-stream" } },
  origin,
  get,
});

export const oddHeaders: Group = {
  title: "odd headers",
  cases: [
    ...spellings.flatMap(([name, spell]) => [
      ...named.map((header) => rewritten(name, { [spell(header)]: link("a") }, header)),
      ...gone.map((header) => removed(name, { [spell(header)]: "5" }, header)),
    ]),
    ...named
      .filter((header) => !single.includes(header))
      .map((header) => rewritten("twice", { [header]: [link("a"), link("b")] }, header)),
    ...gone
      .filter((header) => header !== "Accept-Ranges")
      .map((header) => removed("twice", { [header]: ["5", "6"] }, header)),
    ...single.flatMap((header) =>
      ["identity", "br"].map((encoding): Case => ({
        name: `${header} twice, of which nginx can change one, ${encoding}: no answer at all`,
        run: async ({ rig, proxy, id, kind, request }) => {
          rig.origin.answer(
            id,
            answer("200 OK", {
              "Content-Type": "text/html",
              "Content-Encoding": encoding,
              [header]: [link("a"), link("b")],
            }),
          );
          const answered = await proxy.request(kind, request()).catch(() => undefined);
          if (answered) noLeak(answered);
        },
      })),
    ),
    types("text/html", "image/png"),
    types("image/png", "text/html"),
    types("text/html", "text/html; charset=utf-8"),
    {
      name: "Set-Cookie in small letters, three times",
      origin: html("", { "set-cookie": ["a=1; domain=www.example.org", "b=2; secure", "c=3"] }),
      get: { headers: { "Set-Cookie": [`a=1; Domain=${O}`, "b=2", "c=3"] }, check: noLeak },
    },
    {
      name: "two ETags",
      origin: html(PAGE, { ETag: ['"a"', '"b"'] }),
      get: { body: PAGE_TO },
    },
    {
      name: "Content-Encoding in small letters",
      origin: answer("200 OK", { "content-type": "text/html", "content-encoding": "gzip" }, gzipSync(PAGE)),
      get: { body: PAGE_TO, headers: { "Content-Encoding": null } },
    },
    {
      name: "Transfer-Encoding and Content-Length at once",
      run: async ({ rig, proxy, id, kind, request }) => {
        rig.origin.answer(id, [
          head("200 OK", { "Content-Type": "text/html", "Content-Length": "3", "Transfer-Encoding": "chunked" }),
          chunk(PAGE),
          LAST_CHUNK,
          CLOSE,
        ]);
        noLeak(await proxy.request(kind, request()));
      },
    },
    {
      name: "both of them from a reader: 400, and nothing was asked",
      send: {
        method: "POST",
        headers: [
          ["Content-Length", "3"],
          ["Transfer-Encoding", "chunked"],
        ],
        body: "0\r\n\r\n",
      },
      get: { status: 400 },
      asked: null,
    },
    {
      name: "what a reader says of its connection does not go up",
      send: { headers: { Connection: "keep-alive, X-From-Onion", "Keep-Alive": "timeout=5", TE: "trailers" } },
      asked: { headers: { Connection: null, "Keep-Alive": null, "X-From-Onion": "1" } },
    },
    {
      name: "a header with an underscore is no other header",
      send: { headers: { X_From_Onion: "made up" } },
      asked: { headers: { X_From_Onion: null, "X-From-Onion": "1" } },
    },
    inStream(
      "a compressed page is undone",
      answer("200 OK", { "Content-Type": "text/html", "Content-Encoding": "gzip" }, gzipSync(PAGE)),
      { body: PAGE_TO },
    ),
    inStream("br is refused", answer("200 OK", { "Content-Type": "text/html", "Content-Encoding": "br" }, PAGE), {
      status: 502,
      body: /^502/,
    }),
    inStream("a part is refused", answer("206 Partial Content", { "Content-Type": "text/html" }, PAGE), {
      status: 502,
      body: /^502/,
    }),
    inStream("T5: 103, then 200: refused", [head("103 Early Hints", { Link: link("a") }), ...html(PAGE), CLOSE], {
      status: 502,
      check: noLeak,
    }),
    inStream("headers are rewritten", html(PAGE, { Link: link("a"), Via: "x" }), {
      headers: { Link: `http://${O}/a`, Via: null },
      body: PAGE_TO,
    }),
    inStream("an image stays as it is", html(PAGE, { "Content-Type": "image/png" }), {
      body: PAGE,
      headers: { "Content-Length": String(PAGE.length) },
    }),
  ],
};
