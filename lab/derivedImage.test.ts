import assert from "node:assert/strict";
import { test } from "node:test";
import { containerfile, derivedName } from "./derivedImage";
import { imageName } from "./image";
import { dnsConfig } from "./originPages";

test("a derived image is built on the host image in one layer, no daemon runs meanwhile, and its tag is its recipe's", () => {
  const text = containerfile({ name: "x", packages: ["a", "b"], disabled: ["a.service"], finish: "true" });
  const [from, ran = ""] = text.split("\n");
  assert.equal(from, `FROM ${imageName()}`);
  const script = (JSON.parse(ran.replace("RUN ", "")) as string[])[2] ?? "";
  assert.ok(script.indexOf("policy-rc.d") < script.indexOf("apt-get install"), script);
  assert.match(script, /install .* a b\nsystemctl disable -q a\.service\ntrue\n/);
  const name = derivedName({ name: "x", packages: ["a"] });
  assert.match(name, /^localhost\/softmap-x:[0-9a-f]{12}$/);
  assert.notEqual(name, derivedName({ name: "x", packages: ["b"] }));
});

test("the lab's DNS knows a hosted domain with all its subdomains", () => {
  const config = dnsConfig("10.0.0.2", ["a.test"], {}, { "b.test": "10.0.0.11" });
  assert.match(config, /^address=\/b\.test\/10\.0\.0\.11$/m);
});
