import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LuaMatcher } from "./matcherKit";
import { reference, type Rules } from "./reference";

const A = `${"a".repeat(56)}.onion`;
const B = `${"b".repeat(56)}.onion`;
const hosts = [
  { from: "example.org", to: A },
  { from: "shop.example.org", to: B },
];
const keep = ["press.example.org", "info@example.org", "example.org/kept/"];
const texts = [{ from: 'integrity="sha', to: '_integrity="sha' }];
const asWritten: Rules = { hosts, keep, texts };
const plain: Rules = { hosts: hosts.map((host) => ({ ...host, scheme: "plain" as const })), keep };
const tls: Rules = { hosts: hosts.map((host) => ({ ...host, scheme: "tls" as const })) };
const back: Rules = {
  hosts: [
    { from: A, to: "example.org", scheme: "tls" },
    { from: B, to: "shop.example.org", scheme: "tls" },
  ],
};
const a = (dot: string) => A.replace(".", dot);
const r = String.raw;
/** Stays as it is. */
const same = (...all: string[]): [string, string][] => all.map((text) => [text, text]);

const table: [string, Rules, [string, string][]][] = [
  [
    "names",
    asWritten,
    [
      ["example.org", A],
      ["EXAMPLE.Org", A],
      ["shop.example.org", B],
      ["x.shop.example.org", `x.${B}`],
      ["xshop.example.org", `xshop.${A}`],
      ["a.b.example.org", `a.b.${A}`],
      [".example.org", `.${A}`],
      ["*.example.org", `*.${A}`],
      ["_x.example.org", `_x.${A}`],
      ["example.org example.org", `${A} ${A}`],
      ["example.org,shop.example.org", `${A},${B}`],
      ["example.org.example.org", `example.org.${A}`],
    ],
  ],
  [
    "spellings",
    asWritten,
    [
      [r`example\.org`, a("\\.")],
      [r`example\\.org`, a("\\\\.")],
      [r`example\\\.org`, a("\\\\\\.")],
      ["example%2eorg", a("%2e")],
      ["example%2Eorg", a("%2E")],
      ["example%252eorg", a("%252e")],
      [r`example\u002eorg`, a("\\u002e")],
      [r`example\u002Eorg`, a("\\u002E")],
      ...same(r`example\\\\.org`, "example-org", "example&#46;org", r`example\x2eorg`),
    ],
  ],
  [
    "look-alikes",
    asWritten,
    same(
      "notexample.org",
      "example.org.evil",
      "example.organic",
      "example.org-x",
      "-example.org",
      "_example.org",
      "example.org_",
      r`example.org\.evil`,
      "example.org%2eevil",
      r`example.org\u002eevil`,
      "%61example.org",
      r`\u0061example.org`,
      r`\x61example.org`,
      "%2561example.org",
    ),
  ],
  [
    "right",
    asWritten,
    [
      ["example.org.", `${A}.`],
      ["example.org. Next", `${A}. Next`],
      ["example.org/x", `${A}/x`],
      ["example.org:8080", `${A}:8080`],
      [r`example.org\nx`, r`${A}\nx`],
      ["example.org%2fx", `${A}%2fx`],
      ["example.org..x", `${A}..x`],
      ["example.org\xe9", `${A}\xe9`],
    ],
  ],
  [
    "left",
    asWritten,
    [
      "%2F",
      "%252F",
      "%25252f",
      "\\u002f",
      "\\u003c",
      "\\x22",
      "\\n",
      "\\r",
      "\\t",
      "\\\\n",
      "\xe9",
      "&quot;",
      "%20",
      "\0",
      "//",
      "\\/\\/",
    ].map((front) => [`${front}example.org`, `${front}${A}`]),
  ],
  [
    "e-mail",
    asWritten,
    [
      ...same(
        "a@example.org",
        "a@shop.example.org",
        "a@x.y.example.org",
        "a%40example.org",
        r`a\u0040example.org`,
        "a&#64;example.org",
        "a&#x40;example.org",
        "a&commat;example.org",
        "mailto:a@example.org",
        "https://m.test/@a@example.org",
        "/a@example.org",
      ),
      ["//u@example.org", `//u@${A}`],
      ["//u:p@example.org", `//u:p@${A}`],
      [r`\/\/u@example.org`, r`\/\/u@${A}`],
      ["%2F%2Fu%40example.org", `%2F%2Fu%40${A}`],
    ],
  ],
  ["e-mails wanted", { ...asWritten, emails: true }, [["a@example.org", `a@${A}`], ...same("info@example.org")]],
  [
    "kept",
    asWritten,
    [
      ...same("press.example.org", "PRESS.example.org", "x.press.example.org", "example.org/kept/x"),
      ["xpress.example.org", `xpress.${A}`],
      ["press.example.org.example.org", `press.example.org.${A}`],
      ["example.org/other/", `${A}/other/`],
    ],
  ],
  [
    "texts",
    asWritten,
    [
      ['<x integrity="sha256-', '<x _integrity="sha256-'],
      ['INTEGRITY="SHA', '_integrity="sha'],
      ...same('integrity="md5'),
    ],
  ],
  [
    "https to http",
    plain,
    [
      ["https://example.org/", `http://${A}/`],
      ["HTTPS://example.org", `HTTP://${A}`],
      ["wss://a.example.org", `ws://a.${A}`],
      ["https://*.example.org", `http://*.${A}`],
      ["https://{s}.example.org", `http://{s}.${A}`],
      ["`https://${zone}.tiles.example.org/`", `\`http://\${zone}.tiles.${A}/\``],
      [r`https:\/\/example.org`, r`http:\/\/${A}`],
      [r`https:\\/\\/example.org`, r`http:\\/\\/${A}`],
      ["https%3A%2F%2Fexample.org", `http%3A%2F%2F${A}`],
      ["https%253a%252fexample.org", `https%253a%252f${A}`],
      ["https%253a%252f%252Fexample.org", `http%253a%252f%252F${A}`],
      [r`https\u003a\u002f\u002fexample\u002eorg`, r`http\u003a\u002f\u002f${a("\\u002e")}`],
      [r`https\x3a\x2f\x2fexample.org`, r`http\x3a\x2f\x2f${A}`],
      ["https://u:p@example.org", `http://u:p@${A}`],
      ["https://example.org:443/", `http://${A}/`],
      ["https://example.org:4433", `http://${A}:4433`],
      ["https%3A%2F%2Fexample.org%3A443%2F", `http%3A%2F%2F${A}%2F`],
      ["example.org:443", `${A}:443`],
      ["http://example.org:443", `http://${A}:443`],
      ["xhttps://example.org", `xhttps://${A}`],
      ["%61https://example.org", `%61https://${A}`],
      [r`\nhttps://example.org`, r`\nhttp://${A}`],
      ["//example.org", `//${A}`],
      ["https:/example.org", `https:/${A}`],
      ...same("https://press.example.org", "https://other.test", "https://example.org.evil"),
    ],
  ],
  [
    "http to https",
    tls,
    [
      ["http://example.org:80/", `https://${A}/`],
      ["HTTP://example.org", `HTTPS://${A}`],
      ["ws://example.org", `wss://${A}`],
      ["https://example.org:443", `https://${A}:443`],
      ["http://example.org:8080", `https://${A}:8080`],
      ["news://example.org", `news://${A}`],
    ],
  ],
  [
    "back",
    back,
    [
      [`http://x.${A}/`, "https://x.example.org/"],
      [`http%3A%2F%2F${B.replace(".", "%2E")}`, "https%3A%2F%2Fshop%2Eexample%2Eorg"],
      [`"${A}"`, '"example.org"'],
      ...same(`x${A}`, `${A}.evil`, `${A}x`),
    ],
  ],
];

let lua: LuaMatcher;
before(async () => {
  lua = await LuaMatcher.start();
});
after(() => lua.stop());

for (const [title, rules, vectors] of table) {
  for (const [text, wanted] of vectors) {
    test(`${title}: ${JSON.stringify(text)}`, async () => {
      assert.equal(reference(rules, text, true), wanted, "the reference");
      assert.equal(await lua.all(rules, text, true), wanted, "whole");
      const ways = [[1], [2], [3, 1, 5], [7, 2], [1000]];
      for (const out of await lua.cut(rules, text, true, ways)) assert.equal(out, wanted, "in chunks");
    });
  }
}

test("literal texts are html's alone", async () => {
  assert.equal(await lua.all(asWritten, 'integrity="sha', false), 'integrity="sha');
});

test("nothing that is decided is held back", async () => {
  const event = "data: https://example.org\n\n";
  assert.deepEqual(await lua.feed(plain, [event, "data: exam", "x\n\n", "see https://exa", "mple.net/ "], false), [
    ...[`data: http://${A}\n\n`, "data: ", "examx\n\n", "see ", "https://example.net/ ", ""],
  ]);
});
