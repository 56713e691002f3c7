// Backup and restore with stacks in memory: what goes in comes out, and what fails leaves nothing behind.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { keysOfSeed } from "../../onion/keys";
import { main as restoreMain } from "../restore";
import { main as backupMain } from "./index";
import { packBackup, readBackup, sha256 } from "./contents";
import { parseNote } from "./note";
import { hidden, type Kept, sampleState, stacksIn } from "./samples";
import { BackupError, seal, unseal } from "./seal";
import type { Stacks } from "./stacks";
import { keysIn } from "./stateKeys";
import { packTar, unpackTar } from "./tar";

const passphrase = "five random words here";
const www = keysOfSeed(randomBytes(32));
const tips = keysOfSeed(randomBytes(32));
const given = Buffer.from(tips.secretFile).toString("base64");
const pem = "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n";
const configText = `# ours
encryptionsalt: old
config:
  softmap:workers: 3 # was 2
  softmap:siteKeys: { tips.example.org: { secure: "${hidden(given)}" } }
  softmap:tlsKeys:
    www.example.org:
      secure: "${hidden(pem)}"
  softmap:projects: [{ name: news, certificate: chain.pem }]
`;
const secrets = [passphrase, given, Buffer.from(www.secretFile).toString("base64"), "PRIVATE KEY"];
const root = mkdtempSync(join(tmpdir(), "softmap-backup-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** A machine: a folder, its stacks, and what its operator types. */
class Machine {
  readonly folder = mkdtempSync(join(root, "machine-"));
  readonly kept = new Map<string, Kept>();
  readonly said: string[] = [];
  typed: string[] = [];
  fails: (keyof Stacks)[] = [];

  constructor(readonly salt: string) {}

  at(name: string): string {
    return join(this.folder, name);
  }

  /** The stack that everything here is about. */
  deployed(): this {
    this.kept.set("prod", {
      salt: this.salt,
      state: sampleState({ "www.example.org": www, "tips.example.org": tips }),
    });
    writeFileSync(this.at("Pulumi.prod.yaml"), configText);
    return this;
  }

  async run(command: "backup" | "restore", ...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const { folder, kept, salt, fails } = this;
    const [out, err]: [string[], string[]] = [[], []];
    const code = await (command === "backup" ? backupMain : restoreMain)(
      args,
      { out: (line) => out.push(line), err: (line) => err.push(line) },
      {
        stacks: () => stacksIn(folder, kept, { salt, fails }),
        ask: async () => this.typed.shift() ?? assert.fail("asked once too often"),
        now: () => new Date("2026-01-02T03:04:05Z"),
        workFactor: 4,
      },
    );
    const said = { code, out: out.join("\n"), err: err.join("\n") };
    for (const secret of secrets) assert.ok(!(said.out + said.err).includes(secret), said.out + said.err);
    return said;
  }

  /** Everything of it, to see that nothing has changed. */
  all(): unknown {
    const files = readdirSync(this.folder).map((name) => [name, readFileSync(this.at(name), "utf8")]);
    return structuredClone([[...this.kept], files]);
  }
}

async function backedUp(): Promise<string> {
  const old = new Machine("old").deployed();
  old.typed = [passphrase, passphrase];
  const { code, err } = await old.run("backup", "--out", old.at("b.age"));
  assert.equal(code, 0, err);
  return old.at("b.age");
}

describe("backup", () => {
  test("one file for its owner alone, read again, and noted beside the config", async () => {
    const file = await backedUp();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const note = parseNote(readFileSync(join(file, "..", "Pulumi.prod.backup.json"), "utf8"));
    const sites = [
      { domain: "www.example.org", address: www.address },
      { domain: "tips.example.org", address: tips.address },
    ];
    const hash = sha256(readFileSync(file));
    assert.deepEqual(note?.backups, [{ made: "2026-01-02T03:04:05.000Z", file: "b.age", sha256: hash, sites }]);
    const archive = await unseal("b.age", readFileSync(file), { passphrase });
    const files = unpackTar(archive);
    assert.deepEqual(
      Buffer.from(files.get(`sites/${tips.address}/hs_ed25519_secret_key`) ?? []),
      Buffer.from(tips.secretFile),
    );
    assert.equal(Buffer.from(files.get(`sites/${tips.address}/hostname`) ?? []).toString(), `${tips.address}\n`);
    const { config, manifest } = readBackup("b.age", archive);
    assert.ok(config?.text.includes(given));
    assert.deepEqual([manifest.backends, manifest.outside], [1, ["chain.pem"]]);
  });

  test("for recipients; as JSON", async () => {
    const old = new Machine("old").deployed();
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const { code, out } = await old.run("backup", "--json", "--recipient", recipient, "--out", old.at("r.age"));
    assert.equal(code, 0);
    const told = JSON.parse(out) as { sha256: string; sites: unknown[] };
    assert.deepEqual([told.sha256, told.sites.length], [sha256(readFileSync(old.at("r.age"))), 2]);
    writeFileSync(old.at("key"), `# mine\n${identity}\n`);
    assert.equal((await old.run("restore", "--look", "--identity", old.at("key"), old.at("r.age"))).code, 0);
    assert.match((await old.run("restore", "--look", old.at("r.age"))).err, /sealed for recipients/);
  });

  test("what cannot be: nothing is written", async () => {
    const old = new Machine("old").deployed();
    writeFileSync(old.at("there.age"), "x");
    const before = old.all();
    const says = async (pattern: RegExp, ...args: string[]): Promise<void> => {
      const { err, code } = await old.run("backup", ...args);
      assert.match(err, pattern);
      assert.notEqual(code, 0);
    };
    const out = ["--out", old.at("b.age")];
    await says(/--out FILE is missing/);
    await says(/is there already/, "--out", old.at("there.age"));
    await says(/none of age's/, ...out, "--recipient", "age1nobody");
    await says(/secret key: regard it as seen/, ...out, "--recipient", "AGE-SECRET-KEY-1QQ");
    await says(/cannot be read \(ENOENT\)/, ...out, "--passphrase-file", old.at("nothing"));
    old.typed = ["too short"];
    await says(/has 9 characters/, ...out);
    old.typed = [passphrase, "five other words here"];
    await says(/not the same/, ...out);
    old.typed = [passphrase, passphrase];
    await says(/cannot be written \(ENOENT\)/, "--out", old.at("no/folder/b.age"));
    old.fails = ["clearState"];
    await says(/pulumi cannot clearState/, ...out);
    old.fails = [];
    assert.deepEqual(old.all(), before);
    old.kept.set("prod", { salt: "old", state: sampleState({}) });
    await says(/no site's key/, ...out);
    assert.ok(!existsSync(old.at("b.age")));
  });

  test("a state that lacks the key of a site of its outputs is refused, and one whose keys are encrypted", () => {
    const stack = { full: "o/softmap/prod", short: "prod", project: "softmap" };
    const rest = { config: undefined, stack, versions: { softmap: "1", pulumi: "1", node: "1" }, made: new Date() };
    const state = JSON.parse(sampleState({ a: www, b: tips })) as { deployment: { resources: unknown[] } };
    state.deployment.resources.splice(1, 1);
    assert.throws(() => packBackup({ ...rest, state: JSON.stringify(state) }), /no key of a \(/);
    const encrypted = sampleState({ a: www }).replaceAll('"plaintext"', '"ciphertext"');
    assert.throws(() => packBackup({ ...rest, state: encrypted }), /no key that belongs to/);
    assert.throws(() => packBackup({ ...rest, state: "rubbish" }), BackupError);
  });
});

describe("restore", () => {
  test("on a machine that has nothing: the same keys, the same config, encrypted its own way", async () => {
    const file = await backedUp();
    const fresh = new Machine("new");
    fresh.typed = [passphrase];
    const { code, out, err } = await fresh.run("restore", file);
    assert.equal(code, 0, err);
    assert.match(out, /Stack prod is restored: 4 resources, keys: 2 of sites, 1 of backends/);
    assert.match(out, /names files that are not here: chain\.pem/);
    const text = readFileSync(fresh.at("Pulumi.prod.yaml"), "utf8");
    assert.match(text, /^encryptionsalt: new$/m);
    assert.match(text, /softmap:workers: 3 # was 2/);
    for (const secret of secrets) assert.ok(!text.includes(secret));
    const state = fresh.kept.get("prod")?.state ?? "";
    assert.match(state, /"secrets_providers":\{"salt":"new"\}/);
    assert.deepEqual(
      keysIn(state)
        .map(({ address, kind }) => [address, kind])
        .slice(0, 2),
      [
        [www.address, "site"],
        [tips.address, "site"],
      ],
    );
  });

  test("under another name, every URN is of that stack", async () => {
    const fresh = new Machine("new");
    fresh.typed = [passphrase];
    assert.equal((await fresh.run("restore", "--stack", "organization/softmap/next", await backedUp())).code, 0);
    const state = fresh.kept.get("next")?.state ?? "";
    assert.ok(!state.includes("urn:pulumi:prod::"));
    assert.match(state, /urn:pulumi:next::softmap::/);
  });

  test("a look changes nothing", async () => {
    const fresh = new Machine("new");
    fresh.typed = [passphrase];
    const { code, out } = await fresh.run("restore", "--look", await backedUp());
    assert.equal(code, 0);
    assert.match(out, new RegExp(`^site +${www.address.replace(".", "\\.")} www\\.example\\.org$`, "m"));
    assert.match(out, /It is whole/);
    assert.deepEqual(fresh.all(), [[], []]);
  });

  test("whatever Pulumi fails at, all is as it was before", async () => {
    const file = await backedUp();
    for (const there of [false, true])
      for (const what of ["create", "setSecret", "importState", "clearState", "clearConfig"] as const) {
        if (there && (what === "create" || what === "importState")) continue; // the first is not asked; of the second the way back fails too
        const machine = there ? new Machine("old").deployed() : new Machine("new");
        machine.typed = [passphrase];
        machine.fails = [what];
        const before = machine.all();
        const { code, err } = await machine.run("restore", ...(there ? ["--force"] : []), file);
        assert.equal(code, 1);
        assert.match(
          err,
          new RegExp(`pulumi cannot ${what}\\.\nNothing is restored: all is as it was before\\.\n  Next: `),
        );
        assert.deepEqual(machine.all(), before, what);
      }
  });

  test("a stack or a config that is there is not overwritten without --force, and the config is kept then", async () => {
    const file = await backedUp();
    const there = new Machine("old").deployed();
    there.typed = Array.from({ length: 9 }, () => passphrase);
    assert.match((await there.run("restore", file)).err, /^Stack prod is there, with 4 resources/);
    there.kept.clear();
    writeFileSync(there.at("Pulumi.prod.yaml"), configText.replace("workers: 3", "workers: 4"));
    const before = there.all();
    assert.match((await there.run("restore", file)).err, /says something else than the backup's/);
    assert.deepEqual(there.all(), before);
    assert.equal((await there.run("restore", "--force", file)).code, 0);
    assert.match(readFileSync(there.at("Pulumi.prod.yaml.before-restore"), "utf8"), /workers: 4/);
    assert.match(readFileSync(there.at("Pulumi.prod.yaml"), "utf8"), /workers: 3/);
  });

  test("each thing that is wrong with a backup has its own words", async () => {
    const file = await backedUp();
    const whole = readFileSync(file);
    const fresh = new Machine("new");
    const archive = await unseal("b", whole, { passphrase });
    const files = unpackTar(archive);
    const changed = async (path: string, change: (text: string) => string): Promise<Uint8Array> => {
      const other = new Map(files).set(
        path,
        Buffer.from(change(Buffer.from(files.get(path) ?? []).toString("latin1")), "latin1"),
      );
      return seal(packTar(other, 0), { passphrase }, 4);
    };
    const without = new Map([...files].filter(([path]) => path !== "state.json"));
    const cases: [RegExp, Uint8Array, string?][] = [
      [/^The passphrase is not that of/, whole, "another passphrase"],
      [/is cut off or was changed/, whole.subarray(0, whole.length - 1)],
      [/is empty/, Buffer.alloc(0)],
      [/it is not in the age format/, Buffer.from("PK\x03\x04 a zip")],
      [
        /its part state\.json is not what its manifest says/,
        await changed("state.json", (text) => text.replace("prod", "prof")),
      ],
      [/its part state\.json is missing/, await seal(packTar(without, 0), { passphrase }, 4)],
      [
        /made by a newer softmap: it has form 2/,
        await changed("manifest.json", (text) => text.replace('"version": 1', '"version": 2')),
      ],
      [/holds no backup: /, await seal(Buffer.from("text"), { passphrase }, 4)],
      [
        /holds no backup of a softmap stack/,
        await seal(packTar(new Map([["a", Buffer.alloc(1)]]), 0), { passphrase }, 4),
      ],
      [
        /the key of gone\.example \(x\.onion\) is not in it/,
        await changed("manifest.json", (text) =>
          text.replace('"sites": [', '"sites": [{ "domain": "gone.example", "address": "x.onion" },'),
        ),
      ],
      [/manifest does not know its part sites\/x/, await changed("sites/x", () => "")],
      [/manifest is not of the form/, await changed("manifest.json", (text) => text.replace('"sites"', '"pages"'))],
    ];
    for (const [pattern, bytes, typed = passphrase] of cases) {
      writeFileSync(fresh.at("b.age"), bytes);
      fresh.typed = [typed];
      const { code, err } = await fresh.run("restore", fresh.at("b.age"));
      assert.equal(code, 1, String(pattern));
      assert.match(err, pattern);
      assert.match(err, /\n {2}Next: /);
      assert.equal(fresh.kept.size, 0);
      assert.deepEqual(readdirSync(fresh.folder), ["b.age"]);
    }
    assert.match((await fresh.run("restore", fresh.at("nothing"))).err, /there is no such file/);
    assert.equal((await fresh.run("restore")).code, 2);
    assert.equal((await fresh.run("restore", "--identity", "a", "--passphrase-file", "b", "c")).code, 2);
  });
});
