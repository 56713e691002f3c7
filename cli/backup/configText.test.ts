import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { clearConfig, encryptionOf, filesNamed, pathText, sameConfig, sealableConfig } from "./configText";
import { noted, noteFile, parseNote, uncovered } from "./note";
import { BackupError } from "./seal";

const key = "Ab+/".repeat(32); // as long as base64 of a key file
const file = `# ours
encryptionsalt: v1:salt
config:
  softmap:workers: 3 # was 2
  softmap:hosts: { provider: ssh, user: admin, privateKeyFile: ~/.ssh/id_ed25519 }
  softmap:siteKeys:
    www.example.org:
      secure: v1:aaaa
    shop.example.org:
      secure: v1:bbbb
  softmap:tlsKeys:
    secure: v1:cccc
  other:list:
    - name: a
      token: { secure: v1:dddd }
    - name: b
  softmap:projects:
    - name: news
      certificate: chain.pem
      sites: [{ domain: www.example.org, certificate: "-----BEGIN CERTIFICATE-----x" }]
`;
const values = {
  "softmap:siteKeys": { value: "{}", objectValue: { "www.example.org": key, "shop.example.org": "keys/shop" } },
  "softmap:tlsKeys": { value: '{"news":"pem"}' },
  "other:list": { objectValue: [{ name: "a", token: "token-value" }, { name: "b" }] },
};

test("a config in clear has every secret in its place, and all else as it was", () => {
  const { text, secrets } = clearConfig(file, values, "softmap");
  assert.deepEqual(secrets.map(pathText), [
    'softmap:siteKeys["www.example.org"]',
    'softmap:siteKeys["shop.example.org"]',
    "softmap:tlsKeys",
    'other:list[0]["token"]',
  ]);
  const { config } = parse(text) as { config: Record<string, unknown> };
  assert.deepEqual(config["softmap:siteKeys"], { "www.example.org": key, "shop.example.org": "keys/shop" });
  assert.equal(config["softmap:tlsKeys"], '{"news":"pem"}');
  assert.match(text, /^# ours$/m);
  assert.match(text, /softmap:workers: 3 # was 2/);
  assert.deepEqual(filesNamed({ text, secrets }), ["chain.pem", "keys/shop", "~/.ssh/id_ed25519"]);
});

test("a secret that Pulumi does not decrypt is an error without a value", () => {
  const some = { ...values, "softmap:siteKeys": { objectValue: { "www.example.org": key } } };
  assert.throws(
    () => clearConfig(file, some, "softmap"),
    (error) =>
      error instanceof BackupError &&
      /siteKeys\["shop\.example\.org"\]/.test(error.message) &&
      !error.message.includes(key),
  );
  assert.throws(() => clearConfig("a: [", {}, "softmap"), BackupError);
});

test("to be sealed anew no secret stands in it, and it encrypts as the stack that it is for", () => {
  const clear = clearConfig(file, values, "softmap");
  const { text, secrets } = sealableConfig(clear, { encryptionsalt: "v1:new" });
  for (const { value } of secrets) assert.ok(!text.includes(value), value);
  assert.deepEqual(
    secrets.map(({ value }) => value),
    [key, "keys/shop", '{"news":"pem"}', "token-value"],
  );
  assert.deepEqual(encryptionOf(text), { encryptionsalt: "v1:new" });
  assert.match(text, /softmap:workers: 3 # was 2/);
});

test("a file is the same config whatever encrypts it, and another one with another setting", () => {
  const clear = clearConfig(file, values, "softmap");
  assert.ok(sameConfig(file, clear));
  assert.ok(sameConfig(file.replaceAll("v1:", "v2:"), clear));
  assert.ok(sameConfig(file.replace("workers: 3", 'workers: "3"'), clear), "as Pulumi writes it");
  assert.ok(sameConfig("encryptionsalt: v1:x\n", clear), "as pulumi stack init leaves it");
  assert.ok(!sameConfig(file.replace("workers: 3", "workers: 4"), clear));
  assert.ok(!sameConfig(file.replace("shop.example.org:", "tips.example.org:"), clear));
  assert.ok(!sameConfig("a: [", clear));
});

test("a path is quoted as Pulumi takes it", () => {
  assert.equal(pathText(["softmap:a", 'b"c\\', 3]), 'softmap:a["b\\"c\\\\"][3]');
});

test("sites whose key is in no backup are named", () => {
  const site = (n: number) => ({ domain: `${n}.example.org`, address: `${String(n).repeat(56)}.onion` });
  const backup = (...sites: ReturnType<typeof site>[]) => ({
    made: "2026-01-01T00:00:00Z",
    file: "b",
    sha256: "00",
    sites,
  });
  const note = parseNote(JSON.stringify(noted(noted(undefined, backup(site(1))), backup(site(2)))));
  assert.equal(note?.backups.length, 2);
  assert.deepEqual(uncovered(note, [site(1), site(2)]), { sites: [], sentence: "" });
  assert.match(uncovered(note, [site(1), site(3)]).sentence, /^The key of 3\.example\.org is in no backup: run /);
  assert.match(
    uncovered(undefined, [site(1), site(2)]).sentence,
    /^The keys of 1\.example\.org and 2\.example\.org are/,
  );
  assert.match(uncovered(undefined, [site(1), site(2), site(3)]).sentence, /and 2 more sites are in no backup/);
  assert.equal(uncovered(note, [{ domain: "1.example.org" }]).sentence, "", "of a config without addresses");
  const moved = { domain: "1.example.org", address: `${"7".repeat(56)}.onion` };
  assert.deepEqual(uncovered(note, [moved]).sites, [moved], "another address of the same domain");
  for (const text of ["", "{", "[]", '{"version":2,"backups":[]}']) assert.equal(parseNote(text), undefined);
  assert.equal(parseNote('{"version":1,"backups":[{"made":1},null,{"sites":[null]}]}')?.backups.length, 0);
  assert.equal(noteFile("/a/Pulumi.prod.yaml"), "/a/Pulumi.prod.backup.json");
  const many = Array.from({ length: 30 }, (_, i) => i).reduce((all, i) => noted(all, backup(site(i % 9))), note);
  assert.equal(many?.backups.length, 20);
});
