/**
 * What softmap relies on in PrivateKey of @pulumi/tls 5.6.1, asked of the plugin's own process. By default that is the stand-in;
 * SOFTMAP_TLS_PLUGIN=/path/to/pulumi-resource-tls asks the real one.
 */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
import type { Properties } from "../shared/testing/plugin";
import { isUnknown, plain, secret, unknown } from "../shared/values";
import { Contract, privateKey, real, selfSigned } from "./testing/contract";

describe("PrivateKey", () => {
  const it = new Contract();
  const kinds: readonly [Properties, type: string, preamble: string, detail: Properties][] = [
    [{ algorithm: "RSA" }, "rsa", "RSA PRIVATE KEY", { modulusLength: 2048, publicExponent: 65537n }],
    [{ algorithm: "RSA", rsaBits: 3072 }, "rsa", "RSA PRIVATE KEY", { modulusLength: 3072, publicExponent: 65537n }],
    [{ algorithm: "ECDSA", ecdsaCurve: "P256" }, "ec", "EC PRIVATE KEY", { namedCurve: "prime256v1" }],
    [{ algorithm: "ECDSA", ecdsaCurve: "P384" }, "ec", "EC PRIVATE KEY", { namedCurve: "secp384r1" }],
    [{ algorithm: "ECDSA", ecdsaCurve: "P521" }, "ec", "EC PRIVATE KEY", { namedCurve: "secp521r1" }],
    [{ algorithm: "ED25519" }, "ed25519", "PRIVATE KEY", {}],
  ];
  for (const [inputs, type, preamble, detail] of kinds) {
    test(`${JSON.stringify(inputs)}: one key in three forms, the private ones secret`, async () => {
      const { id, state } = await it.create(privateKey, inputs);
      for (const name of ["privateKeyPem", "privateKeyPemPkcs8"]) {
        assert.deepEqual(state[name], secret(plain(state[name])), `${name} must be secret`);
      }
      const [pem, pkcs8] = [plain(state["privateKeyPem"]), plain(state["privateKeyPemPkcs8"])] as [string, string];
      assert.ok(pem.startsWith(`-----BEGIN ${preamble}-----\n`) && pem.endsWith(`-----END ${preamble}-----\n`));
      assert.ok(pkcs8.startsWith("-----BEGIN PRIVATE KEY-----\n"));
      const key = createPrivateKey(pem);
      assert.equal(key.asymmetricKeyType, type);
      assert.deepEqual({ ...key.asymmetricKeyDetails }, detail);
      assert.ok(key.equals(createPrivateKey(pkcs8)));
      assert.ok(createPublicKey(key).equals(createPublicKey(state["publicKeyPem"] as string)));
      assert.match(id, /^[0-9a-f]{40}$/);
    });
  }

  test("the same inputs are no change, others a replacement, and no key comes twice", async () => {
    const { inputs, state } = await it.create(privateKey, { algorithm: "ECDSA", ecdsaCurve: "P256" });
    assert.deepEqual(await it.plugin.diff(privateKey, state, inputs, inputs), { changes: false, replaces: [] });
    const other = { ...inputs, ecdsaCurve: "P384" };
    assert.deepEqual(await it.plugin.diff(privateKey, state, other, inputs), {
      changes: true,
      replaces: ["ecdsaCurve"],
    });
    assert.notEqual(await it.key(), await it.key());
  });

  test("an unknown algorithm is refused, one that a preview does not know yet is not", async () => {
    const { failures } = await it.plugin.check(privateKey, { algorithm: "DSA" });
    assert.equal(failures.length, 1);
    assert.deepEqual((await it.plugin.check(privateKey, { algorithm: unknown })).failures, []);
  });

  test("what the stand-in leaves out is refused by name", { skip: real !== undefined }, async () => {
    const refusals = [
      { urn: privateKey, inputs: { algorithm: "ECDSA" }, property: "ecdsaCurve" },
      { urn: privateKey, inputs: { algorithm: "RSA", opensshComment: "x" }, property: "opensshComment" },
      { urn: selfSigned, inputs: { ...(await it.certify()).inputs, uris: ["https://a/"] }, property: "uris" },
    ];
    for (const { urn, inputs, property } of refusals) {
      const { failures } = await it.plugin.check(urn, inputs);
      assert.deepEqual(
        failures.map((failure) => failure.property),
        [property],
      );
      assert.match(failures[0]?.reason ?? "", /stand-in for the tls plugin has /);
    }
  });

  test("a preview knows no outputs", async () => {
    const { state } = await it.create(privateKey, { algorithm: unknown }, true);
    for (const name of ["privateKeyPem", "privateKeyPemPkcs8", "publicKeyPem"]) assert.ok(isUnknown(state[name]), name);
  });
});
