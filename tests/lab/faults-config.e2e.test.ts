// What an operator sees of a config that is wrong: everything at once, before any host is dialled. A real `pulumi`, no lab.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { ensureEngine } from "../../lab/engine/engine";
import { ensureStack, pulumi, type LabStack, type PulumiRun } from "../../lab/pulumi";
import { keysOfSeed } from "../../onion/keys";
import { refused, shown } from "./faultKit";

type Keys = Record<string, unknown>;
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X";

describe("a wrong config", { timeout: 5 * 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-faults-"));
  const configFile = join(folder, "Pulumi.e2efaultsconfig.yaml");
  const keyFile = join(folder, "login");
  let stack: LabStack;
  let server: Server;
  let dialled = 0;
  let port = 0;

  before(async () => {
    const { environment } = await ensureEngine(() => undefined);
    mkdirSync(join(folder, "state"));
    stack = {
      name: "e2efaultsconfig",
      configFile,
      environment: {
        PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        ...environment,
      },
    };
    // Every host of these configs is this listener: whoever dials a host is counted.
    server = createServer((socket) => {
      dialled++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as { port: number }).port;
    writeFileSync(keyFile, "no key is read before the config is right\n", { mode: 0o600 });
    configure({});
    await ensureStack(stack);
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
    rmSync("Pulumi.e2efaultsconfig.yaml", { force: true }); // `pulumi stack select --create` writes it beside the program
    assert.equal(dialled, 0, "no connection was opened");
  });

  function configure(settings: Keys): void {
    let kept: Keys = {};
    try {
      const { config: _config, ...rest } = parse(readFileSync(configFile, "utf8")) as Keys;
      kept = rest;
    } catch {
      // not there yet
    }
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [`softmap:${key}`, value]));
    writeFileSync(configFile, stringify({ ...kept, config }));
  }
  const machine = (name: string, more: Keys = {}): Keys => ({ name, address: "127.0.0.1", port, hostKey, ...more });
  const settings = (more: Keys = {}): Keys => ({
    hosts: { provider: "ssh", user: "operator", privateKeyFile: keyFile },
    balancers: [machine("one")],
    workers: [],
    workersOnBalancers: true,
    projects: [{ name: "news", sites: [{ domain: "www.daily.test" }] }],
    ...more,
  });
  const preview = (): Promise<PulumiRun> => pulumi(stack, ["preview"]);

  test("every problem is in one report, from preview and from check, and no host is dialled", async () => {
    const onion = keysOfSeed(Buffer.alloc(32, 7)).address;
    const broken = onion.replace(/^./, (first) => (first === "a" ? "b" : "a"));
    configure(
      settings({
        balancer: 1,
        publisher: "onionbalance",
        publishing: ["ona"],
        rollout: { waveSize: 0 },
        workers: [machine("w1", { port: port + 1 }), machine("w1", { port: port + 1 })],
        projects: [
          { name: "news", torIntrosPerDaemons: 3, sites: [{ domain: "www.daily.test" }, { domain: "www.daily.test" }] },
          {
            name: "desk",
            torIntrosPerDaemon: 2,
            softmapTorWorkers: 11,
            sites: [{ domain: "tips.test", onion: broken }],
          },
          { name: "shop", torIntrosPerDaemon: 21, sites: [{ domain: "court.test" }] },
        ],
      }),
    );
    const expected = [
      /stack: balancer\b[^]*?Next: balancers is given already/,
      /publishing: \[0\] = "ona"[^]*?There is no balancer of this name\.[^]*?Next: Did you mean one\?/,
      /rollout: waveSize = 0\b[^]*?Next:/,
      /host w1: name = "w1"[^]*?The machine w1 is listed twice/,
      /project news: torIntrosPerDaemons[^]*?Next: Did you mean torIntrosPerDaemon\?/,
      /project news: sites\[1\]\.domain = "www\.daily\.test"[^]*?twice/,
      /project desk: torIntrosPerDaemon = 2\b/,
      /project desk: sites\[0\]\.onion = "[^]*?checksum does not match/,
      /project desk: softmapTorWorkers = 11[^]*? backends x 2 introduction points/,
      /project shop: torIntrosPerDaemon = 21\b[^]*?from 3 to 20/,
    ];
    const run = await preview();
    refused(run, /\d+ problems in the configuration:/, ...expected);
    const check = spawnSync(process.execPath, ["-r", "./cli/register.js", "cli/main.ts", "check", configFile], {
      encoding: "utf8",
    });
    assert.equal(check.status, 1);
    for (const words of expected) assert.match(check.stderr, words);
    const count = (text: string): string | undefined => /(\d+) problems in the configuration/.exec(text)?.[1];
    assert.equal(count(check.stderr), count(shown(run)));
    assert.equal(check.stdout, "");
  });

  test("twelve backends for one site by Onionbalance alone: the arithmetic and the ways out", async () => {
    configure(
      settings({
        publisher: "onionbalance",
        projects: [{ name: "news", softmapTorWorkers: 6, sites: [{ domain: "www.daily.test" }] }],
        workers: [machine("w1", { port: port + 1 })],
      }),
    );
    const run = await preview();
    refused(
      run,
      /1 problem in/,
      /2 workers x 6 tor daemons = 12 backends x 2 introduction points = 24/,
      /Next: Remove `publisher` or set it to distinct, or set softmapTorWorkers to 5, or/,
    );
  });

  test("a value that would write into a file what is not its own is refused by its name: a line feed, another option", async () => {
    const torNetwork = ["TestingTorNetwork 1\nSocksPort 9050", "SocksPort 9050"];
    configure(settings({ hosts: { provider: "ssh", user: "operator", privateKeyFile: keyFile, torNetwork } }));
    refused(
      await preview(),
      /hosts: torNetwork\[0\] = "TestingTorNetwork 1\\nSocksPort 9050"\s+This is not one torrc line[^]*?Next:/,
      /hosts: torNetwork\[1\] = "SocksPort 9050"\s+This is not one of the options of a private network[^]*?Next:/,
    );
  });

  test("a private key that cannot be read is named, with the next step", async () => {
    configure(settings({ hosts: { provider: "ssh", user: "operator", privateKeyFile: join(folder, "none") } }));
    refused(await preview(), /privateKeyFile = ".*none"/, /ENOENT/, /Next:/);
  });

  test("a site's key that does not belong to its address; another key for a site that has one", async () => {
    const [mine, other] = [keysOfSeed(randomBytes(32)), keysOfSeed(randomBytes(32))];
    const site = (onion: string): Keys => ({
      projects: [{ name: "news", sites: [{ domain: "www.daily.test", onion }] }],
    });
    const secret = async (bytes: Uint8Array): Promise<void> => {
      const set = await pulumi(stack, ["config", "set", "--secret", "--path", 'softmap:siteKeys["www.daily.test"]'], {
        input: Buffer.from(bytes).toString("base64"),
      });
      assert.equal(set.code, 0, shown(set));
    };
    configure(settings(site(other.address)));
    await secret(mine.secretFile);
    const wrong = await preview();
    refused(wrong, `site www.daily.test: onion says ${other.address} but the key given is that of ${mine.address}`);
    await secret(new Uint8Array(96));
    refused(await preview(), "site www.daily.test: key:", /hs_ed25519_secret_key/);
    const given = Buffer.from(mine.secretFile).toString("base64");
    assert.ok(!shown(wrong).includes(given));
    assert.ok(!readFileSync(configFile, "utf8").includes(given));
  });

  test("the lab without podman, and without a way to install it", () => {
    const bare = join(folder, "bin");
    mkdirSync(bare);
    symlinkSync("/bin/sh", join(bare, "sh"));
    const ran = spawnSync(
      process.execPath,
      ["-r", "./cli/register.js", "lab/main.ts", "--name", "e2efaultsnone", "up"],
      {
        encoding: "utf8",
        env: { HOME: folder, PATH: bare, XDG_CACHE_HOME: join(folder, "cache") },
      },
    );
    assert.notEqual(ran.status, 0);
    assert.match(
      ran.stderr,
      /The lab needs podman, .*and there is no apt-get to install them with\.\n  Next: install them/,
    );
    assert.doesNotMatch(ran.stderr, /^\s+at /m);
  });
});
