// What an import refuses: all of it at once, with file, line and next step; exit code 1, and nothing is written.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { importFrom } from "./onionspray";
import { bare, folderOf, keysOf, run, secretsOf } from "./kit";

const [a, b, c] = [keysOf("a"), keysOf("b"), keysOf("c")];

/** Runs an import that must fail, and gives what it says with the folder's name left out. */
async function refused(home: string, path = home): Promise<string> {
  const out = join(home, "Pulumi.bad.yaml");
  const ran = await run(["onionspray", path, "--out", out, "--stack", "bad"]);
  assert.deepEqual([ran.code, ran.out, ran.set], [1, "", []]);
  assert.ok(!existsSync(out));
  assert.ok(!readdirSync(home).some((name) => name.includes("softmap-new")));
  for (const block of ran.err.trim().split("\n\n").slice(1)) assert.match(block, /\n {4}Next: \S/);
  return ran.err.replaceAll(home, "HOME");
}

test("everything that is wrong is told at once, in whatever file it is", async (t) => {
  const home = folderOf(t, {
    "x.conf": `softmap expyuzz4wqqyqhjn.onion old.example
softmap ${a.address} example.com
softmap ${b.address} example.org
softmap ${c.address} example.com
hardmpa ${c.address} example.net
`,
    [`secrets/${bare(a)}.v3sec.key`]: a.secretFile.subarray(0, 95),
    [`secrets/${bare(b)}.v3sec.key`]: c.secretFile,
    ...secretsOf(c),
    "onionspray-workers.conf": "w1.example.net\n[2001:db8::7]:22\n",
  });
  const said = await refused(home);
  for (const line of [
    "6 problems in HOME, nothing was written:",
    "HOME/x.conf:1  softmap old.example\n    Its address is no v3 onion address: it is a v2 address",
    "HOME/x.conf:4  project default: sites[2].domain\n    The domain is twice in project default",
    "HOME/x.conf:5  hardmpa\n    There is no such directive",
    `HOME/secrets/${bare(a)}.v3sec.key  key of example.com (HOME/x.conf:2)\n    This is no key of an onion service: it has 95 bytes`,
    `HOME/secrets/${bare(b)}.v3sec.key  key of example.org (HOME/x.conf:3)\n    The key is of ${c.address}, not of ${b.address}.`,
    "HOME/onionspray-workers.conf:2  worker [2001:db8::7]:22\n    An IPv6 address stands here without brackets and port.\n    Next: Write 2001:db8::7.",
  ])
    assert.ok(said.includes(line), `${line}\n\nis not in\n\n${said}`);
  for (const keys of [a, c]) assert.ok(!said.includes(Buffer.from(keys.secretFile).toString("base64").slice(50, 70)));
});

const cases: readonly [what: string, content: string | Buffer, says: RegExp][] = [
  [
    "binary garbage",
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 10, 0, 1, 2]),
    /HOME\/x\.conf:2 {2}not text\n {4}There is a zero byte/,
  ],
  ["Latin-1", Buffer.from("# ok\n# caf\xe9\n", "latin1"), /HOME\/x\.conf:2 {2}not text\n {4}It is not UTF-8/],
  ["a hanging backslash", `softmap ${a.address} example.com \\`, /HOME\/x\.conf:1 {2}hanging backslash/],
  ["no maps", "set project x\n", /HOME\/x\.conf {2}no sites/],
  ["nothing", "", /HOME\/x\.conf {2}no sites/],
  [
    "a name of a template",
    "softmap %NEW_V3_ONION% example.com\n",
    /HOME\/x\.conf:1 {2}%NEW_V3_ONION%\n {4}This is no template/,
  ],
  ["a line without end", `set block_path ${"/a ".repeat(40_000)}\n`, /HOME\/x\.conf:1 {2}long line/],
];
for (const [what, content, says] of cases) {
  test(`refused: ${what}`, async (t) => {
    const home = folderOf(t, { "x.conf": content });
    assert.match(await refused(home, join(home, "x.conf")), says);
  });
}

test("a byte order mark and CRLF are read", (t) => {
  const home = folderOf(t, {
    "x.conf": `\u{feff}set project one\r\nsoftmap ${a.address} \\\r\n example.com\r\n`,
    ...secretsOf(a),
  });
  const { notes, config } = importFrom({ path: home }, {});
  assert.deepEqual(notes.faults, []);
  assert.deepEqual(config["projects"], [
    { name: "one", onionTls: "selfSigned", sites: [{ domain: "example.com", onion: a.address }] },
  ]);
});

test("a file of 50 MB is not read", async (t) => {
  const home = folderOf(t, {
    "x.conf": "",
    [`y/secrets/${bare(a)}.v3sec.key`]: "",
    "y/x.conf": `softmap ${a.address} example.com\n`,
  });
  truncateSync(join(home, "x.conf"), 50 << 20);
  assert.match(await refused(home), /HOME\/x\.conf {2}too large\n {4}It has 52428800 bytes/);
  truncateSync(join(home, "y", "secrets", `${bare(a)}.v3sec.key`), 50 << 20);
  assert.match(await refused(home, join(home, "y")), /v3sec\.key {2}key of example\.com .*\n {4}It has 52428800 bytes/);
});

test("links that go in a circle, pipes, folders and what is not there are told, and nothing waits", async (t) => {
  const home = folderOf(t, { "folder.conf/x": "" });
  symlinkSync("b.conf", join(home, "a.conf"));
  symlinkSync("a.conf", join(home, "b.conf"));
  execFileSync("mkfifo", [join(home, "pipe.conf")]);
  const said = await refused(home);
  assert.match(said, /HOME\/a\.conf {2}unreadable\n {4}It cannot be read: its links go in a circle/);
  assert.match(said, /HOME\/pipe\.conf {2}unreadable\n {4}It cannot be read: it is no regular file/);
  assert.match(said, /HOME\/folder\.conf {2}unreadable\n {4}It cannot be read: it is a folder/);
  assert.match(
    await refused(home, join(home, "none")),
    /HOME\/none {2}unreadable\n {4}It cannot be read: there is no such file/,
  );
  assert.match(await refused(home, join(home, "folder.conf", "x")), /HOME\/folder\.conf\/x {2}no config/);
});

test("what may not be read is told", async (t) => {
  const home = folderOf(t, { "x.conf": `softmap ${a.address} example.com\n`, ...secretsOf(a) });
  // Root may read everything: a file in place of the folder is unreadable for all.
  const path = join(home, "x.conf", "y.conf");
  assert.match(
    await refused(home, path),
    /HOME\/x\.conf\/y\.conf {2}unreadable\n {4}It cannot be read: a part of its path is no folder/,
  );
  if (process.getuid?.() === 0) return;
  chmodSync(join(home, "x.conf"), 0);
  assert.match(await refused(home), /HOME\/x\.conf {2}unreadable\n {4}It cannot be read: you may not read it/);
});

test("folders that cannot be looked into are told: their keys only seem not to be there", async (t) => {
  const home = folderOf(t, { "x.conf": `set project p\nsoftmap ${a.address} example.com\n`, "projects.d/none": "" });
  symlinkSync("secrets", join(home, "secrets"));
  symlinkSync("p.d", join(home, "projects.d", "p.d"));
  const said = await refused(home);
  assert.match(said, /HOME\/secrets {2}unreadable\n {4}It cannot be read: its links go in a circle/);
});

test("what is in the files does not move the cursor, and private values are not repeated", async (t) => {
  const home = folderOf(t, {
    "x.conf": `set cookie_lock private4711\nset inject_headers_upstream X\u001b[2J,private4711\nset \u001b[2Jx 1\nsoftmap %NEW_V3_ONION% example.com\n`,
  });
  renameSync(join(home, "x.conf"), join(home, "x.tconf"));
  const { code, out } = await run(["onionspray", home]);
  assert.equal(code, 0);
  assert.match(out, /cookieLock\n {6}A path begins with \/\. It is left out\./);
  assert.ok(!out.includes("private4711") && !out.includes("\u001b"));
});

test("two files with the same project are told", async (t) => {
  const home = folderOf(t, {
    "x.conf": `set project news\nsoftmap ${a.address} example.com\n`,
    "y.conf": `set project news\nsoftmap ${b.address} example.org\n`,
    ...secretsOf(a),
    ...secretsOf(b),
  });
  assert.match(
    await refused(home),
    /HOME\/y\.conf:1 {2}project news\n {4}There is a project news already, HOME\/x\.conf:1/,
  );
});

test("wrong calls say what is wrong, with exit code 2", async () => {
  for (const [args, says] of [
    [[], /Say what to import/],
    [["onionspry", "x"], /Say what to import/],
    [["onionspray"], /Name the folder or file/],
    [["onionspray", "a", "b"], /One at a time/],
    [["onionspray", "a", "--site", "x"], /does not take --site/],
    [["keys", "a", "--stack", "x"], /name it with --site/],
    [["keys", "a", "--site", "https://x/"], /This is a URL/],
    [["keys", "a", "--onion", "1!"], /--onion takes the beginning/],
    [["onionspray", "a", "--out="], /--out takes a value/],
  ] as const) {
    const { code, err } = await run(args);
    assert.equal(code, 2, args.join(" "));
    assert.match(err, says);
  }
  assert.equal((await run(["--help"])).code, 0);
});

test("no config makes the import throw, and what it makes is of the stack's own keys", (t) => {
  const home = folderOf(t, { "x.tconf": "" });
  const word = fc.oneof(
    fc.constantFrom(
      "set",
      "softmap",
      "hardmap",
      "foreignmap",
      "project",
      a.address,
      b.address,
      "example.org",
      "www.example.net",
      "%NEW_V3_ONION%",
    ),
    fc.constantFrom(
      "block_path_re",
      "redirect_host",
      "nginx_timeout",
      "preserve_csv",
      "inject_headers_upstream",
      "force_https",
      "a*",
      "x,301,y",
      "__proto__,x",
      "1",
    ),
    fc.string({ maxLength: 8 }),
  );
  const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
      writeFileSync(join(home, "x.tconf"), lines.join("\n"));
      const { notes, config } = importFrom({ path: home }, {});
      for (const fault of [...notes.faults, ...notes.decisions]) assert.ok(fault.next !== "" && fault.why !== "");
      assert.deepEqual(Object.keys(config), ["hosts", "balancers", "workers", "workersOnBalancers", "projects"]);
    }),
    { numRuns: 150 },
  );
});
