import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  expandSeed,
  keysOfSeed,
  parsePublicFile,
  parseSecretFile,
  publicKeyOfExpanded,
  writeHiddenServiceDir,
} from "./keys";
import { checkOnionAddress, publicKeyOfAddress } from "./address";
import { expanded, rfc8032 } from "./vectors";

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

for (const { name, seed, publicKey } of rfc8032) {
  test(`RFC 8032 section 7.1 ${name}: the public key, by way of the expanded secret`, () => {
    const key = publicKeyOfExpanded(expandSeed(Buffer.from(seed, "hex")));
    assert.equal(Buffer.from(key).toString("hex"), publicKey);
  });
}

test("expanded secrets and addresses are those of other implementations", () => {
  for (const { seed, secret, address } of expanded) {
    const keys = keysOfSeed(Buffer.from(seed, "hex"));
    assert.equal(Buffer.from(keys.secretFile.subarray(32)).toString("base64"), secret);
    assert.equal(keys.address, address);
  }
});

test("OpenSSL has the same public key for every seed", () => {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  fc.assert(
    fc.property(seeds, (seed) => {
      const key = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: "der", type: "pkcs8" });
      const theirs = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
      assert.deepEqual(Buffer.from(publicKeyOfExpanded(expandSeed(seed))), theirs);
    }),
    { numRuns: 25 },
  );
});

test("tor's files: sizes, tags, and the way back", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const keys = keysOfSeed(seed);
      const files = writeHiddenServiceDir(keys);
      assert.equal(files.hs_ed25519_secret_key.length, 96);
      assert.equal(files.hs_ed25519_public_key.length, 64);
      const tag = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 32)).toString("latin1");
      assert.equal(tag(files.hs_ed25519_secret_key), "== ed25519v1-secret: type0 ==\0\0\0");
      assert.equal(tag(files.hs_ed25519_public_key), "== ed25519v1-public: type0 ==\0\0\0");
      assert.equal(Buffer.from(files.hostname).toString(), `${keys.address}\n`);
      assert.equal(checkOnionAddress(keys.address), undefined);
      assert.deepEqual(parseSecretFile(files.hs_ed25519_secret_key), keys);
      assert.deepEqual(parsePublicFile(files.hs_ed25519_public_key), publicKeyOfAddress(keys.address));
    }),
    { numRuns: 25 },
  );
});

test("what is no key is refused in plain words that never hold it", () => {
  const keys = keysOfSeed(Buffer.from(rfc8032[0].seed, "hex"));
  const edit = (at: number, value: number) => {
    const bytes = keys.secretFile.slice();
    bytes[at] = value;
    return bytes;
  };
  const cases: [Uint8Array, RegExp][] = [
    [keys.secretFile.subarray(0, 95), /95 bytes, tor's hs_ed25519_secret_key has 96/],
    [keys.publicFile, /public key file/],
    [edit(0, 45), /does not begin with/],
    [edit(32, 0x31), /not clamped/],
    [edit(63, 0xff), /not clamped/],
    [new Uint8Array(96), /does not begin with/],
  ];
  const hidden = Buffer.from(keys.secretFile.subarray(32));
  for (const [bytes, message] of cases) {
    assert.throws(
      () => parseSecretFile(bytes),
      (error: Error) => {
        assert.match(error.message, message);
        assert.ok(!error.message.includes(hidden.toString("base64").slice(0, 12)));
        return true;
      },
    );
  }
  assert.throws(() => parsePublicFile(keys.secretFile), /96 bytes, tor's hs_ed25519_public_key has 64/);
  assert.throws(() => expandSeed(new Uint8Array(64)), RangeError);
  assert.throws(() => publicKeyOfExpanded(new Uint8Array(32)), /32 bytes/);
});

test("random bytes in place of a secret are refused unless they happen to be clamped", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
      const clamped = ((bytes[0] ?? 0) & 7) === 0 && ((bytes[31] ?? 0) & 192) === 64;
      if (clamped) assert.equal(publicKeyOfExpanded(bytes).length, 32);
      else assert.throws(() => publicKeyOfExpanded(bytes), /not clamped/);
    }),
  );
});
