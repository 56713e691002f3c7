import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { LuaMatcher } from "./matcherKit";
import { reference, type Rules } from "./reference";

const ONION = `${"a".repeat(55)}d.onion`;
const SHOP = `${"b".repeat(55)}d.onion`;
const NAMES = ["example.org", "shop.example.org", "t.co"];
const rulesOf = (scheme: "plain" | "tls" | undefined, emails: boolean): Rules => ({
  hosts: NAMES.map((from, k) => ({ from, to: k === 1 ? SHOP : ONION, ...(scheme && { scheme }) })),
  keep: ["press.example.org", "info@example.org", "example.org/kept/"],
  texts: [{ from: 'integrity="sha', to: '_integrity="sha' }],
  emails,
});

let lua: LuaMatcher;
before(async () => {
  lua = await LuaMatcher.start();
});
after(() => lua.stop());

const slash = ["/", "\\/", "\\\\/", "\\\\\\/", "%2F", "%252f", "\\u002f", "\\x2F"];
const colon = [":", "%3A", "%253a", "\\u003A", "\\x3a"];
const dot = [".", "\\.", "\\\\.", "\\\\\\.", "%2e", "%252E", "\\u002E", "\\\\\\\\."];
const part = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...NAMES, "press.example.org"), fc.constantFrom(...dot))
      .map(([n, d]) => n.split(".").join(d)),
  },
  fc.constantFrom(
    "notexample.org",
    "EXAMPLE.org",
    "example.organic",
    "info@example.org",
    "example.org/kept/",
    "exam",
    'integrity="sha',
  ),
  fc
    .tuple(
      fc.constantFrom("https", "http", "wss", "WS", "HTTPS", "xhttps"),
      fc.constantFrom(...colon),
      fc.constantFrom(...slash),
      fc.constantFrom(...slash),
    )
    .map((all) => all.join("")),
  fc.constantFrom(...slash, ...colon, ...dot),
  fc.constantFrom(
    "@",
    "%40",
    "\\u0040",
    "&#64;",
    "&#X40;",
    "&commat;",
    "user@",
    "u:p@",
    "*.",
    "a.b.",
    "{s}.",
    "${x}.",
    "www.",
    "x",
    "-",
    "_",
    "5",
  ),
  fc.constantFrom(
    ":443",
    ":80",
    ":4433",
    "%3A443",
    "\\u003a80",
    "%",
    "%2",
    "%25",
    "\\",
    "\\u",
    "\\u00",
    "\\n",
    "\\t",
    "\\xe9",
    "%61",
    "%2525252525",
    "\n",
    " ",
    '"',
    ",",
    "<",
    "é",
    "\0",
  ),
  fc.string({ maxLength: 3 }).map((text) => Buffer.from(text).toString("latin1")),
  fc.constantFrom("a".repeat(130), "a.".repeat(190), "\\u0061".repeat(70)),
);
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

test("random documents: the matcher is the reference, however the text is cut", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 14 }).map((parts) => parts.join("")),
      fc.record({
        scheme: fc.constantFrom("plain" as const, "tls" as const, undefined),
        emails: fc.boolean(),
        html: fc.boolean(),
      }),
      sizes,
      async (text, { scheme, emails, html }, random) => {
        const rules = rulesOf(scheme, emails);
        const expected = reference(rules, text, html);
        assert.equal(await lua.all(rules, text, html), expected, "whole");
        const cut = await lua.cut(rules, text, html, [[1], random, [65536]]);
        for (const out of cut) assert.equal(out, expected, "cut");
      },
    ),
    { numRuns: Number(process.env["RUNS"] ?? 1500) },
  );
});
