import { CLOSE } from "../origin";
import { CDN, NET, O, OCDN, ONET, OTLS, TLS, WWW, chunk, head, html, LAST_CHUNK, type Case, type Group } from "./case";

type Row = readonly [name: string, from: string, to: string];
const asIs = (name: string, text: string): Row => [name, text, text];
const spelt = (name: string, dot: string): string => name.replaceAll(".", dot);

// The matcher has its own suite; here is that nginx hands it every byte and nothing else.
const texts: readonly Row[] = [
  ["a bare name", WWW, O],
  ["a link", `<a href="https://${WWW}/a">`, `<a href="http://${O}/a">`],
  ["a link without TLS", `<a href="http://${WWW}/a">`, `<a href="http://${O}/a">`],
  ["no scheme", `<img src=//${WWW}/a.png>`, `<img src=//${O}/a.png>`],
  ["upper case", `HTTPS://${WWW.toUpperCase()}/A`.replace("HTTPS", "https"), `http://${O}/A`],
  ["the default port goes with its scheme", `https://${WWW}:443/a`, `http://${O}/a`],
  ["another port stays", `https://${WWW}:8443/a`, `http://${O}:8443/a`],
  ["a subdomain", `https://a.b.${WWW}/`, `http://a.b.${O}/`],
  ["a subdomain with an underscore", `https://a_b.${WWW}/`, `http://a_b.${O}/`],
  ["a cookie's domain", `domain=.${WWW}; path=/`, `domain=.${O}; path=/`],
  ["JSON's slashes", `"https:\\/\\/${WWW}\\/a"`, `"http:\\/\\/${O}\\/a"`],
  ["a link in a query", `?u=https%3A%2F%2F${WWW}%2Fa`, `?u=http%3A%2F%2F${O}%2Fa`],
  ["a link in a query, small letters", `?u=https%3a%2f%2f${WWW}%2fa`, `?u=http%3a%2f%2f${O}%2fa`],
  ["a link in a query of a query", `?u=https%253A%252F%252F${WWW}%252Fa`, `?u=http%253A%252F%252F${O}%252Fa`],
  ["unicode escapes", `"https:\\u002F\\u002F${WWW}\\u002Fa"`, `"http:\\u002F\\u002F${O}\\u002Fa"`],
  ...["\\.", "\\\\.", "\\\\\\.", "%2e", "\\u002e"].map((dot): Row => [
    `dots as ${dot}`,
    spelt(WWW, dot),
    spelt(O, dot),
  ]),
  ["a socket", `new WebSocket("wss://${WWW}/s")`, `new WebSocket("ws://${O}/s")`],
  ["a login in a link", `//user@${WWW}/`, `//user@${O}/`],
  ["the end of a sentence", `Visit ${WWW}. It is`, `Visit ${O}. It is`],
  ["between brackets", `[${WWW}](${WWW})<${WWW}>`, `[${O}](${O})<${O}>`],
  ["twice in a row", `${WWW} ${WWW}`, `${O} ${O}`],
  ["after a newline's escape", `a\\n${WWW}`, `a\\n${O}`],
  ["another site of the project", `https://${NET}/`, `http://${ONET}/`],
  ["a site below another site", `https://${CDN}/ https://x.${CDN}/`, `http://${OCDN}/ http://x.${OCDN}/`],
  ["a name below the other site", `https://img.${NET}/`, `http://img.${ONET}/`],
  ["a site with TLS keeps its own", `https://${TLS}/`, `https://${OTLS}/`],
  ["a site with TLS gains it", `http://${TLS}/ ws://${TLS}/`, `https://${OTLS}/ wss://${OTLS}/`],
  ["the default port of what gains TLS", `http://${TLS}:80/`, `https://${OTLS}/`],
  ["bytes that are no text", `\u0000\u00ff ${WWW} \u0080`, `\u0000\u00ff ${O} \u0080`],
  ["no name at all", "<p>nothing</p>", "<p>nothing</p>"],
  asIs("an e-mail", `foo@${WWW}`),
  asIs("an e-mail in a link", `mailto:foo@${WWW}`),
  asIs("a longer name", `my-${WWW} x${WWW}`),
  asIs("a longer end", `${WWW}.br ${WWW}x ${WWW}-x`),
  asIs("the parent", "https://example.org/"),
  asIs("a dot that is another letter", "wwwxexample.org www.examplexorg"),
  asIs("an onion that is there already", `http://${O}/`),
  asIs("half a name", "www.example.or www.example"),
  ["half a name before a whole one", `www.example.www.example.org`, `www.example.${O}`],
];

// Every type, with whether it is rewritten. The text is the same for all.
const types: readonly (readonly [type: string | null, rewritten: boolean])[] = [
  ...[
    "text/html",
    "TEXT/HTML; charset=UTF-8",
    "text/html;charset=utf-8",
    "text/css",
    "text/javascript",
    "application/javascript",
    "application/x-javascript",
    "text/ecmascript",
    "application/ecmascript",
    "application/json",
    "application/json; charset=utf-8",
    "application/ld+json",
    "application/manifest+json",
    "application/problem+json",
    "application/xml",
    "text/xml",
    "application/xhtml+xml",
    "application/rss+xml",
    "application/atom+xml",
    "image/svg+xml",
    "text/event-stream",
    "application/vnd.apple.mpegurl",
    "application/x-mpegURL",
    "audio/mpegurl",
    "audio/x-mpegurl",
    "application/dash+xml",
    null,
  ].map((type) => [type, true] as const),
  ...[
    "text/plain",
    "image/png",
    "image/jpeg",
    "font/woff2",
    "application/octet-stream",
    "application/pdf",
    "application/wasm",
    "application/zip",
    "video/mp4",
    "audio/mpeg",
    "multipart/form-data; boundary=x",
    "text/csv",
    "application/json-seq-not",
  ].map((type) => [type, false] as const),
];

const PAGE = `<a href="https://${WWW}/">`;
const PAGE_TO = `<a href="http://${O}/">`;

function typeCase([type, rewritten]: (typeof types)[number]): Case {
  const fields = { ...(type === null ? {} : { "Content-Type": type }), "Accept-Ranges": "bytes" };
  return {
    name: `${type ?? "no type"}: ${rewritten ? "rewritten" : "as it is"}`,
    origin: [head("200 OK", { ...fields, "Content-Length": String(PAGE.length) }) + PAGE],
    get: {
      body: rewritten ? PAGE_TO : PAGE,
      headers: {
        ...(type === null ? {} : { "Content-Type": type }),
        "Accept-Ranges": rewritten ? null : "bytes",
        "Content-Length": rewritten ? null : String(PAGE.length),
      },
    },
  };
}

const chunked = (type: string) => head("200 OK", { "Content-Type": type, "Transfer-Encoding": "chunked" });
const closed = (type: string) => head("200 OK", { "Content-Type": type, Connection: "close" });

/** The same body, however the origin frames it. */
const framings: readonly Case[] = ["text/html", "image/png"].flatMap((type): Case[] => {
  const [from, to] = type === "text/html" ? [PAGE, PAGE_TO] : [PAGE, PAGE];
  return [
    { name: `${type}, with a length`, origin: html(from, { "Content-Type": type }), get: { body: to } },
    { name: `${type}, in chunks`, origin: [chunked(type), chunk(from), LAST_CHUNK], get: { body: to } },
    {
      name: `${type}, a byte a chunk`,
      origin: [chunked(type), ...[...from].map(chunk), LAST_CHUNK],
      get: { body: to },
    },
    { name: `${type}, until the end`, origin: [closed(type) + from, CLOSE], get: { body: to } },
    { name: `${type}, empty with a length`, origin: html("", { "Content-Type": type }), get: { body: "" } },
    { name: `${type}, empty in chunks`, origin: [chunked(type), LAST_CHUNK], get: { body: "" } },
    {
      name: `${type}, 3 MB with names all over`,
      origin: html(`${from}\n`.repeat(100_000), { "Content-Type": type }),
      get: { body: `${to}\n`.repeat(100_000) },
    },
    {
      name: `${type}, 3 MB in one line without a name`,
      origin: html("x".repeat(3_000_000) + from, { "Content-Type": type }),
      get: { body: "x".repeat(3_000_000) + to },
    },
  ];
});

export const bodies: Group = {
  title: "bodies",
  cases: [
    ...texts.map(([name, from, to]): Case => ({
      name: `text: ${name}`,
      origin: html(Buffer.from(from, "latin1")),
      get: { body: Buffer.from(to, "latin1") },
    })),
    {
      name: "text: a site with TLS says it of itself, and of one without that it has none",
      site: TLS,
      origin: html(`https://${TLS}/ http://${TLS}/ https://${WWW}/ //${TLS}/`),
      get: { body: `https://${OTLS}/ https://${OTLS}/ http://${O}/ //${OTLS}/` },
    },
    ...types.map(typeCase),
    ...framings,
  ],
};
