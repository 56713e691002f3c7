/**
 * What softmap relies on in SelfSignedCert of @pulumi/tls 5.6.1, asked of the plugin's own process. By default that is the stand-in;
 * SOFTMAP_TLS_PLUGIN=/path/to/pulumi-resource-tls asks the real one.
 */
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
// The certificate library asks for it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Properties } from "../shared/testing/plugin";
import { hasUnknown, isUnknown, plain, secret, unknown } from "../shared/values";
import { Contract, selfSigned } from "./testing/contract";

describe("SelfSignedCert", () => {
  const it = new Contract();
  test("its key signs it; it has the names, the hours and the uses", async () => {
    const { id, state, certificate } = await it.certify({ ipAddresses: ["127.0.0.1", "::1"] });
    const key = createPrivateKey(plain(state["privateKeyPem"]) as string);
    assert.ok(certificate.verify(createPublicKey(key)) && certificate.checkPrivateKey(key));
    assert.equal(certificate.subject, "CN=example.onion");
    assert.equal(certificate.issuer, certificate.subject);
    const names = "DNS:example.onion, DNS:*.example.onion, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1";
    assert.equal(certificate.subjectAltName, names);
    assert.equal(certificate.ca, false);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
    assert.equal(BigInt(`0x${certificate.serialNumber}`).toString(), id);
    assert.equal(state["keyAlgorithm"], "ECDSA");
    assert.equal(state["readyForRenewal"], false);
    const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
    const [start, end] = [state["validityStartTime"], state["validityEndTime"]] as [string, string];
    assert.match(start, rfc3339);
    assert.match(end, rfc3339);
    assert.ok(Math.abs(Date.now() - Date.parse(start)) < 60_000);
    assert.equal(Date.parse(end) - Date.parse(start), 48 * 3600_000);
    assert.equal(Math.floor(Date.parse(end) / 1000), Date.parse(certificate.validTo) / 1000);
  });

  test("uses and basic constraints are critical, the extended uses and the names are not", async () => {
    const found = new x509.X509Certificate((await it.certify()).certificate.raw).extensions;
    const critical = Object.fromEntries(found.map((extension) => [extension.type, extension.critical]));
    assert.deepEqual(critical, { "2.5.29.15": true, "2.5.29.17": false, "2.5.29.19": true, "2.5.29.37": false });
    const uses = found.find((extension) => extension instanceof x509.KeyUsagesExtension);
    assert.equal(uses?.usages, x509.KeyUsageFlags.digitalSignature);
  });

  for (const inputs of [{ algorithm: "RSA" }, { algorithm: "ECDSA", ecdsaCurve: "P384" }, { algorithm: "ED25519" }]) {
    test(`with a key of ${JSON.stringify(inputs)}`, async () => {
      const { state, certificate } = await it.certify({ privateKeyPem: secret(await it.key(inputs)) });
      assert.ok(certificate.verify(certificate.publicKey));
      assert.equal(state["keyAlgorithm"], inputs.algorithm);
    });
  }

  test("an authority, with a whole subject", async () => {
    const { certificate } = await it.certify({
      subject: { commonName: "Test", organization: "Ö, Inc", country: "DE", locality: "#1 Town" },
      isCaCertificate: true,
      allowedUses: ["cert_signing", "crl_signing"],
    });
    assert.equal(certificate.ca, true);
    assert.deepEqual(certificate.subject.split("\n"), ["C=DE", "O=Ö\\, Inc", "L=\\#1 Town", "CN=Test"]);
    await assert.rejects(it.certify({ subject: {}, isCaCertificate: true }), /Distinguished Name/);
  });

  test("the key of the inputs is secret, the certificate is not", async () => {
    const { state } = await it.certify({ privateKeyPem: await it.key() });
    assert.deepEqual(state["privateKeyPem"], secret(plain(state["privateKeyPem"])));
    assert.equal(typeof state["certPem"], "string");
  });

  test("unchanged inputs are no change; defaults may be said or not", async () => {
    const { inputs, state } = await it.create(selfSigned, {
      privateKeyPem: secret(await it.key()),
      allowedUses: ["server_auth"],
      dnsNames: ["example.onion"],
      validityPeriodHours: 48,
    });
    assert.deepEqual([state["earlyRenewalHours"], state["isCaCertificate"]], [0, false]);
    assert.deepEqual(await it.plugin.diff(selfSigned, state, inputs, inputs), { changes: false, replaces: [] });
    const said = { ...inputs, earlyRenewalHours: 0, isCaCertificate: false };
    assert.deepEqual(await it.plugin.diff(selfSigned, state, said, inputs), { changes: false, replaces: [] });
  });

  test("each changed input replaces it", async () => {
    const { inputs, state } = await it.certify();
    const others: Properties = {
      privateKeyPem: secret(await it.key()),
      subject: { commonName: "other.onion" },
      dnsNames: ["example.onion"],
      ipAddresses: ["127.0.0.1"],
      allowedUses: ["server_auth"],
      validityPeriodHours: 72,
      isCaCertificate: true,
    };
    for (const [name, value] of Object.entries(others)) {
      const found = await it.plugin.diff(selfSigned, state, { ...inputs, [name]: value }, inputs);
      assert.deepEqual(found, { changes: true, replaces: [name] });
    }
  });

  test("other hours before the end are an update in place, which keeps the certificate", async () => {
    const { inputs, state } = await it.certify();
    const news = { ...inputs, earlyRenewalHours: 20 };
    assert.deepEqual(await it.plugin.diff(selfSigned, state, news, inputs), { changes: true, replaces: [] });
    const updated = await it.plugin.update(selfSigned, state, news);
    assert.equal(updated["certPem"], state["certPem"]);
    assert.equal(updated["earlyRenewalHours"], 20);
  });

  test("it is replaced once its end is so many hours away, by the new number", async () => {
    const due = await it.certify({ earlyRenewalHours: 48 });
    const replaced = { changes: true, replaces: ["readyForRenewal"] };
    assert.deepEqual(await it.plugin.diff(selfSigned, due.state, due.inputs, due.inputs), replaced);
    const { inputs, state } = await it.certify();
    const news = { ...inputs, earlyRenewalHours: 50 };
    assert.deepEqual(await it.plugin.diff(selfSigned, state, news, inputs), replaced);
    const over = { ...state, validityEndTime: new Date(Date.now() - 1000).toISOString(), earlyRenewalHours: 0 };
    assert.deepEqual(await it.plugin.diff(selfSigned, over, { ...inputs, earlyRenewalHours: 0 }, inputs), replaced);
  });

  test("unknowns pass check, replace what is there, and leave the outputs unknown", async () => {
    const given = {
      privateKeyPem: secret(unknown),
      subject: { commonName: unknown },
      dnsNames: unknown,
      allowedUses: ["server_auth"],
      validityPeriodHours: 48,
    };
    const { inputs, state } = await it.create(selfSigned, given, true);
    assert.ok(hasUnknown(inputs));
    for (const name of ["certPem", "keyAlgorithm", "validityStartTime", "validityEndTime"]) {
      assert.ok(isUnknown(state[name]), name);
    }
    const made = await it.certify();
    const news = { ...made.inputs, privateKeyPem: secret(unknown) };
    const found = await it.plugin.diff(selfSigned, made.state, news, made.inputs);
    assert.deepEqual(found, { changes: true, replaces: ["privateKeyPem"] });
  });

  test("a use that there is not, or hours below none, are refused by name", async () => {
    const { inputs } = await it.certify();
    for (const [name, value] of Object.entries({ allowedUses: ["serverAuth"], validityPeriodHours: -1 })) {
      const { failures } = await it.plugin.check(selfSigned, { ...inputs, [name]: value });
      assert.equal(failures.length, 1, name);
      assert.match(JSON.stringify(failures), new RegExp(name));
    }
  });

  test("a key that cannot be read is an error without a word of it", async () => {
    const body = (await it.key()).split("\n")[1] ?? "";
    const label = "EC PRIVATE KEY";
    for (const wrong of [body, `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`]) {
      await assert.rejects(it.certify({ privateKeyPem: secret(wrong) }), ({ message }: Error) => {
        assert.match(message, /private key/i);
        assert.ok(!message.includes(body.slice(4, 24)));
        return true;
      });
    }
    assert.ok(it.plugin.log.every(({ message }) => !message.includes(body.slice(4, 24))));
  });
});
