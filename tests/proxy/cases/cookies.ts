import { NET, O, ONET, OTLS, TLS, WWW, answer, type Case, type Group } from "./case";

type Row = readonly [name: string, from: string | readonly string[], to: string | readonly string[]];

// Over plain http: neither Secure nor what needs it.
const plain: readonly Row[] = [
  ["no attribute", "a=b", "a=b"],
  ["path and age", "a=b; Path=/x; Max-Age=5; HttpOnly", "a=b; Path=/x; Max-Age=5; HttpOnly"],
  ["the site's domain", `a=b; Domain=${WWW}`, `a=b; Domain=${O}`],
  ["the domain with its old dot", `a=b; Domain=.${WWW}; Path=/`, `a=b; Domain=${O}; Path=/`],
  ["a parent's domain", "a=b; Domain=example.org", `a=b; Domain=${O}`],
  ["a parent's domain with a dot", "a=b; Domain=.example.org", `a=b; Domain=${O}`],
  ["upper case", "a=b; DOMAIN=WWW.EXAMPLE.ORG", `a=b; Domain=${O}`],
  ["a name below", `a=b; Domain=x.${WWW}`, `a=b; Domain=x.${O}`],
  ["another site", `a=b; Domain=${NET}`, `a=b; Domain=${ONET}`],
  ["a foreign domain", "a=b; Domain=elsewhere.invalid", "a=b; Domain=elsewhere.invalid"],
  ["Secure", "a=b; Secure; Path=/", "a=b; Path=/"],
  ["secure in small letters, at the end", "a=b; Path=/; secure", "a=b; Path=/"],
  ["SameSite=None", "a=b; SameSite=None; Secure", "a=b"],
  ["SameSite=Lax", "a=b; SameSite=Lax", "a=b; SameSite=Lax"],
  ["SameSite=Strict", "a=b; SameSite=Strict; Secure", "a=b; SameSite=Strict"],
  ["a value that names the domain", `a=${WWW}; Path=/`, `a=${WWW}; Path=/`],
  ["a value called secure", "Secure=1; Path=/", "Secure=1; Path=/"],
  ["an equals sign in the value", "a=b=c; Path=/", "a=b=c; Path=/"],
  ["a date with a comma", "a=b; Expires=Wed, 25 Nov 2026 10:00:00 GMT", "a=b; Expires=Wed, 25 Nov 2026 10:00:00 GMT"],
  ["several", [`a=b; Domain=${WWW}; Secure`, "c=d; HttpOnly"], [`a=b; Domain=${O}`, "c=d; HttpOnly"]],
  ["an empty value", "a=; Max-Age=0", "a=; Max-Age=0"],
];

const overTls: readonly Row[] = [
  ["Secure", "a=b; Secure; Path=/", "a=b; Secure; Path=/"],
  ["SameSite=None", "a=b; SameSite=None; Secure", "a=b; SameSite=None; Secure"],
  ["__Host-", "__Host-a=b; Secure; Path=/", "__Host-a=b; Secure; Path=/"],
  ["__Secure-", `__Secure-a=b; Secure; Domain=${TLS}`, `__Secure-a=b; Secure; Domain=${OTLS}`],
  ["a parent's domain", "a=b; Domain=example.org; Secure", `a=b; Domain=${OTLS}; Secure`],
];

const rowCase =
  (site: string) =>
  ([name, from, to]: Row): Case => ({
    name: `${site === TLS ? "TLS" : "plain"}: ${name}`,
    site,
    origin: answer("200 OK", { "Content-Type": "image/png", "Set-Cookie": from }),
    get: { headers: { "Set-Cookie": [to].flat() } },
  });

/** Browsers take these names over TLS alone: they go by another, and come back by their own. */
const renamed = (prefix: string): Case => ({
  name: `plain: ${prefix} goes by another name, and comes back by its own`,
  run: async ({ rig, proxy, id, request, kind }) => {
    rig.origin.answer(id, answer("200 OK", { "Set-Cookie": `${prefix}a=b; Path=/; Secure` }));
    const first = await proxy.request(kind, request());
    const [cookie = ""] = first.headers
      .filter(([name]) => name.toLowerCase() === "set-cookie")
      .map(([, value]) => value);
    const [pair = ""] = cookie.split(";");
    if (!pair.endsWith("a=b") || /^__|Secure *(;|$)/i.test(cookie)) throw new Error(`Set-Cookie: ${cookie}`);
    await proxy.request(kind, request({ headers: { Cookie: `x=y; ${pair}; z=1` } }));
    const back = rig.origin.seen(id)[1]?.headers.find(([name]) => name.toLowerCase() === "cookie")?.[1];
    if (back !== `x=y; ${prefix}a=b; z=1`) throw new Error(`Cookie: ${back}`);
  },
});

const upward = (name: string, from: string, to: string | null, site = WWW): Case => ({
  name: `to the origin: ${name}`,
  site,
  send: { headers: { Cookie: from } },
  asked: { headers: { Cookie: to } },
});

export const cookies: Group = {
  title: "cookies",
  cases: [
    ...plain.map(rowCase(WWW)),
    ...overTls.map(rowCase(TLS)),
    renamed("__Host-"),
    renamed("__Secure-"),
    upward("one", "a=b", "a=b"),
    upward("several", "a=b; c=d", "a=b; c=d"),
    upward("a value that names the onion", `a=http://${O}/; c=d`, `a=https://${WWW}/; c=d`),
    upward("a value that names it in a query's letters", `a=http%3A%2F%2F${O}%2F`, `a=https%3A%2F%2F${WWW}%2F`),
    upward("a foreign onion", `a=${"b".repeat(56)}.onion`, `a=${"b".repeat(56)}.onion`),
    upward("__Host- over TLS", "__Host-a=b", "__Host-a=b", TLS),
  ],
};
