import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LuaMatcher, luaRules } from "./matcherKit";
import type { Rules } from "./reference";

const rules: Rules = { hosts: [{ from: "example.com", to: `${"a".repeat(56)}.onion`, scheme: "plain" }] };
let lua: LuaMatcher;
before(async () => {
  lua = await LuaMatcher.start();
});
after(() => lua.stop());

// without the compiler every step costs what it costs: what is not linear takes minutes then
for (const unit of [
  ".example.com",
  "example.com..",
  "example.com%61.",
  "@",
  "@example.com ",
  "\\",
  "%25",
  "https://a",
  "a",
  "https:",
  "//a:",
  "%2F",
  "w",
]) {
  test(`1 MB of ${unit} takes linear time`, { timeout: 60_000 }, async () => {
    const [seconds = "", length = ""] = await lua.lua(`
      jit.off() jit.flush()
      local m = matcher.compile(${luaRules(rules)})
      local text = ([[${unit}]]):rep(math.floor(1e6 / ${unit.length}))
      local from, length = os.clock(), 0
      for _, out in ipairs(kit.feed(m, false, kit.cut(text, {16384}))) do length = length + #out end
      jit.on()
      return os.clock() - from, length`);
    assert.ok(Number(length) > 900_000);
    assert.ok(Number(seconds) < 5, `${seconds} s`);
  });
}

test("100 MB in chunks take no memory", { timeout: 120_000 }, async () => {
  const [growth = ""] = await lua.lua(`
    local m = matcher.compile(${luaRules(rules)})
    local chunk = ("<a href='https://www.example.com/'>x</a> https://aaaa"):rep(310)
    local stream, most = m:stream(false), 0
    for _ = 1, 50 do stream:feed(chunk) end
    collectgarbage() collectgarbage()
    local before = collectgarbage("count")
    for k = 1, 6300 do
      stream:feed(chunk)
      if k % 500 == 0 then collectgarbage() most = math.max(most, collectgarbage("count") - before) end
    end
    return most`);
  assert.ok(Number(growth) < 200, `${growth} kB more`);
});
