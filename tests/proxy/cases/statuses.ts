import { CLOSE } from "../origin";
import {
  CDN,
  IMPATIENT,
  NET,
  O,
  OCDN,
  ONET,
  OTLS,
  TLS,
  WWW,
  answer,
  chunk,
  head,
  html,
  LAST_CHUNK,
  type Case,
  type Group,
} from "./case";

const PAGE = `<a href="https://${WWW}/">`;
const PAGE_TO = `<a href="http://${O}/">`;

const passed: readonly Case[] = [
  ...["200 OK", "201 Created", "202 Accepted", "203 Non-Authoritative Information"],
  ...[
    "400 Bad Request",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "405 Method Not Allowed",
    "409 Conflict",
  ],
  ...["410 Gone", "418 I'm a teapot", "421 Misdirected Request", "422 Unprocessable Entity", "429 Too Many Requests"],
  ...["451 Unavailable For Legal Reasons", "500 Internal Server Error", "501 Not Implemented", "502 Bad Gateway"],
  ...["503 Service Unavailable", "504 Gateway Timeout", "299 Odd", "599 Odder"],
].map((status) => ({
  name: `${status} with its page`,
  origin: answer(status, { "Content-Type": "text/html" }, PAGE),
  get: { status: Number(status.slice(0, 3)), body: PAGE_TO },
}));

const redirect = (name: string, from: string, to: string, more: Partial<Case> = {}): Case[] =>
  ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    .slice(0, name === "own domain" ? 5 : 1)
    .map((status) => ({
      name: `${status.slice(0, 3)} to ${name}`,
      origin: answer(status, { Location: from, "Content-Type": "text/html" }, `<a href="${from}">`),
      get: { status: Number(status.slice(0, 3)), headers: { Location: to } },
      ...more,
    }));

const redirects: readonly Case[] = [
  ...redirect("own domain", `https://${WWW}/a?b=c#d`, `http://${O}/a?b=c#d`),
  ...redirect("own domain without TLS", `http://${WWW}/a`, `http://${O}/a`),
  ...redirect("own domain with a port", `https://${WWW}:443/a`, `http://${O}/a`),
  ...redirect("a subdomain", `https://m.${WWW}/`, `http://m.${O}/`),
  ...redirect("another site", `https://${NET}/`, `http://${ONET}/`),
  ...redirect("a site below another", `https://${CDN}/`, `http://${OCDN}/`),
  ...redirect("a site with TLS", `https://${TLS}/`, `https://${OTLS}/`),
  ...redirect("elsewhere", "https://elsewhere.invalid/", "https://elsewhere.invalid/"),
  ...redirect("the parent, which is no site", "https://example.org/", "https://example.org/"),
  ...redirect("a path", "/a/b", "/a/b"),
  ...redirect("a name without scheme", `//${WWW}/a`, `//${O}/a`),
  ...redirect(
    "elsewhere with the way back in the query",
    `https://login.invalid/?back=https%3A%2F%2F${WWW}%2Fa`,
    `https://login.invalid/?back=http%3A%2F%2F${O}%2Fa`,
  ),
  ...redirect("https on a site with TLS", `https://${TLS}/a`, `https://${OTLS}/a`, { site: TLS }),
  ...redirect("http on a site with TLS", `http://${TLS}/a`, `https://${OTLS}/a`, { site: TLS }),
];

/** An answer without a body, then whatever: the connection is in order when a second request is answered. */
const bodyless = (name: string, first: Buffer | string, method: string, get: Case["get"]): Case => ({
  name,
  send: { method },
  origin: [first],
  ...(get ? { get } : {}),
});

const interim = (name: string, first: string): Case => ({
  name,
  origin: [
    first + head("200 OK", { "Content-Type": "text/html", "Content-Length": String(PAGE.length) }) + PAGE,
    CLOSE,
  ],
  get: { status: 502, headers: { Link: null }, body: /^502: .*interim/, check: noLeak },
  log: /refused: the origin sent an interim answer/,
});

function noLeak({ body }: { body: Buffer }): void {
  if (body.includes(WWW)) throw new Error("an unrewritten name");
}

export const statuses: Group = {
  title: "statuses",
  cases: [
    ...passed,
    ...redirects,
    bodyless("204 has no body", head("204 No Content", { "X-A": "b" }), "GET", {
      status: 204,
      body: "",
      headers: { "X-A": "b" },
    }),
    bodyless("204 with a type", head("204 No Content", { "Content-Type": "text/html" }), "GET", {
      status: 204,
      body: "",
    }),
    bodyless("304 has no body", head("304 Not Modified", { "Content-Type": "text/html" }), "GET", {
      status: 304,
      body: "",
    }),
    bodyless("205 with an empty one", head("205 Reset Content", { "Content-Length": "0" }), "GET", {
      status: 205,
      body: "",
    }),
    bodyless(
      "HEAD of a page",
      head("200 OK", { "Content-Type": "text/html", "Content-Length": "500", Link: `<https://${WWW}/>` }),
      "HEAD",
      {
        headers: { "Content-Length": null, Link: `<http://${O}/>` },
      },
    ),
    bodyless(
      "HEAD of an image",
      head("200 OK", { "Content-Type": "image/png", "Content-Length": "500", "Accept-Ranges": "bytes" }),
      "HEAD",
      {
        headers: { "Content-Length": "500", "Accept-Ranges": "bytes" },
      },
    ),
    bodyless(
      "HEAD of a page that moved",
      head("301 Moved Permanently", { Location: `https://${WWW}/x`, "Content-Length": "0" }),
      "HEAD",
      {
        status: 301,
        headers: { Location: `http://${O}/x` },
      },
    ),
    bodyless(
      "HEAD of a compressed page",
      head("200 OK", { "Content-Type": "text/html", "Content-Encoding": "gzip", "Content-Length": "50" }),
      "HEAD",
      {
        headers: { "Content-Length": null, "Content-Encoding": null },
      },
    ),
    interim("T5: 103, then 200: refused", head("103 Early Hints", { Link: `<https://${WWW}/s.css>; rel=preload` })),
    interim("T5: 102, then 200: refused", head("102 Processing")),
    interim(
      "T5: 101 that nobody asked for: refused",
      head("101 Switching Protocols", { Upgrade: "h2c", Connection: "Upgrade" }),
    ),
    {
      name: "T5: 103, then an image: refused as well",
      origin: [head("103 Early Hints"), ...answer("200 OK", { "Content-Type": "image/png" }, "x"), CLOSE],
      get: { status: 502 },
    },
    {
      name: "T5: 103, then an origin that keeps the connection: refused in nginxTimeout at the latest",
      site: IMPATIENT,
      origin: [head("103 Early Hints"), ...html(PAGE)],
      get: { status: 502, check: noLeak },
    },
    {
      name: "100 that nobody waits for is passed over or refused, never a tunnel",
      send: { method: "POST", body: "x" },
      origin: [
        head("100 Continue"),
        head("200 OK", { "Content-Type": "text/html", "Content-Length": String(PAGE.length) }) + PAGE,
        CLOSE,
      ],
      get: { status: 502, check: noLeak },
    },
    {
      name: "two requests on one connection",
      run: async ({ proxy, kind, request, rig, id }) => {
        rig.origin.answer(id, html(PAGE));
        const wire = await proxy.open(kind);
        for (const _ of [1, 2, 3]) {
          wire.write(request());
          const { status, body, rest } = await wire.response("GET");
          if (status !== 200 || body.toString() !== PAGE_TO) throw new Error(`${status} ${body.toString()}`);
          wire.forget(wire.received.length - rest.length);
        }
        wire.close();
      },
    },
    {
      name: "a reason of the origin's own",
      origin: answer("200 Fine by me", { "Content-Type": "text/html" }, PAGE),
      get: { body: PAGE_TO },
    },
    {
      name: "trailers neither break the answer nor leak",
      origin: [
        head("200 OK", { "Content-Type": "text/html", "Transfer-Encoding": "chunked", Trailer: "X-T" }),
        chunk(PAGE),
        LAST_CHUNK.slice(0, 3) + `X-T: https://${WWW}/\r\n\r\n`,
      ],
      get: { body: PAGE_TO, check: ({ trailers }) => noLeak({ body: Buffer.from(JSON.stringify(trailers)) }) },
    },
    {
      name: "HTTP/1.0 of the origin",
      origin: [`HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`],
      get: { body: PAGE_TO },
    },
  ],
};
