import {
  CDN,
  NET,
  O,
  OCDN,
  ONET,
  OTLS,
  TLS,
  WWW,
  onionOf,
  type Asked,
  type Case,
  type Group,
  type Wanted,
} from "./case";

const INJECTS = "injects.example.com";
const QUIET = "quiet.example.com";
const elsewhere = `${"b".repeat(56)}.onion`;

const uri = (name: string, from: string, to: string, method = "GET"): Case => ({
  name: `URI: ${name}`,
  send: { path: from, method },
  asked: { line: `${method} ${to}` },
});

const up = (header: string, from: string | null, to: Wanted, more: Partial<Case> = {}): Case => ({
  name: `${header}: ${from ?? "(none)"}`.slice(0, 90),
  ...(from === null ? {} : { send: { headers: { [header]: from } } }),
  asked: { headers: { [header]: to } },
  ...more,
});

const names = (sub: string, site: string, more: Partial<Case> = {}): Case => ({
  name: `the origin of ${sub}${site}`,
  site,
  sub,
  asked: { headers: { Host: `${sub}${site}` }, check: ({ name }) => same(name, `${sub}${site}`) },
  ...more,
});

const host = (name: string, given: string): Case => ({
  name: `T11: Host ${name}: 421`,
  send: { host: given },
  get: { status: 421 },
  asked: null,
});

function same(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${JSON.stringify(got)} and not ${JSON.stringify(wanted)}`);
}

const injected: Asked = {
  headers: {
    "X-Api": "1 2",
    "X-Quoted": 'a "b" \\ $c; {d}',
    Origin: "https://origin.example.org",
    Referer: "https://referer.example.org/",
    "X-From-Onion": "tor",
  },
};

export const requests: Group = {
  title: "requests",
  sites: [
    {
      domain: INJECTS,
      injectHeadersUpstream: { "X-Api": "1 2", "X-Quoted": 'a "b" \\ $c; {d}' },
      injectOrigin: "https://origin.example.org",
      injectReferer: "https://referer.example.org/",
      xFromOnionValue: "tor",
    },
    { domain: QUIET, xFromOnionValue: "" },
  ],
  cases: [
    uri("a path", "/a/b.html", "/a/b.html"),
    uri(
      "as it came, escapes and all",
      "/a%2Fb/%7Ec//d/../e/./f?x=%20+&y=ü".replace("ü", "%fc"),
      "/a%2Fb/%7Ec//d/../e/./f?x=%20+&y=%fc",
    ),
    uri("a query that names the onion", `/a?u=http://${O}/b`, `/a?u=https://${WWW}/b`),
    uri("a query in a query's letters", `/a?u=http%3A%2F%2F${O}%2Fb`, `/a?u=https%3A%2F%2F${WWW}%2Fb`),
    uri("twice encoded", `/a?u=http%253A%252F%252F${O}%252Fb`, `/a?u=https%253A%252F%252F${WWW}%252Fb`),
    uri("a path that names the onion", `/proxy/http://${O}/x`, `/proxy/https://${WWW}/x`),
    uri("a sub-host in a query", `/?u=http://a.${O}/`, `/?u=https://a.${WWW}/`),
    uri("another site in a query", `/?u=http://${ONET}/&v=http://${OCDN}/`, `/?u=https://${NET}/&v=https://${CDN}/`),
    uri("a site with TLS", `/?u=https://${OTLS}/`, `/?u=https://${TLS}/`),
    uri("upper case", `/?u=http://${O.toUpperCase()}/`, `/?u=https://${WWW}/`),
    uri("an onion of somebody else", `/?u=http://${elsewhere}/`, `/?u=http://${elsewhere}/`),
    uri("an empty query", "/a?", "/a?"),
    uri("a long query", `/?q=${"x".repeat(6000)}`, `/?q=${"x".repeat(6000)}`),
    uri("a semicolon and a dollar", "/a;b=$host?c=$d", "/a;b=$host?c=$d"),
    ...["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"].map((method) =>
      uri(method, "/m", "/m", method),
    ),
    up("Origin", `http://${O}`, `https://${WWW}`),
    up("Origin", `http://a.${O}`, `https://a.${WWW}`),
    up("Origin", "null", "null"),
    up("Origin", `http://${elsewhere}`, `http://${elsewhere}`),
    up("Origin", `https://${OTLS}`, `https://${TLS}`, { site: TLS }),
    up("Referer", `http://${O}/a?b=c`, `https://${WWW}/a?b=c`),
    up("Referer", `http://${ONET}/`, `https://${NET}/`),
    up("Referer", null, null),
    up("Destination", `http://${O}/new`, `https://${WWW}/new`),
    up("X-Custom", `http://${O}/`, `http://${O}/`),
    up("User-Agent", "Mozilla/5.0", "Mozilla/5.0"),
    up("Accept-Language", "en", "en"),
    up("Authorization", "Basic eDp5", "Basic eDp5"),
    up("Content-Type", "text/x-odd", "text/x-odd"),
    up("X-From-Onion", null, "1"),
    up("X-From-Onion", "made up", "1"),
    up("X-From-Onion", "made up", null, { site: QUIET, name: "X-From-Onion is not sent" }),
    ...[
      "X-Forwarded-For",
      "X-Forwarded-Host",
      "X-Forwarded-Proto",
      "X-Forwarded-Port",
      "X-Forwarded-Server",
      "X-Forwarded-Ssl",
      "X-Forwarded-Prefix",
      "X-Forwarded-Anything",
      "x-forwarded-for",
      "Forwarded",
      "X-Real-IP",
      "True-Client-IP",
      "CF-Connecting-IP",
      "X-Client-IP",
      "Via",
      "Proxy",
      "X-Onion-CircuitID",
    ].map((header) => up(header, "127.0.0.1", null, { name: `${header} is cleared` })),
    {
      name: "two X-Forwarded-For are both cleared",
      send: {
        headers: [
          ["X-Forwarded-For", "1.1.1.1"],
          ["X-Forwarded-For", "2.2.2.2"],
        ],
      },
      asked: { headers: { "X-Forwarded-For": null } },
    },
    { name: "injected headers", site: INJECTS, asked: injected },
    {
      name: "injected headers win over the reader's",
      site: INJECTS,
      send: { headers: { Origin: `http://${onionOf(INJECTS)}`, Referer: "x", "X-Api": "no" } },
      asked: injected,
    },
    names("", WWW),
    names("a.", WWW),
    names("a.b-c.d.", WWW),
    { ...names("my_cdn.", WWW), name: "T12: a sub-host with an underscore" },
    { ...names("_x._y.", TLS), name: "T12: underscores over TLS" },
    names("", CDN),
    names("img.", NET),
    { name: "Host in upper case", send: { host: O.toUpperCase() }, asked: { headers: { Host: WWW } } },
    { name: "Host with a port", send: { host: `${O}:80` }, asked: { headers: { Host: WWW } } },
    { name: "Host with a dot at its end", send: { host: `${O}.` }, asked: { headers: { Host: WWW } } },
    host("of somebody else", elsewhere),
    host("of the domain", WWW),
    host("that ends in an onion of ours", `x${O}`),
    host("that begins with it", `${O}.invalid`),
    host("localhost", "localhost"),
    host("an address", "127.0.0.1"),
    { name: "T11: no Host in HTTP/1.0: 421", run: noHost },
    {
      name: "an absolute URI counts, not Host",
      send: { path: `http://${O}/abs`, host: "elsewhere.invalid" },
      asked: { line: "GET /abs", headers: { Host: WWW } },
    },
    {
      name: "an absolute URI of somebody else: 421",
      send: { path: `http://${elsewhere}/abs` },
      get: { status: 421 },
      asked: null,
    },
    {
      name: "OPTIONS *: no site's business",
      send: { method: "OPTIONS", path: "*" },
      get: { status: 400 },
      asked: null,
    },
    {
      name: "CONNECT: no site's business",
      send: { method: "CONNECT", path: "a.invalid:443" },
      get: { status: 400 },
      asked: null,
    },
    { name: "TRACE is refused", send: { method: "TRACE" }, get: { status: 405 }, asked: null },
  ],
};

async function noHost({ proxy, kind }: Parameters<NonNullable<Case["run"]>>[0]): Promise<void> {
  same((await proxy.request(kind, "GET / HTTP/1.0\r\n\r\n")).status, 421);
}
