import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { throughTheState } from "../../tests/closure";
import { readNetworkFile } from "./labFolder";
import { labHostProvider } from "./labHostProvider";

// A lab program of the test's own: it says where it ran and what it was asked.
const program = `
const host = { name: "w1", address: "192.0.2.7", port: 22, user: process.cwd(), hostKey: "k", instance: process.argv.slice(2).join(" ") };
if (process.argv.includes("gone")) process.exit(3);
if (process.argv.includes("broken")) { console.error("no room"); process.exit(1); }
console.log("booting");
console.log(JSON.stringify(host));
`;
const folder = realpathSync(mkdtempSync(join(tmpdir(), "softmap-labhost-")));
const root = join(folder, "clone");
const labs = join(folder, "cache", "softmap", "labs");
const saved = { cache: process.env["XDG_CACHE_HOME"], home: process.env["HOME"] };
const network = (lab: string, content: object): void => {
  mkdirSync(join(labs, lab), { recursive: true });
  writeFileSync(join(labs, lab, "network.json"), JSON.stringify(content));
};
const provider = throughTheState<object>(labHostProvider);

before(() => {
  mkdirSync(join(root, "lab"), { recursive: true });
  writeFileSync(join(root, "lab", "main.ts"), program);
  for (const name of ["node_modules", "tsconfig.json", "cli"]) symlinkSync(resolve(name), join(root, name));
  network("dev", { root });
});
beforeEach(() => {
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
});
after(() => {
  for (const [name, value] of Object.entries({ XDG_CACHE_HOME: saved.cache, HOME: saved.home })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  rmSync(folder, { recursive: true });
});

test("the lab's command runs in the lab's own program, wherever the deployment's is", async () => {
  const loaded = (await provider).provider;
  const { id, outs } = await loaded.create({ lab: "dev", host: "w1" });
  const asked = "--name dev host up w1";
  const known = { name: "w1", address: "192.0.2.7", port: 22, hostKey: "k" };
  assert.deepEqual([id, outs], ["dev/w1", { ...known, user: root, instance: asked, lab: "dev", host: "w1" }]);
});

test("a host that is gone, and a lab that is down, have nothing to show; a failure is told", async () => {
  const read = labHostProvider.read?.bind(labHostProvider);
  const state = (lab: string, host: string) => ({ lab, host }) as Parameters<NonNullable<typeof read>>[1];
  assert.deepEqual(await read?.("dev/gone", state("dev", "gone")), {});
  assert.deepEqual(await read?.("down/w1", state("down", "w1")), {});
  const loaded = (await provider).provider;
  await assert.rejects(loaded.create({ lab: "dev", host: "broken" }), /lab host broken: up failed\.\nno room/);
  await assert.rejects(
    loaded.create({ lab: "down", host: "w1" }),
    /the lab down is not up\. Next: npm run lab -- --name down up/,
  );
  network("old", { torrc: [] });
  await assert.rejects(loaded.create({ lab: "old", host: "w1" }), /does not say where its program is\. Next: /);
});

test("an empty XDG_CACHE_HOME is none", () => {
  const home = join(folder, "home");
  mkdirSync(join(home, ".cache", "softmap", "labs", "dev"), { recursive: true });
  writeFileSync(join(home, ".cache", "softmap", "labs", "dev", "network.json"), JSON.stringify({ root: "at home" }));
  process.env["HOME"] = home;
  process.env["XDG_CACHE_HOME"] = "";
  assert.equal(readNetworkFile("dev").root, "at home");
});

test("what the state holds of the provider names no folder of this machine", async () => {
  const { text } = await provider;
  for (const place of [process.cwd(), folder]) assert.ok(!text.includes(place), place);
});
