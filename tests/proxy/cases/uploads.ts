import { CDN, O, OCDN, OTLS, TLS, WWW, onionOf, type Case, type Group } from "./case";

const REWRITES = "posts.example.com";
const SMALL = "small.example.com";
const R = onionOf(REWRITES);

const FORM = "application/x-www-form-urlencoded";

const posted = (name: string, type: string, from: string, to: string): Case => ({
  name: `deonionifyPostBodies: ${name}`,
  site: REWRITES,
  send: { method: "POST", headers: { "Content-Type": type }, body: from },
  asked: { body: to, headers: { "Content-Length": String(Buffer.byteLength(to)) } },
});

const asIs = (name: string, type: string, body: string, headers: Record<string, string> = {}): Case => ({
  name: `deonionifyPostBodies: ${name} stays as it is`,
  site: REWRITES,
  send: { method: "POST", headers: { "Content-Type": type, ...headers }, body },
  asked: { body },
});

const off = (type: string): Case => ({
  name: `without deonionifyPostBodies ${type} stays as it is`,
  send: { method: "POST", headers: { "Content-Type": type }, body: `u=http://${O}/` },
  asked: { body: `u=http://${O}/` },
});

const sized = (bytes: number, status: number): Case => ({
  name: `nginxClientMaxBodySize 64k: a body of ${bytes}: ${status}`,
  site: SMALL,
  send: { method: "POST", body: "x".repeat(bytes) },
  get: { status },
  asked: status === 413 ? null : { body: "x".repeat(bytes) },
});

const file = `--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nhttp://${R}/\r\n--b--\r\n`;
const large = `u=http://${R}/&x=${"y".repeat(700_000)}`;
const tooLarge = `u=http://${R}/&x=${"y".repeat(1_100_000)}`;

export const uploads: Group = {
  title: "uploads",
  sites: [
    { domain: REWRITES, deonionifyPostBodies: true },
    { domain: SMALL, nginxClientMaxBodySize: "64k" },
  ],
  cases: [
    ...[FORM, "application/json", "text/xml", "multipart/form-data; boundary=b"].map(off),
    posted("a form", FORM, `u=http%3A%2F%2F${R}%2Fa&v=1`, `u=https%3A%2F%2F${REWRITES}%2Fa&v=1`),
    posted("a form with a charset", `${FORM}; charset=UTF-8`, `u=${R}`, `u=${REWRITES}`),
    posted("JSON", "application/json", `{"u":"http:\\/\\/${R}\\/"}`, `{"u":"https:\\/\\/${REWRITES}\\/"}`),
    posted("JSON of a kind", "application/ld+json", `{"u":"http://${R}/"}`, `{"u":"https://${REWRITES}/"}`),
    posted("XML", "application/xml", `<u>http://${R}/</u>`, `<u>https://${REWRITES}/</u>`),
    posted("SOAP", "application/soap+xml", `<u>http://${R}/</u>`, `<u>https://${REWRITES}/</u>`),
    posted("several sites", FORM, `a=http://${OCDN}/&b=https://${OTLS}/`, `a=https://${CDN}/&b=https://${TLS}/`),
    ...["PUT", "PATCH"].map((method): Case => ({
      name: `deonionifyPostBodies: a form by ${method}`,
      site: REWRITES,
      send: { method, headers: { "Content-Type": FORM }, body: `u=${R}` },
      asked: { body: `u=${REWRITES}` },
    })),
    posted("an empty form", FORM, "", ""),
    posted("700 kB", FORM, large, large.replace(`http://${R}`, `https://${REWRITES}`)),
    asIs("a file", "multipart/form-data; boundary=b", file),
    asIs("an image", "image/png", `\u0000${R}`),
    asIs("what is longer than a megabyte", FORM, tooLarge),
    asIs("a foreign onion", FORM, `u=http://${"b".repeat(56)}.onion/`),
    asIs("what is compressed", FORM, `u=${R}`, { "Content-Encoding": "gzip" }),
    {
      name: "deonionifyPostBodies: a form in chunks",
      site: REWRITES,
      send: {
        method: "POST",
        headers: { "Content-Type": FORM, "Transfer-Encoding": "chunked" },
        body: `${(R.length + 2).toString(16)}\r\nu=${R}\r\n0\r\n\r\n`,
      },
      asked: { body: `u=${REWRITES}` },
    },
    {
      name: "a body in chunks, not rewritten",
      send: { method: "POST", headers: { "Transfer-Encoding": "chunked" }, body: "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" },
      asked: { body: "abcde" },
    },
    sized(60_000, 200),
    sized(65_537, 413),
    {
      name: "5 MB go up",
      send: { method: "POST", body: "x".repeat(5_000_000) },
      asked: { check: ({ body }) => equal(body.length, 5_000_000) },
    },
    {
      name: "Expect: 100-continue is answered by nginx, and does not go up",
      send: { method: "POST", headers: { Expect: "100-continue" }, body: "abc" },
      get: { check: ({ interim }) => equal(interim[0]?.status, 100) },
      asked: { body: "abc", headers: { Expect: null } },
    },
    {
      name: "a body that names the site is not touched when its type is missing",
      send: { method: "POST", body: `http://${O}/ ${WWW}` },
      asked: { body: `http://${O}/ ${WWW}` },
    },
  ],
};

function equal(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${String(got)} and not ${String(wanted)}`);
}
