import { answer, html, onionOf, type Case, type Group, type Sent } from "./case";

const CACHED = "cached.example.com";
const C = onionOf(CACHED);
const SECOND = "seconduse.example.com";

/** Requests one after the other; how often the origin was asked, and what the last got. */
const asked = (
  name: string,
  sent: readonly Sent[],
  times: number,
  more: Partial<Case> & { body?: string } = {},
): Case => ({
  name,
  site: CACHED,
  run: async ({ rig, proxy, id, kind, request }) => {
    rig.origin.answer(id, more.origin ?? html(`https://${CACHED}/`));
    for (const each of sent) {
      const { body } = await proxy.request(kind, request({ ...each, path: `${each.path ?? "/"}?${id}` }));
      if (each.method !== "HEAD" && body.toString() !== (more.body ?? `http://${C}/`)) throw new Error(body.toString());
    }
    const seen = rig.origin.seen(id).length;
    if (seen !== times) throw new Error(`the origin was asked ${seen} times and not ${times}`);
  },
  ...(more.site ? { site: more.site } : {}),
  ...(more.sub ? { sub: more.sub } : {}),
});

const twice = [{}, {}];
const of = (headers: Record<string, string>) => ({ origin: html(`https://${CACHED}/`, headers) });

export const cache: Group = {
  title: "cache",
  sites: [
    {
      domain: CACHED,
      nginxCacheSeconds: 60,
      noCacheHost: [`never.${CACHED}`],
      noCacheContentType: ["application/json"],
    },
    { domain: SECOND, nginxCacheSeconds: 60, nginxCacheMinUses: 2 },
  ],
  cases: [
    asked("a second request is a hit, and rewritten", twice, 1),
    asked("HEAD is served from it", [{}, { method: "HEAD" }], 1),
    asked("a query is another page", [{ path: "/a" }, { path: "/b" }], 2),
    asked("a cookie asks the origin", [{}, { headers: { Cookie: "a=b" } }, { headers: { Cookie: "a=b" } }], 3),
    asked("what came to a cookie is for nobody else", [{ headers: { Cookie: "a=b" } }, {}], 2),
    asked("Authorization asks the origin", [{}, { headers: { Authorization: "Basic eDp5" } }], 2),
    asked("what came to an Authorization is for nobody else", [{ headers: { Authorization: "Basic eDp5" } }, {}], 2),
    asked("an answer with Set-Cookie is not kept", twice, 2, of({ "Set-Cookie": "a=b" })),
    asked("private", twice, 2, of({ "Cache-Control": "private" })),
    asked("no-store", twice, 2, of({ "Cache-Control": "no-store" })),
    asked(
      "POST",
      [
        { method: "POST", body: "" },
        { method: "POST", body: "" },
      ],
      2,
    ),
    asked("noCacheHost", twice, 2, { sub: "never." }),
    asked("another sub-host", twice, 1, { sub: "ever." }),
    asked("noCacheContentType", twice, 2, of({ "Content-Type": "application/json; charset=utf-8" })),
    asked(
      "Vary: User-Agent",
      [{ headers: { "User-Agent": "a" } }, { headers: { "User-Agent": "b" } }],
      2,
      of({ Vary: "User-Agent" }),
    ),
    asked("Vary: *", twice, 2, of({ Vary: "*" })),
    asked("500 is not kept", twice, 2, {
      origin: answer("500 Oops", { "Content-Type": "text/plain" }, "x"),
      body: "x",
    }),
    asked("404 is", twice, 1, { origin: answer("404 Not Found", { "Content-Type": "text/plain" }, "x"), body: "x" }),
    asked("a refusal is not shown to be a page", [{}], 1, {
      origin: answer("200 OK", { "Content-Type": "text/html", "Content-Encoding": "br" }, "x"),
      body: "502: the origin compressed its answer (br) although it was asked not to\n",
    }),
    asked("nginxCacheMinUses 2: the third is a hit", [{}, {}, {}], 2, { site: SECOND, origin: html("x"), body: "x" }),
    {
      name: "without nginxCacheSeconds nothing is kept",
      run: async ({ rig, proxy, id, kind, request }) => {
        for (const _ of twice) await proxy.request(kind, request());
        if (rig.origin.seen(id).length !== 2) throw new Error("it was kept");
      },
    },
    {
      name: "a hit on a blacklisted request: the lists come first",
      site: CACHED,
      send: { headers: { "X-Tor2Web": "1" } },
      get: { status: 403 },
      asked: null,
    },
  ],
};
