import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { adoptKey, looksLikeKey } from "./adopt";
import { keysOfSeed } from "./keys";
import { expanded, rfc8032 } from "./vectors";

const seed = Buffer.from(rfc8032[0].seed, "hex");
const keys = keysOfSeed(seed);
const base64 = Buffer.from(keys.secretFile).toString("base64");
const pem = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
  format: "der",
  type: "pkcs8",
}).export({ format: "pem", type: "pkcs8" }) as string;

test("one key in every form is one and the same", () => {
  const given: [Uint8Array | string, string, boolean][] = [
    [keys.secretFile, "tor file", false],
    [base64, "tor file", false],
    [`  ${base64.slice(0, 60)}\n${base64.slice(60)}\n`, "tor file", false],
    [Buffer.from(`${base64}\n`), "tor file", false],
    [`ED25519-V3:${expanded[0].secret}`, "expanded secret", true],
    [expanded[0].secret, "expanded secret", true],
    [Buffer.from(expanded[0].secret, "base64"), "expanded secret", true],
    [pem, "PEM", true],
    [Buffer.from(pem), "PEM", true],
  ];
  for (const [key, form, converted] of given) assert.deepEqual(adoptKey(key), { keys, form, converted });
});

test("what is no key gets a plain message with the next step and without the key", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "pem", type: "pkcs8" });
  const publicPem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----";
  const cases: [Uint8Array | string, RegExp][] = [
    ["", /it is empty: give tor's hs_ed25519_secret_key/],
    ["not base64!", /neither base64 nor PEM/],
    [base64.slice(0, 100), /base64 of 75 bytes/],
    [Buffer.from(keys.publicFile).toString("base64"), /public key file/],
    [keys.publicFile, /public key file/],
    [seed.toString("base64"), /bare seed or a public key/],
    [new Uint8Array(7), /7 bytes, which no key file has/],
    [new Uint8Array(0), /empty/],
    [String(rsa), /kind rsa, an onion's is ed25519/],
    [publicPem, /public key in PEM/],
    ["-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA", /encrypted/],
    [pem.replace("MC4", "AAA"), /not a private key in PEM that can be read/],
    [Buffer.from(keys.secretFile.map((byte, at) => (at === 32 ? byte | 1 : byte))), /not clamped/],
  ];
  for (const [key, message] of cases) assert.throws(() => adoptKey(key), { message });
});

test("no message repeats any part of what was given", () => {
  const nearly = fc.oneof(
    fc
      .tuple(fc.nat(base64.length - 1), fc.constantFrom("!", "", "A", "=="))
      .map(([at, by]) => base64.slice(0, at) + by + base64.slice(at + 1)),
    fc
      .tuple(fc.nat(pem.length - 1), fc.constantFrom("!", "", "A"))
      .map(([at, by]) => pem.slice(0, at) + by + pem.slice(at + 1)),
    fc.string({ unit: "binary", minLength: 8 }),
  );
  fc.assert(
    fc.property(nearly, (key) => {
      try {
        adoptKey(key);
      } catch (error) {
        const { message } = error as Error;
        for (let at = 0; at + 12 <= key.length; at += 4) {
          const part = key.slice(at, at + 12);
          // Words of our own ("-----BEGIN PRIVATE KEY", tor's tag) may be in both.
          if (!/BEGIN|END|PRIVATE|KEY|^[a-z ]*$/.test(part)) assert.ok(!message.includes(part));
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("keys and file names are told apart", () => {
  for (const key of [base64, pem, expanded[0].secret, `ED25519-V3:${expanded[0].secret}`]) assert.ok(looksLikeKey(key));
  for (const name of ["keys/www.key", "/etc/keys/hs_ed25519_secret_key", "~/onions/a.pem", "secret"]) {
    assert.ok(!looksLikeKey(name));
  }
});
