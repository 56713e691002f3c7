import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type OnionKeys, writeHiddenServiceDir } from "../../onion/keys";
import { bare, folderOf, keysOf, run } from "./kit";

const [a, b, c, d] = [keysOf("a"), keysOf("b"), keysOf("c"), keysOf("d")];
const base64 = (keys: OnionKeys): string => Buffer.from(keys.secretFile).toString("base64");

/** The three files of a key, as mkp224o, onionmine and tor write them. */
const filesOf = (folder: string, keys: OnionKeys): Record<string, Uint8Array> =>
  Object.fromEntries(Object.entries(writeHiddenServiceDir(keys)).map(([name, bytes]) => [`${folder}/${name}`, bytes]));

const pools = {
  ...filesOf(a.address, a),
  ...filesOf(`pools/news/candidates/${b.address}`, b),
  ...filesOf("chosen", c),
  [`secrets/${bare(d)}.v3sec.key`]: d.secretFile,
};

test("keys of mkp224o, onionmine, tor and Onionspray are listed, links in a circle and doubles once", async (t) => {
  const home = folderOf(t, pools);
  mkdirSync(join(home, "again"));
  symlinkSync(home, join(home, "again", "loop"));
  symlinkSync(join(home, "chosen"), join(home, "twice"));
  const { code, out, err } = await run(["keys", home, "--json"]);
  assert.deepEqual([code, err], [0, ""]);
  const { keys, problems } = JSON.parse(out) as { keys: { address: string; file: string }[]; problems: unknown[] };
  assert.deepEqual(problems, []);
  assert.deepEqual(
    keys.map(({ address }) => address),
    [a, b, c, d].map(({ address }) => address).toSorted(),
  );
  const text = await run(["keys", home]);
  assert.match(text.out, /: 4 keys\n/);
  for (const keys of [a, b, c, d]) assert.ok(!`${out}${text.out}`.includes(base64(keys).slice(50, 70)));
});

test("deeper than four folders nothing is looked for", async (t) => {
  const home = folderOf(t, { ...filesOf("1/2/3/4", a), ...filesOf("1/2/3/4/5", b) });
  const { out } = await run(["keys", home]);
  assert.ok(out.includes(a.address) && !out.includes(b.address));
});

test("one key is taken for a site: set on stdin, or the command that does it", async (t) => {
  const home = folderOf(t, pools);
  const prefix = b.address.slice(0, 8);
  const dry = await run(["keys", home, "--site", "www.example.org", "--onion", prefix]);
  assert.deepEqual([dry.code, dry.set], [0, []]);
  assert.ok(
    dry.out.includes(
      `base64 < ${home}/pools/news/candidates/${b.address}/hs_ed25519_secret_key | npx pulumi config set --secret --path 'softmap:siteKeys["www.example.org"]'`,
    ),
  );
  const { code, out, err, set } = await run([
    "keys",
    home,
    "--site",
    "www.example.org",
    "--onion",
    b.address,
    "--stack",
    "prod",
  ]);
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(set, [{ path: 'softmap:siteKeys["www.example.org"]', value: base64(b), stack: "prod" }]);
  assert.match(out, new RegExp(`write onion: ${b.address} on the site www\\.example\\.org`));
  assert.ok(!`${dry.out}${out}`.includes(base64(b).slice(50, 70)));
});

test("several keys, none, and Pulumi's refusal end with 1", async (t) => {
  const home = folderOf(t, pools);
  const several = await run(["keys", home, "--site", "www.example.org", "--stack", "prod"]);
  assert.deepEqual([several.code, several.set], [1, []]);
  assert.match(several.err, /There are 4 keys: .*\n {2}Next: Say which one with --onion/);
  const none = await run(["keys", home, "--site", "www.example.org", "--onion", "2".repeat(20)]);
  assert.equal(none.code, 1);
  assert.match(none.err, /There is no key whose address begins with 2{20}/);
  const path = 'softmap:siteKeys["www.example.org"]';
  const failed = await run(["keys", home, "--site", "www.example.org", "--onion", bare(a), "--stack", "x"], {
    fail: { [path]: "no stack named 'x' found" },
  });
  assert.equal(failed.code, 1);
  assert.match(failed.err, /The key was not set: no stack named 'x' found\n {2}Next: base64 < /);
  const missing = await run(["keys", join(home, "none")]);
  assert.equal(missing.code, 1);
  assert.match(missing.err, /there is no such file/);
});

test("a key that is cut, of another address or beside another public key is told, and the others are listed", async (t) => {
  const home = folderOf(t, {
    ...filesOf(a.address, a),
    [`${b.address}/hs_ed25519_secret_key`]: b.secretFile.subarray(0, 95),
    [`${c.address}/hs_ed25519_secret_key`]: d.secretFile,
    ...filesOf("public", d),
    "public/hs_ed25519_public_key": a.publicFile,
    ...filesOf("host", d),
    "host/hostname": "expyuzz4wqqyqhjn.onion\n",
  });
  const { code, out, err } = await run(["keys", home]);
  assert.equal(code, 1);
  assert.ok(out.includes(a.address));
  assert.match(err, /it has 95 bytes/);
  assert.ok(err.includes(`The key is of ${d.address}, not of ${c.address}.`));
  assert.match(err, /public\/hs_ed25519_public_key {2}public key\n {2}It is not that of the secret key beside it/);
  assert.match(err, /host\/hostname {2}hostname\n {2}What stands in it is no v3 onion address: it is a v2 address/);
});
