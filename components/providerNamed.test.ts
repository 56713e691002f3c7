import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { throughTheState } from "../tests/closure";
import { providers } from "./providerKinds";
import { providerNamed } from "./providerNamed";

const kinds = Object.keys(providers) as (keyof typeof providers)[];

/** The methods that a component names: the state's text has these and no others. */
function namedIn(kind: string): string[] {
  const file = `${kind === "HostKey" ? "hosts/" : ""}${kind.charAt(0).toLowerCase()}${kind.slice(1)}.ts`;
  const [, list = ""] =
    new RegExp(`providerNamed\\("${kind}", \\[([^\\]]*)\\]\\)`).exec(readFileSync(join(__dirname, file), "utf8")) ?? [];
  return [...list.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
}

test("each component names exactly the methods that its provider has", () => {
  for (const kind of kinds) assert.deepEqual(namedIn(kind).sort(), Object.keys(providers[kind]).sort(), kind);
});

test("what the state has of a provider is small, the same for all but its name, and names no place", async () => {
  for (const kind of kinds) {
    const { text } = await throughTheState(
      providerNamed(kind, ["check", "diff", "create", "update", "read", "delete"]),
    );
    assert.ok(text.length < 6000, `${kind}: ${text.length} bytes`);
    const needs = [...text.matchAll(/require\("([^"]+)"\)/g)].map(([, module = ""]) => module);
    assert.deepEqual(
      needs.filter(
        (module) => !builtinModules.includes(module.replace(/^node:/, "")) && module !== "softmap/providers",
      ),
      [],
    );
    assert.equal(text.includes(process.cwd()), false);
  }
});

test("it finds its code by name, from the program's folder", async () => {
  const { provider } = await throughTheState<{ silent: unknown }>(
    providerNamed("RollCall", ["diff", "create", "update"]),
  );
  assert.deepEqual(await provider.diff("id", { silent: [] }, { silent: [] }), { changes: false });
  await assert.rejects(
    provider.create({ silent: [{ host: "w1", component: "workers", why: "asleep" }] }),
    /w1 did not answer/,
  );
});
