// This machine as balancer and worker: the program runs inside a host of the lab, as its operator would run it there, by an account whose
// sudo asks for no password. From an empty machine to a page through Tor, and back to an empty machine.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { standinsVariable } from "../../lab/engine/standins";
import { execOn, fetchThroughTor, hostUp, readNetwork, sshConnections, type Ran } from "../../lab/lab";
import { units } from "../../plan/names";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";

const sites = [{ domain: "www.daily.test" }];
const program = "/opt/softmap";
const engineHome = "/opt/pulumi";
/** The operator's folder on the machine. */
const home = join("/", "home", "operator");

describe("a stack on this machine", { timeout: 15 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  const [daemon = ""] = daemonsOf("news", 1, sites);

  before(async () => {
    rehearsal = await Rehearsal.start("e2elocal");
    const engine = rehearsal.stack.environment["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    await hostUp(rehearsal.lab, "desk", { mounts: { [resolve(".")]: program, [engine]: engineHome } });
    // The engine writes to its home, so the operator has one of his own.
    const own = 'cp -a "$1" "$2/.pulumi" && mkdir -p "$2/state" && chown -R operator "$2"';
    assert.equal((await on("sh", "-c", own, "sh", engineHome, home)).code, 0);
    await configure({});
    await asked("stack", "init", "here");
  });
  after(() => rehearsal?.end());

  /** A command of the operator's, on the machine. */
  function asOperator(argv: readonly string[], input?: string): Promise<Ran> {
    const environment = {
      HOME: home,
      PATH: `${program}/node_modules/.bin:/usr/bin:/bin`,
      PULUMI_HOME: join(home, ".pulumi"),
      PULUMI_BACKEND_URL: `file://${join(home, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      [standinsVariable]: `${program}/lab/standins`,
    };
    const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const words = ["runuser", "-u", "operator", "--", "env", "-C", program, ...set, ...argv];
    return execOn(rehearsal.lab, "desk", words, input === undefined ? {} : { input });
  }

  const configFile = join(home, "Pulumi.here.yaml");

  async function asked(...args: string[]): Promise<Ran> {
    const file = args[0] === "stack" ? [] : ["--stack", "here", "--config-file", configFile];
    const ran = await asOperator(["pulumi", ...args, "--non-interactive", ...file]);
    for (const line of ran.text.split("\n").filter((each) => each.trim() !== ""))
      console.log(`    ${line.slice(0, 200)}`);
    return ran;
  }

  const up = () => asked("up", "--yes", "--skip-preview");
  const said = (ran: Ran) => ran.text + ran.stderr;

  /** The example, on the lab's Tor network and with its sites. */
  async function configure(news: Settings, hosts: Settings = {}): Promise<void> {
    const { config } = parse(readFileSync(join("examples", "config", "local.yaml"), "utf8")) as { config: Settings };
    const { torrc } = readNetwork(rehearsal.lab);
    const settings = {
      ...config,
      "softmap:hosts": { ...(config["softmap:hosts"] as Settings), torNetwork: torrc, ...hosts },
      "softmap:protectKeys": false,
      "softmap:retireGrace": "0s",
      "softmap:drainTimeout": "0s",
      "softmap:projects": [{ name: "news", softmapTorWorkers: 1, sites, ...news }],
    };
    const kept = await asOperator(["cat", configFile]);
    const { encryptionsalt } = (parse(kept.text) ?? {}) as { encryptionsalt?: string };
    const text = stringify({ ...(encryptionsalt !== undefined && { encryptionsalt }), config: settings });
    assert.equal((await asOperator(["tee", configFile], text)).code, 0);
  }

  const on = (...argv: string[]) => execOn(rehearsal.lab, "desk", argv);

  test("sudo asks for a password: refused with what to do, and nothing was changed", async () => {
    await on("sh", "-c", "mv /etc/sudoers.d/operator /var/tmp/operator.sudoers");
    const ran = await up();
    await on("sh", "-c", "mv /var/tmp/operator.sudoers /etc/sudoers.d/operator");
    assert.notEqual(ran.code, 0);
    assert.match(
      said(ran),
      /operator cannot use sudo without a password\. Next: put 'operator ALL=\(ALL\) NOPASSWD: ALL'/,
    );
    assert.equal((await on("test", "-e", "/etc/softmap")).code, 1);
  });

  test("a name of ours that somebody else has: refused, and nothing was changed", async () => {
    await on("useradd", "--create-home", "softmap-tor");
    const ran = await up();
    assert.notEqual(ran.code, 0);
    assert.match(
      said(ran),
      /preflight on here failed: this host cannot be used, and nothing was changed: the user softmap-tor is there and was not made by softmap \(its home is .*softmap-tor\)\. Next: rename/,
    );
    assert.equal((await on("test", "-e", "/etc/softmap")).code, 1);
    await on("userdel", "-r", "softmap-tor");
  });

  test("one up, with no ssh at all, and the page comes through Tor", async () => {
    const ran = await up();
    assert.equal(ran.code, 0, said(ran));
    assert.match(said(ran), /here: release [0-9a-f]+ is live/);
    const shown = await asked("stack", "output", "addresses", "--json", "--stack", "here");
    const addresses = JSON.parse(shown.text) as Record<string, Record<string, string>>;
    const onion = addresses["news"]?.["www.daily.test"] ?? "";
    assert.equal((await fetched(`http://${onion}/`)).status, 200);
    assert.equal(await sshConnections(rehearsal.lab, "desk"), 0);
    assert.equal((await on("test", "-e", "/etc/softmap/base")).code, 1, "its base is not ours unless asked for");
  });

  async function fetched(url: string): Promise<{ status: number }> {
    for (let attempt = 1; attempt < 8; attempt++) {
      const answer = await fetchThroughTor(rehearsal.lab, url);
      if (answer.status !== 0) return answer;
    }
    return fetchThroughTor(rehearsal.lab, url);
  }

  test("a second up changes nothing; a one-line change reloads one unit", async () => {
    const same = await up();
    assert.match(same.text, /\d+ unchanged/);
    assert.doesNotMatch(same.text, /\d+ (created|updated|replaced|deleted)/);
    await configure({ nginxTimeout: "21s" });
    const changed = await up();
    assert.equal(changed.code, 0, said(changed));
    assert.match(said(changed), new RegExp(`here: reloaded ${units.nginx("news")}`));
  });

  test("refresh finds what was changed by hand, and up mends it", async () => {
    await on("systemctl", "stop", units.tor(daemon));
    const refreshed = await asked("refresh", "--yes", "--skip-preview");
    assert.equal(refreshed.code, 0, said(refreshed));
    const mended = await up();
    assert.equal(mended.code, 0, said(mended));
    assert.equal((await on("systemctl", "is-active", units.tor(daemon))).text.trim(), "active");
  });

  test("destroy takes everything of ours off this machine", async () => {
    const ran = await asked("destroy", "--yes", "--skip-preview");
    assert.equal(ran.code, 0, said(ran));
    const left = await on(
      "sh",
      "-c",
      "ls -d /etc/softmap /var/lib/softmap; getent passwd | grep softmap; ls /etc/systemd/system | grep softmap",
    );
    assert.equal(left.text.trim(), "");
  });
});
