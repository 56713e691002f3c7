import assert from "node:assert/strict";
import { test } from "node:test";
import { loadProvider } from "../tests/closure";
import { providerText } from "./providedResource";
import { providers } from "./providerKinds";

const kinds = Object.keys(providers) as (keyof typeof providers)[];

test("what the state has of a provider is one line, the same for all but its name, and names no place", () => {
  for (const kind of kinds) {
    const text = providerText(kind);
    assert.ok(text.length < 200, `${kind}: ${text.length} bytes`);
    assert.equal(text.replace(kind, "FileSet"), providerText("FileSet"));
    assert.equal(text.includes(process.cwd()), false);
  }
});

test("it finds its code by name, from the program's folder", () => {
  for (const kind of kinds) assert.equal(loadProvider(providerText(kind)), providers[kind]);
});
