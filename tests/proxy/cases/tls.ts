import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { values } from "../http";
import {
  CDN,
  O,
  OCDN,
  OTLS,
  TLS,
  WWW,
  chunk,
  head,
  html,
  LAST_CHUNK,
  onionOf,
  type Case,
  type Group,
  type World,
} from "./case";
import { proxyLine } from "./check";

const OWN_CA = "ownca.example.com";
const MUTUAL = "mutual.example.com";
const PAGE = `<a href="https://${TLS}/">`;
const PAGE_TO = `<a href="https://${OTLS}/">`;

const refusedName = (name: string, sni: string, socket: "https" | "circuit https" = "https"): Case => ({
  name: `T11: SNI ${name} is refused`,
  run: async ({ proxy }) => {
    const proxyed = socket === "https" ? {} : { proxy: proxyLine(3) };
    const wire = await proxy.open(socket, { tls: sni, ...proxyed }).catch((error: unknown) => String(error));
    if (typeof wire !== "string") throw new Error("there is a TLS connection");
    if (!/unrecognized|alert|closed/i.test(wire)) throw new Error(wire);
  },
});

/** A TLS connection of the site with what node says of it. */
async function secure(
  { proxy, host }: World,
  options: { alpn?: string[]; maxVersion?: "TLSv1.1" | "TLSv1.2" } = {},
): Promise<TLSSocket> {
  const socket = connectTls({
    socket: connectTcp(proxy.socket("https")),
    servername: host,
    rejectUnauthorized: false,
    ...(options.alpn ? { ALPNProtocols: options.alpn } : {}),
    ...(options.maxVersion
      ? { maxVersion: options.maxVersion, minVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }
      : {}),
  });
  await new Promise<void>((done, failed) => socket.once("secureConnect", done).once("error", failed));
  return socket;
}

/** One request of HTTP/2. */
async function http2(world: World, path: string): Promise<{ headers: Record<string, unknown>; body: string }> {
  const socket = await secure(world, { alpn: ["h2"] });
  const session = connectHttp2(`https://${world.host}`, { createConnection: () => socket });
  const stream = session.request({
    ":path": path,
    ":authority": world.host,
    "x-case": world.id,
    cookie: ["a=b", "c=d"],
  });
  let headers: Record<string, unknown> = {};
  let body = "";
  stream.on("response", (got) => (headers = { ...got }));
  await new Promise<void>((done, failed) => {
    stream.on("data", (data: Buffer) => (body += data.toString()));
    stream.on("end", done).on("error", failed);
  });
  session.destroy();
  return { headers, body };
}

const overHttp2 = (
  name: string,
  origin: Case["origin"] & object,
  wanted: { status: number; body: string | RegExp },
  path = "/",
): Case => ({
  name: `HTTP/2: ${name}`,
  site: TLS,
  run: async (world) => {
    world.rig.origin.answer(world.id, origin);
    const { headers, body } = await http2(world, path);
    const fits = typeof wanted.body === "string" ? body === wanted.body : wanted.body.test(body);
    if (headers[":status"] !== wanted.status || !fits)
      throw new Error(`${JSON.stringify(headers)} ${body.slice(0, 500)}`);
    if (path === "/" && body.includes(TLS)) throw new Error("an unrewritten name");
  },
});

export const tls: Group = {
  title: "TLS",
  sites: [
    { domain: OWN_CA, nginxProxySslTrustedCertificate: "shared:other-ca.crt" },
    { domain: MUTUAL, upstreamCertificate: "shared:client.crt", upstreamCertificateKey: "shared:client.key" },
  ],
  cases: [
    refusedName("of nobody", "elsewhere.invalid"),
    refusedName("of the domain", TLS),
    refusedName("of a site without TLS", O),
    refusedName("of somebody else's onion", `${"b".repeat(56)}.onion`),
    refusedName("of nobody, with PROXY protocol", "elsewhere.invalid", "circuit https"),
    {
      name: "T11: the SNI of one site, the Host of nobody: 421",
      site: TLS,
      send: { host: "elsewhere.invalid" },
      get: { status: 421 },
      asked: null,
    },
    {
      name: "T11: the SNI of one site, the Host of the domain: 421",
      site: TLS,
      send: { host: TLS },
      get: { status: 421 },
      asked: null,
    },
    {
      name: "T11: a site without TLS on the TLS socket, with another's SNI: 421",
      site: TLS,
      send: { host: O },
      get: { status: 421 },
      asked: null,
    },
    {
      name: "the certificate is the site's, for its sub-hosts too",
      site: TLS,
      run: async (world) => {
        const socket = await secure(world);
        const { subjectaltname } = socket.getPeerCertificate();
        socket.destroy();
        if (subjectaltname !== `DNS:${OTLS}, DNS:*.${OTLS}`) throw new Error(subjectaltname);
      },
    },
    { name: "a sub-host over TLS", site: TLS, sub: "a.b.", asked: { headers: { Host: `a.b.${TLS}` } } },
    {
      name: "TLS 1.1 is refused",
      site: TLS,
      run: async (world) => {
        const refused = await secure(world, { maxVersion: "TLSv1.1" }).then(
          () => false,
          () => true,
        );
        if (!refused) throw new Error("TLS 1.1 was taken");
      },
    },
    {
      name: "plain HTTP on the TLS socket: 400",
      site: TLS,
      run: async ({ proxy, request }) => {
        const { status } = await proxy.request("https", request());
        if (status !== 400) throw new Error(String(status));
      },
    },
    overHttp2("a page is rewritten", html(PAGE), { status: 200, body: PAGE_TO }),
    overHttp2(
      "in chunks",
      [
        head("200 OK", { "Content-Type": "text/html", "Transfer-Encoding": "chunked" }),
        chunk(PAGE.slice(0, 20)),
        chunk(PAGE.slice(20)),
        LAST_CHUNK,
      ],
      { status: 200, body: PAGE_TO },
    ),
    overHttp2("a large page", html(PAGE.repeat(20_000)), { status: 200, body: PAGE_TO.repeat(20_000) }),
    overHttp2("a refusal", html(PAGE, { "Content-Encoding": "br" }), {
      status: 502,
      body: /^502: the origin compressed/,
    }),
    overHttp2("hello-onion", html(""), { status: 200, body: /hello/i }, "/hello-onion/"),
    {
      name: "HTTP/2: cookies in two fields go up as one",
      site: TLS,
      run: async (world) => {
        await http2(world, "/");
        const cookies = values(world.rig.origin.seen(world.id)[0]?.headers ?? [], "Cookie");
        if (JSON.stringify(cookies) !== '["a=b; c=d"]') throw new Error(JSON.stringify(cookies));
      },
    },
    {
      name: "an origin with the site's own authority",
      site: OWN_CA,
      sub: "otherca.",
      asked: { headers: { Host: `otherca.${OWN_CA}` } },
    },
    {
      name: "with the site's own authority, the others' count no more",
      site: OWN_CA,
      get: { status: 502 },
      asked: null,
    },
    {
      name: "a certificate of the site's own is shown to its origin",
      site: MUTUAL,
      asked: { check: ({ client }) => same(client, "softmap client") },
    },
    { name: "and to no other", asked: { check: ({ client }) => same(client, null) } },
    {
      name: "the name in TLS is the origin's own",
      site: TLS,
      sub: "x.",
      asked: { check: ({ name }) => same(name, `x.${TLS}`) },
    },
    {
      name: "Strict-Transport-Security of a site without TLS goes whatever it says",
      origin: html(PAGE, { "Strict-Transport-Security": "max-age=5" }),
      get: { headers: { "Strict-Transport-Security": null } },
    },
    ...[WWW, CDN].map((site): Case => ({
      name: `T1: kept connections of ${site} ask for no other name`,
      site,
      run: async ({ rig, proxy, kind, id }) => {
        const hosts = ["", "a.", "b."].flatMap((sub) => [`${sub}${site}`, `${sub}${TLS}`]);
        const onions = new Map([
          [WWW, O],
          [CDN, OCDN],
          [TLS, OTLS],
        ]);
        for (let turn = 0; turn < 3; turn++) {
          for (const host of hosts) {
            const domain = [...onions.keys()].find((each) => host.endsWith(each)) ?? "";
            const onion = `${host.slice(0, -domain.length)}${onions.get(domain) ?? onionOf(domain)}`;
            const socket = domain === TLS ? "https" : kind;
            const bytes = `GET /${host} HTTP/1.1\r\nHost: ${onion}\r\nX-Case: ${id}\r\n\r\n`;
            await proxy.request(socket, bytes, socket === "https" ? { tls: onion } : {});
          }
        }
        for (const { name, line, headers } of rig.origin.seen(id)) {
          const host = headers.find(([each]) => each === "Host")?.[1];
          if (name !== host || line !== `GET /${host} HTTP/1.1`)
            throw new Error(`${line} for ${host} on a connection to ${name}`);
        }
        if (rig.origin.seen(id).length !== 18) throw new Error("some did not arrive");
      },
    })),
  ],
};

function same(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`${JSON.stringify(got)} and not ${JSON.stringify(wanted)}`);
}
