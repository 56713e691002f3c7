import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { before, test, type TestContext } from "node:test";
import { type Issued, issue } from "../../tests/certificates";
import { findCertificate, namesOfSite } from "./certificates";
import { folderOf, keysOf } from "./kit";

const { address } = keysOf("a");
const short = `${address.slice(0, 20)}-v3`;
let authority: Issued;
before(async () => {
  authority = await issue("authority", { authority: true, use: "any" });
});

const signed = (more: object = {}): Promise<Issued> =>
  issue(address, { names: [address, `*.${address}`], by: authority, ...more });

/** What is found for a site whose project has these files. */
function found(t: TestContext, files: Readonly<Record<string, string>>, names = namesOfSite(address)) {
  const folder = folderOf(t, files);
  return { folder, ...findCertificate(folder, "www.example.org", names, { onion: address, stack: "prod" }) };
}

test("a certificate of an authority is taken with its chain, its key is a secret; in every way of naming the files", async (t) => {
  const { certificate, key } = await signed();
  for (const name of [`ssl/${short}`, `ssl.d/${short}`, `ssl/${address}`, `ssl.d/${address.slice(0, 56)}`]) {
    const files = { [`${name}.cert`]: `${certificate}${authority.certificate}`, [`${name}.pem`]: key };
    const { folder, pem, secret, decision } = found(t, files);
    assert.equal(decision, undefined);
    assert.equal(pem?.split("BEGIN CERTIFICATE").length, 3);
    assert.deepEqual([secret?.key, secret?.name, secret?.value().trim()], ["tlsKeys", "www.example.org", key.trim()]);
    const file = join(folder, `${name}.pem`);
    const set = "npx pulumi config set --secret --path 'softmap:tlsKeys[\"www.example.org\"]' --stack prod";
    assert.equal(secret?.command, `${set} < ${file}`);
  }
});

test("a key among other blocks is cut out", async (t) => {
  const { certificate, key } = await signed();
  const { secret } = found(t, { [`ssl/${short}.cert`]: certificate, [`ssl/${short}.pem`]: `${certificate}${key}` });
  assert.equal(secret?.value().trim(), key.trim());
  assert.match(secret?.command ?? "", /^sed -n .*\.pem \| npx pulumi config set --secret /);
});

test("one that nobody signed is made anew", async (t) => {
  const { certificate, key } = await issue(address, { names: [address] });
  const { pem, dropped } = found(t, { [`ssl/${short}.cert`]: certificate, [`ssl/${short}.pem`]: key });
  assert.deepEqual([pem, dropped?.to], [undefined, "onionTls"]);
});

test("what cannot be used is told, without any key", async (t) => {
  const [good, other, old, stranger] = await Promise.all([
    signed(),
    signed(),
    signed({ from: -30, to: -1 }),
    signed({ names: ["www.example.org"] }),
  ]);
  const cert = `ssl/${short}.cert`;
  const pem = `ssl/${short}.pem`;
  const locked = String(
    createPrivateKey(good.key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
  );
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ [cert]: good.certificate }, /Its key is missing\./],
    [{ [cert]: good.certificate, [pem]: other.key }, /The key is not that of the certificate\./],
    [{ [cert]: good.certificate, [pem]: locked }, /The key is encrypted\./],
    [{ [cert]: good.certificate, [pem]: "x" }, /There is no private key in PEM/],
    [{ [cert]: good.certificate, [pem]: good.key.replace(/[A-Za-z0-9]{20}/, "AAAAAAAAAAAAAAAAAAAA") }, /The key/],
    [{ [cert]: old.certificate, [pem]: old.key }, /It ran out on/],
    [{ [cert]: stranger.certificate, [pem]: stranger.key }, /It is not for .*\.onion/],
    [{ [cert]: "x", [pem]: good.key }, /There is no certificate in PEM/],
    [
      { [cert]: good.certificate.replace(/[A-Za-z0-9]{20}/, "AAAA"), [pem]: good.key },
      /There is no certificate in PEM|It is not/,
    ],
  ];
  for (const [files, says] of cases) {
    const { pem: taken, secret, decision } = found(t, files);
    assert.deepEqual([taken, secret], [undefined, undefined]);
    assert.match(decision?.why ?? "", says);
    assert.match(decision?.next ?? "", /import again/);
    for (const line of good.key.split("\n").slice(1, -2)) assert.ok(!JSON.stringify(decision).includes(line));
  }
});

test("a project's own certificate, and none at all", async (t) => {
  const { certificate, key } = await signed();
  const files = { "ssl/news.cert": certificate, "ssl/news.pem": key };
  assert.ok(found(t, files, ["news"]).pem !== undefined);
  assert.equal(
    findCertificate(folderOf(t, files), "x", namesOfSite(address), { onion: address, stack: undefined }),
    undefined,
  );
});
