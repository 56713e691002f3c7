import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bare, keysOf } from "./kit";
import { readConfig } from "./read";

const a = keysOf("a");
const b = keysOf("b");
const read = (text: string, { template = true, env = {}, prefix = "" } = {}) =>
  readConfig({ file: "x.tconf", text }, prefix === "" ? undefined : { file: "site.conf", text: prefix }, {
    template,
    env,
  });
const says = (text: string, options = {}): string[] =>
  read(text, options).faults.map(({ file, line, what, why }) => `${file}:${line} ${what} | ${why}`);

test("projects, maps and settings as Onionspray reads them", () => {
  const { projects, settings, foreign, faults } = read(`
    # a comment
    set FORCE_HTTPS 0
    softmap ${a.address} example.org CDN static.eu cdn x.example.org
    set project news
    hardmap secrets.d/${bare(b)}.v3sec.key example.com
    softmap %NEW_V3_ONION% example.net
    foreignmap ${bare(b)} other.example
    set project empty
  `);
  assert.deepEqual(faults, []);
  const sites = projects.map(({ name, maps }) => [name, maps.map(({ kind, onion, domain }) => [kind, onion, domain])]);
  assert.deepEqual(sites, [
    ["default", [["softmap", a.address, "example.org"]]],
    [
      "news",
      [
        ["hardmap", b.address, "example.com"],
        ["softmap", undefined, "example.net"],
      ],
    ],
  ]);
  assert.deepEqual(projects[0]?.maps[0]?.subdomains, ["cdn", "static.eu", "x"]);
  assert.deepEqual(settings, [{ file: "x.tconf", line: 3, name: "force_https", words: ["0"] }]);
  assert.deepEqual(foreign, [{ file: "x.tconf", line: 8, onion: b.address, domain: "other.example" }]);
});

test("a line goes on after an odd number of backslashes", () => {
  const { settings, faults } = read(
    "set block_path /a \\\r\n   /b \\\n/c\r\nset block_err it is \\\\\nset cookie_lock /x",
  );
  assert.deepEqual(faults, []);
  const plain = settings.map(({ line, name, words }) => [line, name, words.join(" ")]);
  assert.deepEqual(plain, [
    [1, "block_path", "/a /b /c"],
    [4, "block_err", "it is \\\\"],
    [5, "cookie_lock", "/x"],
  ]);
});

test("the site-wide file stands in front, and names of a template are filled", () => {
  const { settings } = read("set cookie_lock /%WHERE%", { env: { WHERE: "here" }, prefix: "set nginx_timeout 30" });
  assert.deepEqual(
    settings.map(({ file, name, words }) => [file, name, ...words]),
    [
      ["site.conf", "nginx_timeout", "30"],
      ["x.tconf", "cookie_lock", "/here"],
    ],
  );
});

/** One character is another one. */
const wrong = a.address.replace(/^./, (first) => (first === "a" ? "b" : "a"));

test("what is wrong is told with its line, all of it", () => {
  assert.deepEqual(
    says(`set\nset project\nsoftmap ${a.address}\nsoftmpa ${a.address} example.org\nsoftmap ${bare(a)} https://example.org/
softmap expyuzz4wqqyqhjn.onion old.example\nhardmap %NEW_HARD_ONION% example.com\nset cookie_lock %NOBODY%
foreignmap ${a.address}\nsoftmap ${wrong} c.example\nset block_err \\`),
    [
      "x.tconf:7 %NEW_HARD_ONION% | It asks for a v2 address: Tor no longer has those.",
      "x.tconf:8 %NOBODY% | Onionspray takes it from the environment, and there it is not.",
      "x.tconf:11 hanging backslash | The file ends in a backslash: the line goes on and does not.",
      "x.tconf:1 set | There is no name behind it.",
      "x.tconf:2 set project | There is no name behind it.",
      "x.tconf:3 softmap | A map is an onion address and a domain.",
      "x.tconf:4 softmpa | There is no such directive: set, softmap, hardmap and foreignmap are all.",
      "x.tconf:5 softmap https://example.org/ | This is a URL, not a domain.",
      "x.tconf:6 softmap old.example | Its address is no v3 onion address: it is a v2 address (16 characters): Tor no longer has those, a v3 address has 56.",
      "x.tconf:9 foreignmap | A foreign map is an onion address and a domain.",
      "x.tconf:10 softmap c.example | Its address is no v3 onion address: its checksum does not match: a character is wrong.",
    ],
  );
  assert.equal(read("softmpa x y").faults[0]?.next, "Did you mean softmap?");
  assert.match(says("softmap %NEW_V3_ONION% example.org", { template: false })[0] ?? "", /This is no template/);
});

test("no text makes it throw, and a line that could be a key is not shown", () => {
  const word = fc.constantFrom(
    "set",
    "softmap",
    "hardmap",
    "foreignmap",
    "project",
    a.address,
    "example.org",
    "%X%",
    "\\",
    "#",
    "\n",
    " ",
    "%NEW_V3_ONION%",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(fc.oneof(word, fc.string({ maxLength: 5 }))).map((all) => all.join(" ")),
  );
  fc.assert(fc.property(text, fc.boolean(), (given, template) => void read(given, { template })));
  const base64 = Buffer.from(a.secretFile).toString("base64");
  assert.ok(!JSON.stringify(read(base64)).includes(base64.slice(60, 80)));
});
