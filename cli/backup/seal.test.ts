import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { armor, generateIdentity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { BackupError, identitiesIn, isRecipient, lockOf, seal, unseal } from "./seal";
import { packTar, plainPath, unpackTar } from "./tar";

const passphrase = "correct horse battery";
const message = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BackupError, String(error));
  assert.match(error.message, pattern);
  assert.match(error.message, /\n {2}Next: /);
  assert.ok(!error.message.includes(passphrase));
  return true;
};

test("what is sealed comes out again, by passphrase and by identity", async () => {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  assert.ok(isRecipient(recipient));
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 70_000 }), fc.boolean(), async (plain, armored) => {
      const sealed = await seal(plain, { recipients: [recipient] });
      const file = armored ? Buffer.from(armor.encode(sealed)) : sealed;
      assert.deepEqual(Buffer.from(await unseal("b", file, { identities: [identity] })), Buffer.from(plain));
    }),
    { numRuns: 20 },
  );
  const sealed = await seal(Buffer.from("text"), { passphrase }, 4);
  assert.equal(lockOf("b", sealed), "passphrase");
  assert.equal(Buffer.from(await unseal("b", sealed, { passphrase })).toString(), "text");
});

test("a file that is cut off is refused wherever it is cut", async () => {
  const identity = await generateIdentity();
  const sealed = await seal(randomBytes(40), { recipients: [await identityToRecipient(identity)] });
  for (let length = 0; length < sealed.length; length++)
    await assert.rejects(
      unseal("b", sealed.subarray(0, length), { identities: [identity] }),
      message(length === 0 ? /^b is empty/ : /^b is cut off or was changed/),
      `${length} of ${sealed.length} bytes`,
    );
  const byPassphrase = await seal(randomBytes(40), { passphrase }, 1);
  for (let length = 0; length < byPassphrase.length; length++)
    await assert.rejects(
      unseal("b", byPassphrase.subarray(0, length), { passphrase }),
      message(/^b (is empty|is cut off)/),
    );
});

test("a changed byte is never opened", async () => {
  const identity = await generateIdentity();
  const sealed = await seal(randomBytes(40), { recipients: [await identityToRecipient(identity)] });
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await assert.rejects(unseal("b", changed, { identities: [identity] }), message(/^b /), `byte ${at}`);
  }
});

test("each way of not opening has its own words", async () => {
  const [mine, theirs] = [await generateIdentity(), await generateIdentity()];
  const forThem = await seal(Buffer.from("x"), { recipients: [await identityToRecipient(theirs)] });
  const byPassphrase = await seal(Buffer.from("x"), { passphrase }, 4);
  const wrong = unseal("b", byPassphrase, { passphrase: "correct horse" });
  await assert.rejects(wrong, message(/^The passphrase is not that of b/));
  await assert.rejects(unseal("b", forThem, { identities: [mine] }), message(/sealed for others/));
  await assert.rejects(unseal("b", forThem, { passphrase }), message(/has no passphrase/));
  await assert.rejects(unseal("b", byPassphrase, { identities: [mine] }), message(/sealed with a passphrase/));
  for (const file of ["PK\x03\x04", "age-encryption.org/v2\n-> X", "hello"])
    await assert.rejects(unseal("b", Buffer.from(file), { passphrase }), message(/no backup: it is not in the age/));
  assert.deepEqual(identitiesIn("k", `# created\n${mine}\n`), [mine]);
  for (const text of ["", "# nothing\n", `${mine}\nrubbish`, await identityToRecipient(mine)])
    assert.throws(() => identitiesIn("k", text), message(/no file of age identities/));
  for (const text of ["age1", "ssh-ed25519 AAAA", mine, ""]) assert.ok(!isRecipient(text));
});

test("an archive: what goes in comes out, and tar reads it", () => {
  const path = fc.stringMatching(/^[a-z][a-z0-9._-]{0,20}(\/[a-z][a-z0-9._-]{0,20})?$/);
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 1500 })), { selector: ([p]) => p }), (all) => {
      const files = new Map(all.map(([name, data]) => [name, Buffer.from(data)] as const));
      const out = unpackTar(packTar(files, 1e9));
      assert.deepEqual(
        [...out].map(([name, data]) => [name, Buffer.from(data)]),
        [...files],
      );
    }),
  );
  const archive = packTar(
    new Map([
      ["a/b", Buffer.from("one")],
      ["c", randomBytes(600)],
    ]),
    1e9,
  );
  const { stdout } = spawnSync("tar", ["-xO", "a/b"], { input: archive, encoding: "utf8" });
  assert.equal(stdout, "one");
  for (let length = 0; length < archive.length - 512; length += 100)
    assert.throws(() => unpackTar(archive.subarray(0, length)), /archive/);
});

test("an archive that leads out of its folder, or holds more than plain files, is refused", () => {
  for (const path of ["../x", "/x", "a/../../x", "a//b", "./a", "", "a\0b", "a b", "é", "x".repeat(101)]) {
    assert.ok(!plainPath(path), path);
    assert.throws(() => packTar(new Map([[path, Buffer.alloc(0)]]), 0), /cannot hold/);
  }
  const link = spawnSync("sh", ["-c", 'cd "$(mktemp -d)" && ln -s /etc/passwd l && tar --format=ustar -cf - l']);
  assert.throws(() => unpackTar(link.stdout), /more than plain files/);
  const twice = packTar(new Map([["a", Buffer.alloc(0)]]), 0).subarray(0, 512);
  assert.throws(() => unpackTar(Buffer.concat([twice, twice, Buffer.alloc(1024)])), /twice/);
});
