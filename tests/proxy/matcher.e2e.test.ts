import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { KEPT, NAMES, part, sizes } from "./documents";
import { LuaMatcher } from "./matcherKit";
import { reference, type Rules } from "./reference";

const ONION = `${"a".repeat(55)}d.onion`;
const SHOP = `${"b".repeat(55)}d.onion`;
const rulesOf = (scheme: "plain" | "tls" | undefined, emails: boolean): Rules => ({
  hosts: NAMES.map((from, k) => ({ from, to: k === 1 ? SHOP : ONION, ...(scheme && { scheme }) })),
  keep: KEPT,
  texts: [{ from: 'integrity="sha', to: '_integrity="sha' }],
  emails,
});

let lua: LuaMatcher;
before(async () => {
  lua = await LuaMatcher.start();
});
after(() => lua.stop());

test("random documents: the matcher is the reference, however the text is cut", { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 14 }).map((parts) => parts.join("")),
      fc.record({
        scheme: fc.constantFrom("plain" as const, "tls" as const, undefined),
        emails: fc.boolean(),
        html: fc.boolean(),
      }),
      sizes,
      async (text, { scheme, emails, html }, random) => {
        const rules = rulesOf(scheme, emails);
        const expected = reference(rules, text, html);
        assert.equal(await lua.all(rules, text, html), expected, "whole");
        const cut = await lua.cut(rules, text, html, [[1], random, [65536]]);
        for (const out of cut) assert.equal(out, expected, "cut");
      },
    ),
    { numRuns: Number(process.env["RUNS"] ?? 1500) },
  );
});
