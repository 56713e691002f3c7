import assert from "node:assert/strict";
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type * as pulumi from "@pulumi/pulumi";
import { issue, type Issued } from "../tests/certificates";
import { methodsOf } from "../tests/closure";
import { mockEngine } from "../tests/mocks";
import { wildcardWarnings } from "./onionCertificate";
import { onionCertificateProvider } from "./onionCertificateProvider";
import { siteCertificates, upstreamCertificates } from "./projectCertificates";
import { unknownValue as unknown } from "./unknownValue";

const [one, two] = [`${"a".repeat(56)}.onion`, `${"b".repeat(56)}.onion`] as const;
const names = [one, `*.${one}`];
const site = { domain: "www.example.org", onion: one, subdomains: ["cdn"] };
const provider = methodsOf(onionCertificateProvider);

/** What a check says of a certificate and its key, with everything else as it should be. */
async function said(more: object): Promise<string[]> {
  const given = { label: "site www.example.org", purpose: "server", sites: [site], ...more };
  const { failures = [] } = await provider.check({}, given);
  for (const { property, reason } of failures) {
    assert.equal(property, "");
    assert.match(reason, /^site www\.example\.org: (upstreamC|c)ertificate.*\. Next: .*\.$/);
  }
  return failures.map(({ reason }) => reason);
}

async function chained(): Promise<{ root: Issued; middle: Issued; leaf: Issued }> {
  const root = await issue("root", { authority: true, use: "any" });
  const middle = await issue("middle", { authority: true, use: "any", by: root });
  return { root, middle, leaf: await issue(one, { names, by: middle }) };
}

const pair = ({ certificate, key }: Issued) => ({ certificate, key });

test("a good chain: kept as PEM alone, its facts are known at preview", async () => {
  const { root, middle, leaf } = await chained();
  const text = `Bag Attributes\n${leaf.certificate}subject=/CN=middle\n${middle.certificate}${root.certificate}`;
  const given = { label: "site x", purpose: "server", sites: [site], certificate: text, key: leaf.key };
  const { inputs, failures } = await provider.check({}, given);
  assert.deepEqual(failures, []);
  const certificate = new X509Certificate(leaf.certificate);
  assert.equal(inputs["certificate"], [leaf, middle, root].map((each) => each.certificate).join(""));
  assert.equal(inputs["key"], leaf.key);
  assert.equal(inputs["fingerprint"], createHash("sha256").update(certificate.raw).digest("hex"));
  assert.equal(inputs["expires"], certificate.validToDate.toISOString());
  assert.deepEqual((await provider.create(inputs)).outs, inputs);
});

test("a renewed one is an update in place, the same one in other words nothing", async () => {
  const [old, renewed] = [await issue(one, { names }), await issue(one, { names })];
  const of = async (each: Issued, words = "") =>
    (
      await provider.check(
        {},
        { label: "x", purpose: "server", sites: [], ...pair(each), certificate: words + each.certificate },
      )
    ).inputs;
  assert.deepEqual(await provider.diff("id", await of(old), await of(old, "CN=x\n")), { changes: false });
  assert.deepEqual(await provider.diff("id", await of(old), await of(renewed)), { changes: true });
  assert.deepEqual((await provider.update("id", await of(old), await of(renewed))).outs, await of(renewed));
});

test("the order of the chain", async () => {
  const { root, middle, leaf } = await chained();
  const chain = (...parts: Issued[]) => ({
    certificate: parts.map((each) => each.certificate).join(""),
    key: leaf.key,
  });
  assert.deepEqual(await said(chain(leaf, middle)), []);
  assert.match(
    (await said(chain(leaf, root))).join(),
    /certificate: number 2 in it did not sign number 1\. Next: Put the site's own first/,
  );
  assert.match((await said(chain(leaf, root, middle))).join("\n"), /number 2 .* number 1.*\n.*number 3 .* number 2/);
  assert.match(
    (await said(chain(middle, leaf))).join("\n"),
    /the key is that of number 2 in it, not of the first\. Next: Put that one first/,
  );
});

test("dates, of each one in the chain", async () => {
  assert.match(
    (await said(pair(await issue(one, { names, from: -9, to: -2 })))).join(),
    /certificate: it has expired \(\d{4}-\d\d-\d\d\)\. Next: /,
  );
  assert.match((await said(pair(await issue(one, { names, from: 2 })))).join(), /it is not valid before \d{4}-/);
  const ca = await issue("ca", { authority: true, use: "any", from: -9, to: -2 });
  const leaf = await issue(one, { names, by: ca });
  assert.match(
    (await said({ certificate: leaf.certificate + ca.certificate, key: leaf.key })).join(),
    /number 2 in it has expired/,
  );
});

test("the key: another one's, none, encrypted, too small, unreadable", async () => {
  const [leaf, other] = [await issue(one, { names }), await issue(one, { names })];
  const key = (text: string) => said({ certificate: leaf.certificate, key: text });
  assert.match(
    (await key(other.key)).join(),
    /certificateKey \(tlsKeys in the stack's config\): it is not the key of the certificate\. Next: /,
  );
  assert.match((await key("")).join(), /there is no private key in PEM in it/);
  assert.match((await key(leaf.certificate)).join(), /there is no private key in PEM in it/);
  const encrypted = createPrivateKey(leaf.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "x",
  });
  assert.match((await key(String(encrypted))).join(), /it is encrypted, and nginx starts unattended\. Next: Decrypt/);
  assert.match((await key("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n")).join(), /it is encrypted/);
  assert.match((await key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")).join(), /cannot be read/);
  assert.match((await key("unreadable:EACCES")).join(), /nor the name of a file that can be read \(EACCES\)/);
  const rsa = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", publicExponent: new Uint8Array([1, 0, 1]) };
  const small = await issue(one, { names, algorithm: { ...rsa, modulusLength: 1024 } });
  assert.match((await said(pair(small))).join(), /it is RSA of 1024 bits, which nginx refuses/);
  assert.deepEqual(await said(pair(await issue(one, { names, algorithm: { ...rsa, modulusLength: 2048 } }))), []);
});

test("other forms of the same key are the same: SEC 1, with the parameters of its curve before it", async () => {
  const leaf = await issue(one, { names });
  const sec1 = String(createPrivateKey(leaf.key).export({ type: "sec1", format: "pem" }));
  const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const given = { label: "x", purpose: "server", sites: [site], certificate: leaf.certificate, key: parameters + sec1 };
  const { inputs, failures } = await provider.check({}, given);
  assert.deepEqual([failures, inputs["key"]], [[], leaf.key]);
});

test("the names: the onion, listed subdomains, and what is missing beside them", async () => {
  const bare = await issue(one, { names: [one] });
  assert.match(
    (await said(pair(bare))).join(),
    new RegExp(
      `it does not cover cdn\\.${one}, \\*\\.${one} \\(site www\\.example\\.org\\)\\. Next: Give one for ${one} and \\*\\.${one}\\.`,
    ),
  );
  assert.deepEqual(await said({ ...pair(bare), sites: [{ ...site, subdomains: [] }] }), []);
  assert.deepEqual(await said(pair(await issue(one, { names: [one, `cdn.${one}`] }))), []);
  const common = await issue(one, { names: ["other.test"] });
  assert.match(
    (await said(pair(common))).join(),
    new RegExp(`it does not cover ${one}, cdn\\.`),
    "no browser looks at the subject",
  );
  assert.match(
    (await said(pair(await issue(one, { names, use: "client" })))).join(),
    /does not let it be a server's\. Next: Give one with serverAuth\./,
  );
});

test("an umbrella must cover each site; an address that is not known yet is not asked", async () => {
  const second = { domain: "shop.example.org", onion: two, subdomains: [] };
  const leaf = pair(await issue(one, { names }));
  assert.match(
    (await said({ ...leaf, sites: [site, second] })).join(),
    new RegExp(`does not cover ${two}, \\*\\.${two} \\(site shop`),
  );
  assert.deepEqual(await said({ ...leaf, sites: [site, { ...second, onion: unknown }] }), []);
  assert.deepEqual(await said({ ...leaf, sites: unknown }), []);
});

test("an upstream's client certificate: its own words, no names", async () => {
  const client = { purpose: "client", sites: [] };
  assert.deepEqual(await said({ ...pair(await issue("me", { use: "client" })), ...client }), []);
  assert.deepEqual(await said({ ...pair(await issue("me", { use: "any" })), ...client }), []);
  const server = await issue("me");
  assert.match(
    (await said({ ...pair(server), ...client })).join(),
    /upstreamCertificate: its extended key usage does not let it be a client's/,
  );
  assert.match(
    (await said({ certificate: server.certificate, key: "", ...client })).join("\n"),
    /upstreamCertificateKey \(upstreamKeys in/,
  );
});

test("all problems at once, none with anything of what was given in it, and nothing unreadable is kept", async () => {
  const leaf = await issue(one, { names: [two], from: -9, to: -2 });
  const swapped = await said({ certificate: leaf.key, key: leaf.certificate });
  assert.match(
    swapped.join("\n"),
    /certificate: there is a private key in it, and a certificate is public\. Next: .*\n.*certificateKey/,
  );
  const { inputs } = await provider.check(
    {},
    { label: "x", purpose: "server", sites: [], certificate: leaf.key, key: "" },
  );
  assert.equal(inputs["certificate"], "");
  const other = await issue(one);
  const all = [...(await said({ certificate: leaf.certificate, key: other.key })), ...swapped];
  assert.equal(all.length, 5);
  const body = (pem: string) => pem.split("\n")[1] ?? "";
  for (const reason of all) for (const secret of [leaf.key, other.key]) assert.ok(!reason.includes(body(secret)));
});

test("what is not known yet leaves the rest checked", async () => {
  const leaf = await issue(one, { names, from: -9, to: -2 });
  assert.match((await said({ certificate: leaf.certificate, key: unknown })).join(), /has expired/);
  assert.deepEqual(await said({ certificate: unknown, key: leaf.key }), []);
  const { inputs } = await provider.check(
    {},
    { label: "x", purpose: "server", sites: [], certificate: unknown, key: unknown },
  );
  for (const name of ["certificate", "key", "fingerprint", "expires"]) assert.equal(inputs[name], unknown);
  assert.equal((await provider.diff("id", pair(leaf), inputs)).changes, true);
});

test("a site whose subdomains are not covered is allowed, and warned of", async () => {
  const bare = await issue(one, { names: [one] });
  const [warning, ...others] = wildcardWarnings(bare.certificate, [site]);
  assert.deepEqual(others, []);
  assert.match(
    warning ?? "",
    new RegExp(`^site www\\.example\\.org: its certificate does not cover \\*\\.${one}: .* Next: `),
  );
  assert.deepEqual(wildcardWarnings((await issue(one, { names })).certificate, [site]), []);
});

test("a project's certificates: a site's own before the umbrella, off is off, and the rest makes its own", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-certificates-"));
  const umbrella = await issue("umbrella", { names: [one, `*.${one}`] });
  const own = await issue(two, { names: [two, `*.${two}`] });
  const file = join(folder, "own.crt");
  writeFileSync(file, own.certificate);
  const made = await issue(two, { names: [two] });
  const { resources, settled } = await mockEngine({
    "tls:index/privateKey:PrivateKey": () => ({ privateKeyPem: made.key }),
    "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: made.certificate }),
  });
  const on = (domain: string, onion: string, settings: object, subdomains: string[] = []) => ({
    domain,
    onion,
    subdomains,
    settings,
  });
  const pairs = siteCertificates(
    {
      name: "news",
      settings: { certificate: umbrella.certificate, certificateKey: umbrella.key, selfSignedDays: 30 },
      sites: [
        on("a.test", one, {}),
        on("b.test", two, { certificate: file, certificateKey: own.key }),
        on("c.test", two, { onionTls: "off" }),
        on("d.test", two, { onionTls: "selfSigned" }, ["cdn"]),
      ],
    },
    {},
  );
  const client = await issue("me", { use: "client" });
  const given = { upstreamCertificate: client.certificate, upstreamCertificateKey: client.key };
  const upstream = (settings: object, own: object) => {
    const sites = [on("a.test", one, own), on("b.test", two, {})];
    return [...upstreamCertificates({ name: "news", settings, sites }, {}).keys()];
  };
  assert.deepEqual([...pairs.keys()].sort(), ["a.test", "b.test", "d.test"]);
  assert.deepEqual(
    [upstream({}, given), upstream(given, {}), upstream({}, {})],
    [["a.test"], ["a.test", "b.test"], []],
  );
  const value = <T>(output: pulumi.Output<T> | undefined) =>
    new Promise<T | undefined>((resolve) => (output === undefined ? resolve(undefined) : output.apply(resolve)));
  assert.equal(await value(pairs.get("b.test")?.certificate), own.certificate);
  const { fingerprint256 } = new X509Certificate(made.certificate);
  assert.equal(await value(pairs.get("d.test")?.fingerprint), fingerprint256.replaceAll(":", "").toLowerCase());
  await settled();
  rmSync(folder, { recursive: true });
  const certificate = resources.find(({ type, name }) => type.startsWith("tls:") && name === "d.test-certificate");
  const { dnsNames, validityPeriodHours, earlyRenewalHours } = certificate?.inputs ?? {};
  assert.deepEqual(dnsNames, [two, `*.${two}`, `cdn.${two}`, `*.cdn.${two}`]);
  assert.deepEqual([validityPeriodHours, earlyRenewalHours], [720, 240]);
  const supplied = resources.filter(({ type }) => type.endsWith("OnionCertificate"));
  assert.deepEqual(supplied.map(({ name }) => name).sort(), [
    "a.test-upstream-certificate",
    "b.test-certificate",
    "news-certificate",
    "news-upstream-certificate",
  ]);
  for (const { secretInputs } of supplied) assert.ok(secretInputs.includes("key"));
});
