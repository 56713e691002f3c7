import { joined } from "../http";
import { NET, O, OTLS, TLS, WWW, head, html, onionOf, type Case, type Group } from "./case";

const PAGES = "pages.example.com";
const PAGES_TLS = "pages-tls.example.com";
const NOHELLO = "nohello.example.com";
const GETS = "gets.example.com";
const TOR2WEB = "tor2web.example.com";
const LOCKED = "locked.example.com";
const MOVED = "moved.example.com";
const BOTH_WAYS = "bothways.example.com";
const P = onionOf(PAGES_TLS);
const M = onionOf(MOVED);

const own = (
  name: string,
  [site, path]: readonly [site: string, path: string],
  body: string | RegExp,
  more: Partial<Case> = {},
): Case => ({
  name,
  site,
  send: { path },
  get: { status: 200, body, headers: { "Content-Type": /^text\/plain/ } },
  asked: null,
  ...more,
});

const upgraded = (name: string, path: string, more: Partial<Case> = {}): Case => ({
  name: `forceHttps: ${name}`,
  site: TLS,
  on: "http",
  send: { path },
  get: { status: 307, headers: { Location: `https://${OTLS}${path}` } },
  asked: null,
  ...more,
});

const moved = (name: string, path: string, status: number, location: string): Case => ({
  name: `redirect: ${name}`,
  site: MOVED,
  send: { path },
  get: { status, headers: { Location: location } },
  asked: null,
});

const locked = (name: string, path: string, cookie: string | null, status: number): Case => ({
  name: `cookieLock: ${name}`,
  site: LOCKED,
  send: { path, ...(cookie === null ? {} : { headers: { Cookie: cookie } }) },
  get: { status },
  asked: status === 200 ? {} : null,
});

export const endpoints: Group = {
  title: "endpoints",
  sites: [
    {
      domain: PAGES,
      sslProof: [{ path: "/.well-known/pki/", text: 'proof $host \\ "q"' }],
      hardcodedEndpoint: [{ path: "^/status$", text: `ok www.example.org\n` }],
    },
    {
      domain: PAGES_TLS,
      onionTls: "selfSigned",
      sslProof: [{ path: "/.well-known/pki/", text: "proof" }],
      hardcodedEndpoint: [{ path: "^/status$", text: "ok" }],
    },
    { domain: NOHELLO, nginxHelloOnion: false },
    { domain: GETS, suppressMethodsExceptGet: true },
    { domain: TOR2WEB, suppressTor2web: false },
    { domain: LOCKED, cookieLock: "/open-sesame" },
    { domain: BOTH_WAYS, onionTls: "selfSigned", forceHttps: false },
    {
      domain: MOVED,
      redirectHost: [{ match: "^join\\.", code: 302, to: `https://${WWW}` }],
      redirectPath: [{ match: "^/old/", code: 301, to: `https://${NET}/archive` }],
      redirectFixedHost: [{ match: "^fixed\\.", code: 308, to: "https://example.org/fixed?a=b" }],
      redirectFixedPath: [
        { match: "^/gone$", code: 303, to: `https://${MOVED}/` },
        { match: "^/GONE-too", code: 307, to: "https://elsewhere.invalid/" },
      ],
    },
  ],
  cases: [
    own("hello-onion", [WWW, "/hello-onion"], /hello/i),
    own("hello-onion/", [WWW, "/hello-onion/"], /hello/i),
    own("hello_onion", [WWW, "/hello_onion?x=y"], /hello/i),
    own("hello-onion over TLS", [TLS, "/hello-onion/"], /hello/i),
    {
      name: "hello-onion with more behind it is the origin's",
      send: { path: "/hello-onion/x" },
      asked: { line: "GET /hello-onion/x" },
    },
    {
      name: "hello-onion, switched off, is the origin's",
      site: NOHELLO,
      send: { path: "/hello-onion" },
      asked: { line: "GET /hello-onion" },
    },
    own("sslProof", [PAGES, "/.well-known/pki/abc"], 'proof $host \\ "q"'),
    own("sslProof over TLS", [PAGES_TLS, "/.well-known/pki/abc"], "proof"),
    own("sslProof on the plain socket comes before forceHttps", [PAGES_TLS, "/.well-known/pki/abc"], "proof", {
      on: "http",
    }),
    own("hardcodedEndpoint is not rewritten", [PAGES, "/status"], "ok www.example.org\n"),
    own("hardcodedEndpoint over TLS", [PAGES_TLS, "/STATUS"], "ok"),
    {
      name: "hardcodedEndpoint: another path is the origin's",
      site: PAGES,
      send: { path: "/status/x" },
      asked: { line: "GET /status/x" },
    },
    {
      name: "hardcodedEndpoint on the plain socket of a site with TLS goes to https",
      site: PAGES_TLS,
      on: "http",
      send: { path: "/status" },
      get: { status: 307, headers: { Location: `https://${P}/status` } },
      asked: null,
    },
    upgraded("a path with its query", "/a%20b?c=d&e=%2F"),
    upgraded("the root", "/"),
    upgraded("a sub-host", "/x", { sub: "a_b.", get: { status: 307, headers: { Location: `https://a_b.${OTLS}/x` } } }),
    upgraded("a POST", "/x", { send: { method: "POST", path: "/x", body: "a" } }),
    upgraded("what names an onion stays as it came", `/?u=http://${O}/`),
    {
      name: "forceHttps false: both sockets serve",
      site: BOTH_WAYS,
      on: "http",
      asked: { headers: { Host: BOTH_WAYS } },
    },
    { name: "forceHttps false: and https", site: BOTH_WAYS, asked: { headers: { Host: BOTH_WAYS } } },
    ...["POST", "PUT", "DELETE", "PATCH", "OPTIONS"].map((method): Case => ({
      name: `suppressMethodsExceptGet: ${method}`,
      site: GETS,
      send: { method, body: "" },
      get: { status: 405, headers: { Allow: "GET, HEAD" } },
      asked: null,
    })),
    ...["GET", "HEAD"].map((method): Case => ({
      name: `suppressMethodsExceptGet: ${method}`,
      site: GETS,
      send: { method },
      asked: {},
    })),
    {
      name: "tor2web",
      send: { headers: { "X-Tor2Web": "1" } },
      get: { status: 403, body: /not supported/ },
      asked: null,
    },
    {
      name: "tor2web, allowed, is not told to the origin",
      site: TOR2WEB,
      send: { headers: { "X-Tor2Web": "1" } },
      asked: { headers: { "X-Tor2Web": null } },
    },
    locked("without the cookie", "/", null, 500),
    locked("with another one", "/", "softmap_lock=no", 500),
    locked("with one that begins like it", "/", "a=softmap_lock=%2Fopen-sesame", 500),
    {
      name: "cookieLock: its path opens",
      site: LOCKED,
      run: async ({ rig, proxy, id, kind, request }) => {
        const opened = await proxy.request(kind, request({ path: "/open-sesame" }));
        const cookie = joined(opened.headers, "Set-Cookie") ?? "";
        if (opened.status !== 302 || !/HttpOnly/.test(cookie) || /Domain|Secure/.test(cookie))
          throw new Error(`${opened.line} ${cookie}`);
        const served = await proxy.request(kind, request({ headers: { Cookie: `x=y; ${cookie.split(";")[0]}` } }));
        const [asked, more] = rig.origin.seen(id);
        if (served.status !== 200 || more) throw new Error(served.line);
        if (joined(asked?.headers ?? [], "Cookie") !== "x=y") throw new Error("the lock's cookie went up");
      },
    },
    {
      name: "cookieLock: hello-onion needs no cookie",
      site: LOCKED,
      send: { path: "/hello-onion" },
      get: { status: 200 },
      asked: null,
    },
    {
      ...moved(
        "by host, the request's URI appended, not rewritten to the onion",
        "/a?b=c",
        302,
        `https://${WWW}/a?b=c`,
      ),
      sub: "join.",
    },
    moved("by path", "/old/a?b", 301, `https://${NET}/archive/old/a?b`),
    { ...moved("fixed by host", "/a?b=c", 308, "https://example.org/fixed?a=b"), sub: "fixed." },
    moved("fixed by path, to the site's own domain", "/gone?x", 303, `https://${MOVED}/`),
    moved("fixed by path, other letters", "/gone-TOO/x", 307, "https://elsewhere.invalid/"),
    moved("by path on a decoded path", "/%6fld/a", 301, `https://${NET}/archive/%6fld/a`),
    {
      name: "redirect: no match is the origin's",
      site: MOVED,
      send: { path: "/older" },
      asked: { line: "GET /older" },
    },
    {
      name: "redirect: the origin's own are rewritten as always",
      site: MOVED,
      origin: [head("302 Found", { Location: `https://${MOVED}/x`, "Content-Length": "0" })],
      get: { status: 302, headers: { Location: `http://${M}/x` } },
    },
    ...(["X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Charset"] as const).map((name): Case => ({
      name: `T6: ${name} of the origin is not obeyed`,
      origin: html(WWW, {
        [name]: name === "X-Accel-Redirect" ? "/hello-onion/" : name === "X-Accel-Limit-Rate" ? "1" : "utf-16",
      }),
      get: { status: 200, body: O, headers: { "Content-Type": "text/html" } },
    })),
    {
      name: "T6: X-Accel-Redirect to a location of this nginx",
      origin: html("a page", { "X-Accel-Redirect": "@unreachable" }),
      get: { status: 200, body: "a page" },
    },
  ],
};
