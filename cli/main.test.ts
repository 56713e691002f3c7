import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands, main, mainOf } from "./main";

async function said(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const lines = { out: "", err: "" };
  const code = await main(args, {
    out: (text) => (lines.out += `${text}\n`),
    err: (text) => (lines.err += `${text}\n`),
  });
  return { code, ...lines };
}

describe("the desk", () => {
  test("lists every command, without a word too", async () => {
    for (const words of [[], ["help"], ["--help"], ["-h"]]) {
      const { code, out } = await said(...words);
      assert.equal(code, 0);
      for (const { name, summary } of commands) assert.match(out, new RegExp(`^  ${name} +${summary}$`, "m"));
    }
  });

  test("says what was meant", async () => {
    const { code, err } = await said("statsu");
    assert.equal(code, 2);
    assert.equal(err, "There is no command statsu.\n  Next: did you mean status?\n");
  });

  test("names are there once", () => {
    assert.equal(new Set(commands.map(({ name }) => name)).size, commands.length);
  });

  for (const command of commands) {
    test(`${command.name}: has a function, and a usage that names it`, async () => {
      assert.equal(typeof mainOf(command), "function");
      for (const words of [
        [command.name, "--help"],
        ["help", command.name],
      ]) {
        const { code, out, err } = await said(...words);
        assert.deepEqual([code, err], [0, ""]);
        assert.match(out, new RegExp(`^usage: npx softmap ${command.name}\\b`));
      }
    });
  }
});
