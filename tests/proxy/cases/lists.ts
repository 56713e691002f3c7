import { onionOf, type Case, type Group, type Sent, type Site } from "./case";

const REFUSED = "This action is not supported over Onion yet, sorry.\n";

/** What a list looks at, a request that is on it and one that is not. */
interface Subject {
  /** Name in a setting: `blockHost`, `hostBlacklist`. */
  readonly name: string;
  readonly exact: unknown;
  readonly expression: unknown;
  readonly on: Sent & { readonly sub?: string };
  readonly off: Sent & { readonly sub?: string };
}

const subjects = (domain: string): readonly Subject[] => {
  const onion = onionOf(domain);
  const header = (name: string, listed: string, other: string, expression: string): Subject => ({
    name: name === "User-Agent" ? "userAgent" : name.toLowerCase(),
    exact: listed,
    expression,
    on: { headers: { [name]: listed } },
    off: { headers: { [name]: other } },
  });
  return [
    header("User-Agent", "BadBot/1.0", "Mozilla/5.0", "^badbot"),
    header("Referer", "http://bad.invalid/x", "http://good.invalid/", "bad\\.invalid"),
    header("Origin", "http://bad.invalid", "http://good.invalid", "//BAD\\."),
    { name: "host", exact: `bad.${onion}`, expression: "^bad\\.", on: { sub: "bad." }, off: { sub: "good." } },
    {
      name: "path",
      exact: "/bad/a b",
      expression: "^/BAD/a b$",
      on: { path: "/bad/a%20b?x" },
      off: { path: "/bad/ab?/bad/a%20b" },
    },
    {
      name: "param",
      exact: { name: "act", value: "bad one" },
      expression: { name: "act", value: "^bad" },
      on: { path: "/x?y=1&act=bad%20one" },
      off: { path: "/x?act=good&other=bad%20one" },
    },
  ];
};

type Verdict = "served" | "refused" | "aborted";
const verdicts: Record<Verdict, Partial<Case>> = {
  served: { get: { status: 200 }, asked: {} },
  refused: { get: { status: 403, body: REFUSED, headers: { "Content-Type": /^text\/plain/ } }, asked: null },
  aborted: { get: { status: 500 }, asked: null },
};

const sites: Site[] = [];
const cases: Case[] = [];

/** A site with one list and two requests to it. */
function listed(setting: string, subject: Subject, value: unknown, [on, off]: readonly [Verdict, Verdict]): void {
  const domain = `${setting.toLowerCase()}.example.com`;
  sites.push({ domain, [setting]: [value] });
  const one = (sent: Subject["on"], verdict: Verdict, what: string): Case => {
    const { sub, ...send } = sent;
    return {
      name: `${setting}: ${what}: ${verdict}`,
      site: domain,
      send,
      ...(sub ? { sub } : {}),
      ...verdicts[verdict],
    };
  };
  cases.push(one(subject.on, on, "listed"), one(subject.off, off, "not listed"));
}

for (const kind of ["block", "Blacklist", "Whitelist"] as const) {
  for (const re of ["", "Re"] as const) {
    for (const { name } of subjects("x.invalid")) {
      const setting =
        kind === "block" ? `block${name.charAt(0).toUpperCase()}${name.slice(1)}${re}` : `${name}${kind}${re}`;
      const subject = subjects(`${setting.toLowerCase()}.example.com`).find((each) => each.name === name);
      if (!subject) continue;
      const value = re ? subject.expression : subject.exact;
      const wanted = {
        block: ["refused", "served"],
        Blacklist: ["aborted", "served"],
        Whitelist: ["served", "aborted"],
      } as const;
      listed(setting, subject, value, wanted[kind]);
    }
  }
}

const SEVERAL = "several.example.com";
const CUSTOM = "custom.example.com";
const CLOSES = "closes.example.com";
const BOTH = "both.example.com";

export const lists: Group = {
  title: "lists",
  sites: [
    ...sites,
    { domain: "location.example.com", blockLocation: ["/old"], blockLocationRe: ["\\.cgi$"] },
    {
      domain: SEVERAL,
      hostWhitelist: [onionOf(SEVERAL)],
      pathWhitelistRe: ["^/open", "^/also"],
      userAgentBlacklistRe: ["^$"],
    },
    {
      domain: CUSTOM,
      blockPath: ["/no"],
      blockErr: 'Not here.\nReally "not" $host \\ <b>ü</b>',
      pathBlacklist: ["/never"],
      nginxActionAbort: 404,
    },
    { domain: CLOSES, pathBlacklist: ["/close"], nginxActionAbort: 444 },
    { domain: BOTH, blockPathRe: ["^/x"], pathBlacklist: ["/x"] },
  ],
  cases: [
    ...cases,
    { name: "blockLocation", site: "location.example.com", send: { path: "/old" }, ...verdicts.refused },
    { name: "blockLocationRe", site: "location.example.com", send: { path: "/a.CGI" }, ...verdicts.refused },
    {
      name: "two whitelists and a blacklist: passes all",
      site: SEVERAL,
      send: { path: "/open/x", headers: { "User-Agent": "a" } },
      ...verdicts.served,
    },
    {
      name: "two whitelists: fails one",
      site: SEVERAL,
      send: { path: "/shut", headers: { "User-Agent": "a" } },
      ...verdicts.aborted,
    },
    {
      name: "two whitelists: fails the other",
      site: SEVERAL,
      sub: "a.",
      send: { path: "/open", headers: { "User-Agent": "a" } },
      ...verdicts.aborted,
    },
    {
      name: "a whitelist's second entry",
      site: SEVERAL,
      send: { path: "/also", headers: { "User-Agent": "a" } },
      ...verdicts.served,
    },
    { name: "an absent header is an empty text: ^$", site: SEVERAL, send: { path: "/open" }, ...verdicts.aborted },
    {
      name: "hello-onion is before the whitelists",
      site: SEVERAL,
      send: { path: "/hello-onion", headers: { "User-Agent": "a" } },
      get: { status: 200, body: /hello/i },
      asked: null,
    },
    {
      name: "blockErr is a text of one's own",
      site: CUSTOM,
      send: { path: "/no" },
      get: { status: 403, body: 'Not here.\nReally "not" $host \\ <b>ü</b>\n' },
      asked: null,
    },
    { name: "nginxActionAbort 404", site: CUSTOM, send: { path: "/never" }, get: { status: 404 }, asked: null },
    {
      name: "nginxActionAbort 444: the connection ends without a word",
      site: CLOSES,
      run: async ({ proxy, kind, request }) => {
        const wire = await proxy.open(kind);
        wire.write(request({ path: "/close" }));
        await wire.until((_, ended) => ended || undefined);
        if (wire.received.length > 0) throw new Error(wire.received.toString());
      },
    },
    { name: "a blacklist comes before a block", site: BOTH, send: { path: "/x" }, ...verdicts.aborted },
    { name: "a block that no blacklist has", site: BOTH, send: { path: "/xy" }, ...verdicts.refused },
    {
      name: "more than 100 parameters, the last one listed",
      site: "blockparam.example.com",
      send: { path: `/?${"a=b&".repeat(150)}act=bad+one` },
      ...verdicts.refused,
    },
    {
      name: "a parameter twice, the second listed",
      site: "blockparam.example.com",
      send: { path: "/?act=x&act=bad%20one" },
      ...verdicts.refused,
    },
    {
      name: "HEAD of what is refused has no body",
      site: CUSTOM,
      send: { path: "/no", method: "HEAD" },
      get: { status: 403, body: "" },
      asked: null,
    },
  ],
};
