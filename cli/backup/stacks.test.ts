// Backup and restore with Pulumi's own CLI, its state in folders, two passphrases: what no stack in memory can prove.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { engineEnvironment } from "../../lab/engine/engine";
import { keysOfSeed } from "../../onion/keys";
import { main as restoreMain } from "../restore";
import { main as backupMain } from "./index";
import { importable } from "./stateKeys";
import { sampleState } from "./samples";
import { pulumiStacks } from "./stacks";

const bin = resolve("node_modules/.bin");
const passphrase = "five random words here";
const root = mkdtempSync(join(tmpdir(), "softmap-stacks-"));
after(() => rmSync(root, { recursive: true, force: true }));
const pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n";
const key = (seed: Buffer): string => Buffer.from(keysOfSeed(seed).secretFile).toString("base64");

/** A machine whose Pulumi has a passphrase, and no stack; this process's environment is that of its shell from here on. */
function machine(name: string, secret: string) {
  const folder = join(root, name);
  mkdirSync(join(folder, "program"), { recursive: true });
  mkdirSync(join(folder, "state"));
  writeFileSync(
    join(folder, "program", "Pulumi.yaml"),
    "name: softmap\nruntime: nodejs\nconfig:\n  siteKeys: { secret: true, default: {} }\n",
  );
  const sit = (): void =>
    void Object.assign(process.env, engineEnvironment(), {
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: secret,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PATH: `${bin}:${process.env["PATH"]}`,
    });
  sit();
  const file = (stack: string): string => join(folder, "program", `Pulumi.${stack}.yaml`);
  const stacks = (configFile?: string) => pulumiStacks(configFile, join(folder, "program"));
  return { folder, stacks, file, sit };
}

/** Runs a command of ours there. */
async function run(main: typeof backupMain, stacks: ReturnType<typeof machine>["stacks"], ...args: string[]) {
  const said: string[] = [];
  const line = (text: string): void => void said.push(text);
  const tools = { stacks, ask: async () => passphrase, now: () => new Date(), workFactor: 4 };
  const code = await main(args, { out: line, err: line }, tools);
  return { code, said: said.join("\n") };
}

test("a stack goes from one Pulumi to another one with another passphrase", { timeout: 180_000 }, async () => {
  const seeds = [randomBytes(32), randomBytes(32)] as const;
  const given = key(seeds[1]);
  const old = machine("old", "the old passphrase");
  const sites = { "www.example.org": keysOfSeed(seeds[0]), "tips.example.org": keysOfSeed(seeds[1]) };
  const stacks = old.stacks();
  const encryption = await stacks.create("prod");
  writeFileSync(
    old.file("prod"),
    `encryptionsalt: ${encryption.encryptionsalt}\nconfig:\n  # how many\n  softmap:workers: 3\n  softmap:hosts: { provider: ssh, agent: true }\n`,
  );
  await stacks.setSecret("prod", { path: ["softmap:siteKeys", "tips.example.org"], value: given });
  await stacks.setSecret("prod", { path: ["softmap:tlsKeys", "www.example.org"], value: pem });
  const { deployment } = JSON.parse((await stacks.state("prod")) ?? "") as { deployment: Record<string, unknown> };
  const resources = JSON.parse(sampleState(sites)) as { deployment: { resources: Record<string, unknown>[] } };
  for (const each of resources.deployment.resources)
    each["type"] = String(each["urn"]).split("::")[2]?.split("$").at(-1);
  const providers = deployment["secrets_providers"];
  await stacks.importState("prod", importable(JSON.stringify(resources), { providers, from: "prod", to: "prod" }));
  assert.ok(!(await stacks.state("prod"))?.includes(given), "the state is encrypted");

  const backup = join(root, "b.age");
  const made = await run(backupMain, old.stacks, "--stack", "prod", "--out", backup);
  assert.equal(made.code, 0, made.said);

  const fresh = machine("new", "another passphrase");
  const went = await run(restoreMain, fresh.stacks, backup);
  assert.equal(went.code, 0, went.said);
  const text = readFileSync(fresh.file("prod"), "utf8");
  assert.match(text, /# how many/);
  assert.match(text, /tips\.example\.org:\s+secure: v1:/);
  const values = await fresh.stacks().clearConfig("prod");
  assert.deepEqual(values["softmap:siteKeys"]?.objectValue, { "tips.example.org": given });
  assert.equal(values["softmap:workers"]?.value, "3");
  for (const state of globSync("state/**/*", { cwd: fresh.folder, withFileTypes: true }).filter((each) =>
    each.isFile(),
  ))
    assert.ok(!readFileSync(join(state.parentPath, state.name)).includes(given), state.name);
  assert.ok((await fresh.stacks().clearState("prod")).includes(given));

  // Under another name beside it, with a config file elsewhere; then in the place of one that is there.
  const elsewhere = join(fresh.folder, "elsewhere.yaml");
  const next = ["--stack", "next", "--config-file", elsewhere];
  assert.equal((await run(restoreMain, fresh.stacks, ...next, backup)).code, 0);
  assert.match(await fresh.stacks(elsewhere).clearState("next"), /urn:pulumi:next::softmap::/);
  assert.deepEqual((await fresh.stacks(elsewhere).clearConfig("next"))["softmap:siteKeys"]?.objectValue, {
    "tips.example.org": given,
  });
  assert.deepEqual(globSync("program/Pulumi.*.yaml", { cwd: fresh.folder }), ["program/Pulumi.prod.yaml"]);
  assert.match((await run(restoreMain, fresh.stacks, backup)).said, /^Stack prod is there, with 4 resources/);
  const again = await run(restoreMain, fresh.stacks, "--force", backup);
  assert.equal(again.code, 0, again.said);

  // Where Pulumi itself fails nothing stays, and what it says shows no key.
  const bare = machine("bare", "x");
  delete process.env["PULUMI_CONFIG_PASSPHRASE"];
  const failed = await run(restoreMain, bare.stacks, backup);
  assert.equal(failed.code, 1);
  assert.match(failed.said, /passphrase must be set[^]*Nothing is restored: all is as it was before/);
  assert.deepEqual(globSync("program/*", { cwd: bare.folder }), ["program/Pulumi.yaml"]);
  assert.deepEqual(globSync("state/**/*.json", { cwd: bare.folder }), []);
  for (const { said } of [made, went, again, failed])
    for (const secret of [given, passphrase, "PRIVATE KEY"]) assert.ok(!said.includes(secret), said);
});

test("what is no project, and no stack", { timeout: 60_000 }, async () => {
  assert.throws(() => pulumiStacks(undefined, "/"), /There is no Pulumi\.yaml here\./);
  const { stacks } = machine("none", "x");
  assert.equal(await stacks().state("nobody"), undefined);
  const { code, said } = await run(backupMain, stacks, "--stack", "nobody", "--out", join(root, "c.age"));
  assert.equal(code, 1);
  assert.match(said, /no stack named 'nobody' found\n {2}Next: /);
});
