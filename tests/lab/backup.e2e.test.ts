// One machine serves two sites; a backup and a mirror are made. Then everything burns: the machine, the stack's state, its config. On a machine that
// has nothing the stack is restored from the one file, and the same addresses answer.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseNote, uncovered } from "../../cli/backup/note";
import { hostDown, hostUp, readNetwork, type HostInfo } from "../../lab/lab";
import { pulumi } from "../../lab/pulumi";
import { keysOfSeed } from "../../onion/keys";
import { Rehearsal } from "./fixture";

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe("backup, mirror, restore", { timeout: 12 * 60_000 }, () => {
  const tips = keysOfSeed(randomBytes(32));
  const passphrase = `five random words ${randomBytes(9).toString("hex")}`;
  const elsewhere = `another ${randomBytes(9).toString("hex")}`;
  let rehearsal: Rehearsal;
  let solo: HostInfo;
  let folder: string;
  let onions: Record<string, string>;
  const everythingSaid: string[] = [];
  const inFolder = (name: string): string => join(folder, name);

  before(async () => {
    rehearsal = await Rehearsal.start("e2ebackup");
    folder = mkdtempSync(join(tmpdir(), "softmap-e2ebackup-"));
    solo = await hostUp(rehearsal.lab, "solo");
    writeFileSync(inFolder("passphrase"), `${passphrase}\n`, { mode: 0o600 });
    await rehearsal.setSiteKey("tips.test", tips.secretFile);
    rehearsal.configure({
      ...rehearsal.solo(solo),
      projects: [
        {
          name: "news",
          softmapTorWorkers: 1,
          sites: [{ domain: "www.daily.test" }, { domain: "tips.test", onion: tips.address }],
        },
      ],
    });
    await rehearsal.up();
    onions = (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"] ?? {};
  });
  after(async () => {
    await rehearsal?.end();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** `softmap ARGS` as an operator runs it, in this shell or in that of the machine that has nothing. */
  async function softmap(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Said> {
    const child = spawn(process.execPath, ["cli/softmap.js", ...args], {
      env: { ...process.env, ...rehearsal.stack.environment, ...environment },
    });
    child.stdin.end();
    const texts = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.err += text));
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit) => resolve(exit ?? 255));
    });
    everythingSaid.push(texts.out, texts.err);
    console.log(`    softmap ${args[0]}: ${code}\n${(texts.out + texts.err).replaceAll(/^/gm, "    | ")}`);
    return { code, ...texts };
  }
  const stack = (): string[] => ["--stack", rehearsal.stack.name];
  const settings = (file = rehearsal.stack.configFile): string[] => ["--config-file", file];
  const secret = (): string[] => ["--passphrase-file", inFolder("passphrase")];

  test("a backup is one sealed file, and its note covers every site", async () => {
    const note = rehearsal.stack.configFile.replace(/yaml$/, "backup.json");
    const read = () => parseNote(existsSync(note) ? readFileSync(note, "utf8") : undefined);
    const sites = Object.entries(onions).map(([domain, address]) => ({ domain, address }));
    assert.equal(sites.length, 2);
    assert.match(uncovered(read(), sites).sentence, /in no backup/);

    const made = await softmap(["backup", ...stack(), ...settings(), ...secret(), "--out", inFolder("b.age")]);
    assert.equal(made.code, 0, made.err);
    assert.equal(statSync(inFolder("b.age")).mode & 0o777, 0o600);
    const sealed = readFileSync(inFolder("b.age"));
    assert.ok(sealed.toString("latin1").startsWith("age-encryption.org/v1\n-> scrypt "));
    for (const open of ["urn:pulumi", "www.daily.test", tips.address]) assert.ok(!sealed.includes(open), open);
    assert.equal(uncovered(read(), sites).sentence, "");
    assert.deepEqual(globSync("*.softmap-new", { cwd: folder }), []);

    const again = await softmap(["backup", ...stack(), ...settings(), ...secret(), "--out", inFolder("b.age")]);
    assert.equal(again.code, 1);
    assert.match(again.err, /is there already/);
    assert.deepEqual(readFileSync(inFolder("b.age")), sealed);

    const look = await softmap(["restore", "--look", ...secret(), inFolder("b.age")], {
      PULUMI_BACKEND_URL: "file:///",
    });
    assert.equal(look.code, 0, look.err);
    for (const address of Object.values(onions)) assert.ok(look.out.includes(address), address);
    assert.match(look.out, /secrets: softmap:siteKeys\["tips\.test"\]/);
  });

  test("a mirror has the serving releases and the journal, for its owner alone, and no key", async () => {
    const { code, out, err } = await softmap(["mirror", ...stack(), inFolder("mirror")]);
    assert.equal(code, 0, err);
    assert.match(out, /^solo: \d+ files, [1-9]\d* bytes of journal$/m);
    const files = globSync("**/*", { cwd: inFolder("mirror") }).map((name) => join(inFolder("mirror"), name));
    const plain = files.filter((file) => statSync(file).isFile());
    for (const wanted of [/releases\/worker\/nginx\/news\.conf$/, /releases\/publisher\/onionbalance\/config\.yaml$/])
      assert.ok(
        plain.some((file) => wanted.test(file)),
        String(wanted),
      );
    for (const file of files) {
      assert.equal(statSync(file).mode & 0o077, 0, file);
      if (statSync(file).isFile()) assert.doesNotMatch(readFileSync(file, "latin1"), /PRIVATE KEY|ed25519v1-secret/);
    }
    const journal = readFileSync(inFolder("mirror/solo/journal.log"), "utf8");
    assert.match(journal, /solo tor\[\d+\]: |solo Tor\[\d+\]: /);
  });

  test("everything burns; from the one file, on a machine that has nothing, the same addresses answer", async () => {
    rmSync(new URL(rehearsal.stack.environment["PULUMI_BACKEND_URL"] ?? ""), { recursive: true });
    rmSync(rehearsal.stack.configFile);
    await hostDown(rehearsal.lab, "solo");

    mkdirSync(inFolder("state"));
    const configFile = inFolder("Pulumi.e2ebackup.yaml");
    const here = { PULUMI_BACKEND_URL: `file://${inFolder("state")}`, PULUMI_CONFIG_PASSPHRASE: elsewhere };
    const restore = (...more: string[]) =>
      softmap(["restore", ...settings(configFile), ...more, inFolder("b.age")], here);

    writeFileSync(inFolder("wrong"), "not the passphrase\n");
    const wrong = await restore("--passphrase-file", inFolder("wrong"));
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /The passphrase is not that of b\.age\./);
    assert.deepEqual([globSync("state/**/*.json", { cwd: folder }), existsSync(configFile)], [[], false]);

    const went = await restore(...secret());
    assert.equal(went.code, 0, went.err);
    for (const address of Object.values(onions)) assert.ok(went.out.includes(address), address);
    assert.match(went.out, /Next: npx pulumi stack select e2ebackup/);
    assert.equal((await restore(...secret())).code, 1, "it does not overwrite a stack with resources");
    const restored = readFileSync(configFile, "utf8");
    assert.match(restored, /tips\.test:\s+secure: v1:/);

    // Another machine, with another host key, under the old name: that is corrected in the config, as the message says.
    const fresh = await hostUp(rehearsal.lab, "phoenix");
    assert.notEqual(fresh.hostKey, solo.hostKey);
    writeFileSync(configFile, restored.replace(solo.hostKey, fresh.hostKey).replaceAll(solo.address, fresh.address));
    const stackHere = { ...rehearsal.stack, configFile, environment: { ...rehearsal.stack.environment, ...here } };
    const onLine = (line: string): void => void (line.trim() !== "" && console.log(`    ${line.slice(0, 160)}`));
    for (const command of ["refresh", "up"]) {
      const run = await pulumi(stackHere, [command, "--yes", "--skip-preview"], { onLine });
      assert.equal(run.code, 0, run.stderr + run.stdout);
      everythingSaid.push(run.stdout, run.stderr);
    }
    const output = await pulumi(stackHere, ["stack", "output", "addresses", "--json"]);
    assert.deepEqual(JSON.parse(output.stdout), { news: onions });
    for (const [domain, address] of Object.entries(onions))
      assert.equal((await rehearsal.fetch(`http://${address}/`)).status, 200, domain);
  });

  test("no key and no passphrase was said, and none is on the disk unsealed", () => {
    const login = readFileSync(readNetwork(rehearsal.lab).privateKeyFile, "utf8").split("\n")[1] ?? "";
    const key = Buffer.from(tips.secretFile);
    const secrets = [passphrase, elsewhere, login, key.toString("base64"), key.subarray(32).toString("base64")];
    for (const each of secrets) assert.ok(each.length > 20);
    const said = everythingSaid.join("\n");
    assert.ok(said.length > 1000);
    for (const each of secrets) assert.ok(!said.includes(each));
    assert.doesNotMatch(said, /PRIVATE KEY|ed25519v1-secret/);
    const files = globSync("**/*", { cwd: folder }).filter((name) => name !== "passphrase");
    for (const name of files.filter((each) => statSync(inFolder(each)).isFile()))
      for (const each of secrets) assert.ok(!readFileSync(inFolder(name)).includes(each), name);
  });
});
