// A release that goes wrong on a host: the old one goes on serving, the message has the tool's own words, and `up` again mends it.
// softmap 2 on the way: a balancer's machine that is also in the pool, and one worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { execOn, hostUp, readNetwork, type HostInfo } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { currentFile, dataDir, onionDir, publisherFiles, siteKeyFile, units, workerFiles } from "../../plan/names";
import { Canary, familyOf, processes, refused, serving, shown, until } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";

const hosts = ["bal", "w1"] as const;
const served = {
  bal: [units.nginx("news"), units.tor("news-1"), units.balancerTor, units.onionbalance],
  w1: [units.nginx("news"), units.tor("news-1")],
};
const luaModule = "/usr/lib/nginx/modules/ngx_http_lua_module.so";

describe("a release that goes wrong", { timeout: 10 * 60_000 }, () => {
  const canary = new Canary();
  let rehearsal: Rehearsal;
  let daily = "";
  let machines: HostInfo[] = [];

  before(async () => {
    rehearsal = await Rehearsal.start("e2efaultsrel");
    machines = await Promise.all(hosts.map((host) => hostUp(rehearsal.lab, host)));
    canary.watchText(readFileSync(readNetwork(rehearsal.lab).privateKeyFile, "utf8"));
  });
  after(() => rehearsal?.end());

  const desk = { name: "desk", softmapTorWorkers: 1, sites: [{ domain: "tips.test" }] };
  function configure({
    news = {},
    torrc = [],
    projects = [],
  }: { news?: Settings; torrc?: string[]; projects?: Settings[] } = {}): void {
    const network = readNetwork(rehearsal.lab);
    const [bal, w1] = machines.map(({ name, address, hostKey }) => ({ name, address, hostKey }));
    rehearsal.configure({
      hosts: {
        provider: "ssh",
        user: "operator",
        privateKeyFile: network.privateKeyFile,
        torNetwork: [...network.torrc, ...torrc],
      },
      balancers: [bal],
      workers: [w1],
      workersOnBalancers: true,
      protectKeys: false,
      retireGrace: "0s",
      projects: [{ name: "news", softmapTorWorkers: 1, sites: [{ domain: "www.daily.test" }], ...news }, ...projects],
    });
  }
  async function up(): Promise<PulumiRun> {
    const ran = await canary.during(() => rehearsal.pulumi(["up", "--yes", "--skip-preview"]));
    canary.hear("up", shown(ran));
    return ran;
  }
  const on = (host: string, ...argv: string[]) => execOn(rehearsal.lab, host, argv);
  /** What each host serves: links, processes, and the nginx config on disk. */
  async function look(host: (typeof hosts)[number]): Promise<string[]> {
    const roles = host === "bal" ? (["worker", "balancer", "publisher"] as const) : (["worker"] as const);
    return [
      ...(await Promise.all(roles.map((role) => serving(rehearsal.lab, host, role)))),
      await processes(rehearsal.lab, host, served[host]),
    ];
  }
  async function serves(): Promise<void> {
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);
  }
  async function succeeds(): Promise<PulumiRun> {
    const ran = await up();
    assert.equal(ran.code, 0, shown(ran));
    return ran;
  }

  test("softmap 2: the balancer's machine serves too, and both serve through Tor", async () => {
    configure();
    await succeeds();
    const published = await rehearsal.output<Record<string, string>>("published");
    assert.match(published["bal"] ?? "", /www\.daily\.test [a-z2-7]{56}\.onion published with 2 of 2 backends/);
    daily =
      (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"]?.["www.daily.test"] ?? "";
    await serves();
  });

  test("tor refuses its configuration: its own words, nothing switched on any host", async () => {
    const before = await Promise.all(hosts.map(look));
    configure({ torrc: ["DirAuthority a9 orport=5100 nobody"] });
    const ran = await up();
    refused(
      ran,
      /softmap release on w1 failed: softmap-tor@news-1\.service: tor refuses its new configuration; nothing was switched/,
      /softmap release on bal failed: .*tor refuses/,
      /\| .*\[warn\] .*(DirAuthority|directory|authority)/i,
      /Next: /,
    );
    assert.deepEqual(await Promise.all(hosts.map(look)), before);
    await serves();
  });

  test("nginx refuses its configuration on one host: that host stays as it was, nothing is published", async () => {
    const [, before] = await Promise.all(hosts.map(look));
    const publisher = await serving(rehearsal.lab, "bal", "publisher");
    await on("w1", "mv", luaModule, `${luaModule}.away`);
    configure({ news: { nginxTimeout: "21s" } });
    const ran = await up();
    const now = await look("w1");
    const config = () => on("w1", "cat", currentFile("worker", workerFiles.nginx("news")));
    const old = (await config()).text;
    await serves();
    await on("w1", "mv", `${luaModule}.away`, luaModule);
    refused(
      ran,
      /softmap release on w1 failed: softmap-nginx@news\.service: nginx refuses its new configuration; nothing was switched\. Next: /,
      /\| .*dlopen\(\) "\/usr\/lib\/nginx\/modules\/ngx_http_lua_module\.so" failed/,
    );
    assert.deepEqual(now, before);
    assert.doesNotMatch(old, /21s/);
    assert.equal(await serving(rehearsal.lab, "bal", "publisher"), publisher);
    await succeeds();
    assert.match((await config()).text, /21s/);
  });

  test("a unit that fails after the switch: its own last lines, and the host is back on its old release", async () => {
    const [, before] = await Promise.all(hosts.map(look));
    // tor finds its lock file only when it runs, not when it checks a configuration
    await on("w1", "mkdir", "-p", `${dataDir("desk-1")}/lock`);
    configure({ news: { nginxTimeout: "21s" }, projects: [desk] });
    const ran = await up();
    const now = await look("w1");
    const left = await on("w1", "systemctl", "is-enabled", units.tor("desk-1"), units.nginx("desk"));
    await serves();
    await on("w1", "rmdir", `${dataDir("desk-1")}/lock`);
    refused(
      ran,
      /w1: softmap-tor@desk-1\.service is not healthy.*Its last lines:/,
      /\| .*lock/,
      /softmap release on w1 failed: softmap-tor@desk-1\.service is not healthy.*Reverted to release [0-9a-f]{12}\. Next: /,
    );
    assert.deepEqual(now, before);
    assert.doesNotMatch(left.text, /^enabled/m);
    assert.doesNotMatch(
      (await on("bal", "cat", currentFile("publisher", publisherFiles.onionbalance))).text,
      /tips\.test/,
    );
  });

  test("up is killed in the middle of a release: pulumi cancel, and up again completes it", async () => {
    // The new tor starts when it is let: the release is in its middle for as long as the test needs
    const hold = `/run/systemd/system/${units.tor("desk-1")}.d`;
    const script = `mkdir -p ${hold} && printf '[Service]\\nExecStartPre=sh -c "until [ -e /run/go ]; do sleep .1; done"\\n' >${hold}/hold.conf && systemctl daemon-reload`;
    assert.equal((await on("w1", "sh", "-c", script)).code, 0);
    let pid = 0;
    let ended = false;
    const args = ["up", "--yes", "--skip-preview"];
    const killed = rehearsal.pulumi(args, { onStart: (started) => (pid = started) }).finally(() => (ended = true));
    await until(
      async () => ended || (await on("w1", "systemctl", "is-active", units.tor("desk-1"))).text === "activating",
    );
    assert.ok(!ended, "it was over before it could be killed");
    for (const one of familyOf(pid)) process.kill(one, "SIGKILL");
    assert.notEqual((await killed).code, 0);
    await serves();
    await on("w1", "touch", "/run/go");

    const locked = await up();
    refused(locked, /locked/, /pulumi cancel/);
    const cancel = await rehearsal.pulumi(["cancel", "--yes"]);
    assert.equal(cancel.code, 0, shown(cancel));
    await succeeds();
    const tips =
      (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["desk"]?.["tips.test"] ?? "";
    assert.equal((await rehearsal.fetch(`http://${tips}/`)).status, 200);
    await Promise.all(hosts.map(look));
    await serves();
  });

  test("no key was seen: in no output, command line, journal or file but the key files", async () => {
    const state = await rehearsal.pulumi(["stack", "export", "--show-secrets"], { onLine: () => undefined });
    const { deployment } = JSON.parse(state.stdout) as {
      deployment: { resources: { outputs?: Record<string, unknown> }[] };
    };
    for (const { outputs } of deployment.resources) {
      const secret = outputs?.["secretKey"] as { plaintext?: string } | undefined;
      if (secret?.plaintext !== undefined)
        canary.watchKey(Buffer.from(JSON.parse(secret.plaintext) as string, "base64"));
    }
    const shownState = await rehearsal.pulumi(["stack", "export"], { onLine: () => undefined });
    canary.hear("the state", shown(shownState));
    const backends = ["desk-1", "news-1"].map((daemon) => `${onionDir(daemon)}/hs_ed25519_secret_key`);
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    const sites = Object.values(addresses)
      .flatMap((of) => Object.values(of))
      .map(siteKeyFile);
    assert.deepEqual(await canary.filesOf(rehearsal.lab, "w1"), backends);
    assert.deepEqual(await canary.filesOf(rehearsal.lab, "bal"), [...backends, ...sites].sort());
    canary.assertUnheard();
  });
});
