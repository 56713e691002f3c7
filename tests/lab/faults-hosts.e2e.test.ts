// Hosts that cannot be used, and a mirror that is down: what the operator sees, and that mending is all it takes.
// softmap 1 on the way: one machine that is balancer and worker, listed by ssh address and host key, with a key of its own.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { blockMirror, execOn, hostDown, hostUp, readNetwork, unblockMirror, type HostInfo } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { keysOfSeed } from "../../onion/keys";
import { balancerPaths, onionDir, siteKeyFile, units } from "../../plan/names";
import { Canary, processes, refused, serving, shown } from "./faultKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";

// A right host key, and nobody's here
const foreignKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X";

describe("hosts that cannot be used", { timeout: 10 * 60_000 }, () => {
  const site = keysOfSeed(randomBytes(32));
  const other = keysOfSeed(randomBytes(32));
  const canary = new Canary();
  let rehearsal: Rehearsal;
  let solo: HostInfo;
  let bad: HostInfo[] = [];

  before(async () => {
    rehearsal = await Rehearsal.start("e2efaults");
    solo = await hostUp(rehearsal.lab, "solo");
    canary.watchText(readFileSync(readNetwork(rehearsal.lab).privateKeyFile, "utf8"));
    for (const { secretFile } of [site, other]) canary.watchKey(secretFile);
    rehearsal.configure(settings());
    canary.hear(
      "config set",
      shown(await canary.during(() => rehearsal.setSiteKey("www.daily.test", site.secretFile))),
    );
  });
  after(() => rehearsal?.end());

  const machine = ({ name, address, hostKey }: HostInfo) => ({ name, address, hostKey });
  /** The two that cannot be used, one of them pinned to a key that it does not have. */
  const unusable = () =>
    bad.map((host) => ({ ...machine(host), ...(host.name === "moved" && { hostKey: foreignKey }) }));
  const settings = (more: Settings = {}, news: Settings = {}): Settings => {
    const { privateKeyFile, torrc } = readNetwork(rehearsal.lab);
    return {
      hosts: { provider: "ssh", user: "operator", privateKeyFile, torNetwork: torrc },
      balancers: [machine(solo)],
      workers: [],
      workersOnBalancers: true,
      protectKeys: false,
      retireGrace: "0s",
      drainTimeout: "0s",
      projects: [
        { name: "news", softmapTorWorkers: 1, sites: [{ domain: "www.daily.test", onion: site.address }], ...news },
      ],
      ...more,
    };
  };
  const daemon = (): string => daemonsOf("news", 1, [{ domain: "www.daily.test", onion: site.address }])[0] ?? "";
  async function run(...args: string[]): Promise<PulumiRun> {
    const ran = await canary.during(() => rehearsal.pulumi(args));
    canary.hear(args.join(" "), shown(ran));
    return ran;
  }
  const up = (): Promise<PulumiRun> => run("up", "--yes", "--skip-preview");
  const on = (...argv: string[]) => execOn(rehearsal.lab, "solo", argv);

  test("no sudo, another host key than the pinned one: each is named with its reason before any machine is changed", async () => {
    const first = await up();
    assert.equal(first.code, 0, shown(first));
    const before = await serving(rehearsal.lab, "solo", "worker");
    bad = await Promise.all(["poor", "moved"].map((host) => hostUp(rehearsal.lab, host)));
    const removed = await execOn(rehearsal.lab, "poor", ["sh", "-c", "rm -v $(grep -l operator /etc/sudoers.d/*)"]);
    assert.equal(removed.code, 0, removed.stderr);
    rehearsal.configure(
      settings({ workers: unusable(), rollout: { canary: 9, waveSize: 9 } }, { nginxTimeout: "16s" }),
    );
    refused(
      await up(),
      /poor: operator cannot use sudo without a password\. Next: put 'operator ALL=\(ALL\) NOPASSWD: ALL' into/,
      /moved: .*:22 shows another host key \(SHA256:\S+\) than the pinned one \(SHA256:\S+\)\. Next: if the machine was set up anew/,
    );
    for (const { name } of bad)
      assert.equal(
        (await execOn(rehearsal.lab, name, ["test", "-e", "/etc/softmap"])).code,
        1,
        `${name}: nothing was begun`,
      );
    assert.equal(
      await serving(rehearsal.lab, "solo", "worker"),
      before,
      "a change waits until all machines can be used",
    );
  });

  test("dead hosts fail the up for themselves alone, after all others are done: one report at the end", async () => {
    await Promise.all(bad.map(({ name }) => hostDown(rehearsal.lab, name)));
    rehearsal.configure(settings({ workers: unusable() }, { nginxTimeout: "16s" }));
    const ran = await up();
    // The kernel says that it is unreachable, or the time is over before it does
    const why = ({ name, address }: HostInfo) =>
      `${name}: nobody answers at ${address.replaceAll(".", "\\.")}:22(: host unreachable| within (15|80) s)`;
    refused(
      ran,
      "2 hosts did not answer and were left out; all others are done.",
      ...bad.map((host) => new RegExp(`^ +${why(host)}\\. Nothing was done there for workers\\.$`, "m")),
      "  Next: start them and run `pulumi up` again, or remove them from balancers and workers in the config.",
      ...bad.map((host) => new RegExp(`${why(host)}: workers goes on without it`)),
    );
    assert.match(ran.stdout, /solo: reloaded softmap-nginx@news\.service/);
    assert.match(
      ran.stdout,
      /www\.daily\.test [a-z2-7]{56}\.onion published with 1 of 3 backends \(not waited for: news-moved-1, news-poor-1\)/,
    );
    assert.doesNotMatch(shown(ran), /workers-(poor|moved)-release\):\s+error/, "nobody dialled them but to look");
    // Machines that nobody has met yet may be booting: they are given 80 s.
    assert.ok(ran.seconds < 170, `${ran.seconds} s`);
    assert.equal((await rehearsal.fetch(`http://${site.address}/`)).status, 200);
  });

  test("softmap 1: one machine does it all, under the address that the operator brought", async () => {
    rehearsal.configure(settings());
    const ran = await up();
    assert.equal(ran.code, 0, shown(ran));
    for (const { name } of bad)
      assert.match(ran.stdout, new RegExp(`${name}: nobody answers at .*: what workers had there is left behind\\.`));
    assert.deepEqual(await rehearsal.output("addresses"), { news: { "www.daily.test": site.address } });
    assert.equal((await rehearsal.fetch(`http://${site.address}/`)).status, 200);
  });

  test("another key for that site is refused until the old address is let go by name", async () => {
    await rehearsal.setSiteKey("www.daily.test", other.secretFile);
    rehearsal.configure(settings({}, { sites: [{ domain: "www.daily.test" }] }));
    const says = `site www.daily.test: its address would change from ${site.address} to ${other.address}. Next: give the key of ${site.address} back, or let that address go with replaceAddress: ${site.address}`;
    refused(await up(), says);
    rehearsal.configure(settings({}, { sites: [{ domain: "www.daily.test", replaceAddress: site.address }] }));
    const allowed = await run("preview");
    assert.equal(allowed.code, 0, shown(allowed));
    await rehearsal.setSiteKey("www.daily.test", site.secretFile);
  });

  test("the package mirror is down: apt's own words, what served goes on; it is back: installed from it", async () => {
    const served = [units.nginx("news"), units.tor(daemon()), units.onionbalance, units.balancerTor];
    const before = await serving(rehearsal.lab, "solo", "worker");
    const running = await processes(rehearsal.lab, "solo", served);
    await on("apt-get", "-y", "-q", "remove", "nginx");
    await blockMirror(rehearsal.lab);
    rehearsal.configure(settings({}, { nginxTimeout: "21s" }));
    const ran = await up();
    refused(
      ran,
      /softmap release on solo failed: cannot install .*nginx/,
      /\| (E|W|Err):/,
      /Next: see to the host's apt sources and network/,
    );
    assert.equal(await serving(rehearsal.lab, "solo", "worker"), before);
    assert.equal(await processes(rehearsal.lab, "solo", served), running);
    assert.equal((await rehearsal.fetch(`http://${site.address}/`)).status, 200);
    await unblockMirror(rehearsal.lab);
    const again = await up();
    assert.equal(again.code, 0, shown(again));
    assert.match(again.stdout, /solo: installed .*nginx/);
    assert.equal((await on("dpkg-query", "-W", "-f", "${Status}", "nginx")).text, "install ok installed");
    assert.equal((await rehearsal.fetch(`http://${site.address}/`)).status, 200);
  });

  test("no key was seen: in no output, command line, journal or file but the key files", async () => {
    const state = await rehearsal.pulumi(["stack", "export"], { onLine: () => undefined });
    canary.hear("the state", shown(state));
    canary.hear("the config file", readFileSync(rehearsal.stack.configFile, "utf8"));
    const keyFile = siteKeyFile(site.address);
    assert.deepEqual(await canary.filesOf(rehearsal.lab, "solo"), [keyFile]);
    canary.assertUnheard();
    const modes = await on("stat", "-c", "%a %U:%G", keyFile, balancerPaths.keysDir, onionDir(daemon()));
    assert.equal(
      modes.text.trim(),
      "400 softmap-onionbalance:softmap-onionbalance\n700 softmap-onionbalance:softmap-onionbalance\n700 softmap-tor:softmap-tor",
    );
  });

  test("destroy takes everything of ours off a machine that stays: units, files, keys, users", async () => {
    const ran = await run("destroy", "--yes", "--skip-preview");
    assert.equal(ran.code, 0, shown(ran));
    const left =
      "ls -d /etc/softmap /var/lib/softmap; ls /etc/systemd/system | grep softmap; getent passwd | grep softmap; ps -eo comm | grep -E '^(tor|nginx|onionbalance)$'";
    assert.equal((await on("sh", "-c", `{ ${left}; } 2>/dev/null`)).text, "");
  });
});
