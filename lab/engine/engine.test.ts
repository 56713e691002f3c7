import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { goEnvironment, neededGo, olderGo } from "./build";
import { engineEnvironment, ensureEngine } from "./engine";
import { builtHome, cli, engineCache, nodeHostLauncher, ordinaryHome, pulumiVersion, recipeHash } from "./recipe";
import { installStandins, standins } from "./standins";

const names = ["HOME", "XDG_CACHE_HOME", "PULUMI_HOME", "PATH"] as const;
const saved = Object.fromEntries(names.map((name) => [name, process.env[name]]));
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "softmap-engine-"));
  process.env["HOME"] = join(folder, "home");
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  delete process.env["PULUMI_HOME"];
});
afterEach(() => {
  for (const name of names) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
  rmSync(folder, { recursive: true });
});

function place(home: string): void {
  mkdirSync(dirname(cli(home)), { recursive: true });
  writeFileSync(cli(home), "#!/bin/sh\n", { mode: 0o755 });
}

describe("which engine", () => {
  test("none yet, or Pulumi's own: nothing is set", async () => {
    assert.deepEqual(engineEnvironment(), {});
    place(ordinaryHome());
    const said: string[] = [];
    const engine = await ensureEngine((line) => said.push(line));
    assert.deepEqual(engine, { kind: "pulumi", version: pulumiVersion, environment: {} });
    assert.deepEqual(said, []);
  });

  test("a built one is used without asking the network again, and announced with its stand-ins in one line", async () => {
    place(builtHome());
    const said: string[] = [];
    const { kind, environment } = await ensureEngine((line) => said.push(line));
    assert.equal(kind, "built");
    assert.equal(environment["PULUMI_HOME"], builtHome());
    assert.equal(environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"], "true");
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /stand-ins for plugins: command 1\.2\.1, tls 5\.6\.1, aws 7\.48\.0 /);
  });

  test("Pulumi's own wins as soon as it is there, also in a shell that entered the lab before", () => {
    place(builtHome());
    process.env["PULUMI_HOME"] = builtHome();
    assert.equal(ordinaryHome(), join(folder, "home", ".pulumi"));
    place(ordinaryHome());
    assert.deepEqual(engineEnvironment(), {});
  });

  test("the home lies in the cache and is named by the recipe", () => {
    assert.match(recipeHash(), /^[0-9a-f]{16}$/);
    assert.equal(builtHome(), join(folder, "cache", "softmap", "engine", recipeHash()));
    process.env["XDG_CACHE_HOME"] = "";
    assert.equal(engineCache(), join(folder, "home", ".cache", "softmap", "engine"));
  });
});

describe("stand-ins", () => {
  const launchers = () =>
    ["resource-command-v1.2.1/pulumi-resource-command", "resource-tls-v5.6.1/pulumi-resource-tls"].map((file) =>
      join(folder, "plugins", file),
    );

  test("lie where the engine looks, hold no path, and say what to do without the variable", () => {
    installStandins(folder);
    for (const launcher of launchers()) {
      assert.equal(readFileSync(launcher, "utf8").includes(process.cwd()), false);
      const { status, stderr } = spawnSync(launcher, { env: { PATH: saved["PATH"] }, encoding: "utf8" });
      assert.equal(status, 1);
      assert.match(stderr, /SOFTMAP_STANDINS is not set\. Enter the lab/);
    }
  });

  test("a home that has an older launcher, or lacks one, gets the clone's own", () => {
    installStandins(folder);
    const [command = "", tls = ""] = launchers();
    const text = readFileSync(command, "utf8");
    writeFileSync(command, "#!/bin/sh\n");
    rmSync(tls);
    installStandins(folder);
    assert.equal(readFileSync(command, "utf8"), text);
    assert.equal(readFileSync(tls, "utf8"), text.replaceAll("command", "tls"));
  });

  test("are of the version that package.json pins", () => {
    const file = join(__dirname, "../../package.json");
    const { dependencies } = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
    for (const { name, version } of standins) assert.equal(dependencies[`@pulumi/${name}`], version);
  });
});

describe("the script that starts the Node language host", () => {
  /** What the host is started with in a folder with this Pulumi.yaml. */
  function startedWith(project: string | undefined): string {
    const script = join(folder, basename(nodeHostLauncher));
    copyFileSync(nodeHostLauncher, script);
    writeFileSync(`${script}-host`, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    if (project !== undefined) writeFileSync(join(folder, "Pulumi.yaml"), project);
    return spawnSync("sh", [script, "127.0.0.1:4000"], { cwd: folder, encoding: "utf8" }).stdout.trim();
  }

  test("tells the host what the project says of TypeScript, as the stack program's does", () => {
    assert.equal(startedWith(undefined), "127.0.0.1:4000");
    assert.equal(startedWith("name: some\nruntime: nodejs\n"), "127.0.0.1:4000");
    const own = readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8");
    assert.equal(startedWith(own), "-typescript=false 127.0.0.1:4000");
  });
});

describe("Go", () => {
  test("versions are compared as numbers", () => {
    assert.equal(olderGo("1.9", "1.21"), true);
    assert.equal(olderGo("1.25.11", "1.25.11"), false);
    assert.equal(olderGo("1.26", "1.25.11"), false);
    assert.equal(neededGo(), "1.25.11");
  });

  test("missing or before 1.21: what to install; older than needed: it may fetch the rest", () => {
    const message = /Install Go 1\.25\.11 or later .*connect this machine/;
    assert.throws(() => goEnvironment(undefined, folder), { message });
    assert.throws(() => goEnvironment(undefined, folder), /Go is not installed/);
    assert.throws(() => goEnvironment("1.19.8", folder), /Go 1\.19\.8 is too old/);
    assert.equal(goEnvironment("1.24.4", folder)["GOTOOLCHAIN"], "auto");
    assert.equal(goEnvironment("1.26.8", folder)["GOTOOLCHAIN"], undefined);
  });
});
