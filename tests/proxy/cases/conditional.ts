import { joined } from "../http";
import { O, WWW, answer, head, html, type Case, type Group, type World } from "./case";

const PAGE = `<a href="https://${WWW}/">`;

/** The tag that a page of the site carries for the origin's. */
async function tagOf({ rig, proxy, kind, request, id }: World, tag: string): Promise<string> {
  rig.origin.answer(id, html(PAGE, { ETag: tag }));
  return joined((await proxy.request(kind, request())).headers, "ETag") ?? "";
}

/** A reader comes back with a page's tag, in a header that asks for it. */
const comesBack = (
  header: string,
  from: string,
  more: { around?: (tag: string) => string; to?: string } = {},
): Case => ({
  name: `${header} with the tag of a page, ${from}${more.to ? ` as ${more.to}` : ""}`,
  run: async (world) => {
    const { rig, proxy, kind, request, id } = world;
    const tag = await tagOf(world, from);
    const given = more.around ? more.around(tag) : tag;
    rig.origin.answer(id, [head("304 Not Modified", { ETag: from, "Content-Type": "text/html" })]);
    const again = await proxy.request(kind, request({ headers: { [header]: given } }));
    const asked = joined(rig.origin.seen(id)[1]?.headers ?? [], header);
    if (asked !== (more.to ?? from)) throw new Error(`the origin was asked with ${header}: ${asked}`);
    if (again.status !== 304) throw new Error(`${again.status}`);
    const answered = joined(again.headers, "ETag");
    if (answered !== tag) throw new Error(`ETag ${answered} of 304, ${tag} of the page`);
  },
});

const tagged = (name: string, type: string, from: string, to: RegExp): Case => ({
  name: `ETag: ${name}`,
  origin: html(PAGE, { "Content-Type": type, ETag: from }),
  get: { headers: { ETag: to } },
});

const range = (name: string, type: string, origin: Case["origin"] & object, get: Case["get"] & object): Case => ({
  name: `T9: ${name} (${type})`,
  send: { headers: { Range: "bytes=0-3" } },
  origin,
  get,
});
const part = (type: string) =>
  answer("206 Partial Content", { "Content-Type": type, "Content-Range": "bytes 0-3/100" }, "part");

export const conditional: Group = {
  title: "conditional requests and ranges",
  cases: [
    tagged("of a page has the mapping's mark", "text/html", '"abc"', /^"abc-sm[0-9a-f]+"$/),
    tagged("weak", "text/html", 'W/"abc"', /^W\/"abc-sm[0-9a-f]+"$/),
    tagged("empty", "text/html", '""', /^"-sm[0-9a-f]+"$/),
    tagged("of an image is the origin's", "image/png", '"abc"', /^"abc"$/),
    tagged("without quotes", "text/html", "abc", /^(abc(-sm[0-9a-f]+)?|\(none\))$/),
    comesBack("If-None-Match", '"abc"'),
    comesBack("If-None-Match", 'W/"abc"'),
    comesBack("If-None-Match", '"abc"', { around: (tag) => `"x", ${tag}, W/"y"`, to: '"x", "abc", W/"y"' }),
    comesBack("If-Match", '"abc"'),
    comesBack("If-Range", '"abc"'),
    {
      name: "If-None-Match with the mark of another mapping is not asked about",
      send: { headers: { "If-None-Match": '"abc-sm00000000"' } },
      asked: { headers: { "If-None-Match": null } },
    },
    {
      name: "If-None-Match *",
      send: { headers: { "If-None-Match": "*" } },
      asked: { headers: { "If-None-Match": "*" } },
    },
    {
      name: "If-None-Match of an image goes up as it is, and 304 comes back with its tag",
      send: { headers: { "If-None-Match": '"img"' } },
      origin: [head("304 Not Modified", { ETag: '"img"' })],
      get: { status: 304, headers: { ETag: '"img"' } },
      asked: { headers: { "If-None-Match": '"img"' } },
    },
    {
      name: "If-Modified-Since goes up",
      send: { headers: { "If-Modified-Since": "Tue, 24 Nov 2026 12:00:00 GMT" } },
      asked: { headers: { "If-Modified-Since": "Tue, 24 Nov 2026 12:00:00 GMT" } },
    },
    {
      name: "412 of If-Match",
      send: { headers: { "If-Match": '"x"' } },
      origin: answer("412 Precondition Failed", { "Content-Type": "text/html" }, PAGE),
      get: { status: 412, body: `<a href="http://${O}/">` },
    },
    range("a part of an image is passed on", "image/png", part("image/png"), {
      status: 206,
      headers: { "Content-Range": "bytes 0-3/100", "Content-Length": "4" },
      body: "part",
    }),
    range("a part of a video is passed on", "video/mp4", part("video/mp4"), { status: 206, body: "part" }),
    ...["text/html", "application/json", "text/css", "application/dash+xml"].map((type) =>
      range("a part of what is rewritten as a whole is refused", type, part(type), {
        status: 502,
        headers: { "Content-Range": null, "Content-Type": /^text\/plain/ },
        body: /^502: .*part/,
      }),
    ),
    range("several parts at once of a page", "multipart/byteranges", part("multipart/byteranges; boundary=x"), {
      status: 502,
    }),
    range(
      "416 is passed on",
      "image/png",
      answer("416 Range Not Satisfiable", { "Content-Type": "image/png", "Content-Range": "bytes */100" }),
      {
        status: 416,
        headers: { "Content-Range": "bytes */100" },
      },
    ),
    range("a page as a whole is rewritten as always", "text/html", html(PAGE), { body: `<a href="http://${O}/">` }),
  ],
};
