/** The plugin whose behaviour is tested: the stand-in, or a real one named by SOFTMAP_TLS_PLUGIN. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { after, before } from "node:test";
import { Plugin, type Properties } from "../../shared/testing/plugin";
import { plain, secret } from "../../shared/values";

/** The real plugin's executable, where one is named. */
export const real = process.env["SOFTMAP_TLS_PLUGIN"];

export const privateKey = "urn:pulumi:dev::softmap::tls:index/privateKey:PrivateKey::it";
export const selfSigned = "urn:pulumi:dev::softmap::tls:index/selfSignedCert:SelfSignedCert::it";

/** Starts the plugin before the tests of a suite and stops it after. */
export class Contract {
  plugin!: Plugin;

  constructor() {
    const file = real ?? join(__dirname, "..", "pulumi-resource-tls");
    before(async () => (this.plugin = await Plugin.start(file, __dirname)));
    after(() => this.plugin.close());
  }

  /** What the engine does: check, then create with what check made of it. */
  async create(urn: string, given: Properties, preview = false) {
    const { inputs, failures } = await this.plugin.check(urn, given);
    assert.deepEqual(failures, []);
    return { inputs, ...(await this.plugin.create(urn, inputs, preview)) };
  }

  /** A private key in PEM. */
  async key(inputs: Properties = { algorithm: "ECDSA", ecdsaCurve: "P256" }): Promise<string> {
    return plain((await this.create(privateKey, inputs)).state["privateKeyPem"]) as string;
  }

  /** A certificate as softmap asks for one. */
  async certify(more: Properties = {}) {
    const made = await this.create(selfSigned, {
      privateKeyPem: secret(await this.key()),
      subject: { commonName: "example.onion" },
      dnsNames: ["example.onion", "*.example.onion"],
      allowedUses: ["digital_signature", "server_auth"],
      validityPeriodHours: 48,
      earlyRenewalHours: 16,
      ...more,
    });
    return { ...made, certificate: new X509Certificate(made.state["certPem"] as string) };
  }
}
