// Debian 13 beside 12: its systemd, Python, nginx and Onionbalance under the same templates and programs. One machine of 13 is balancer and
// worker, one of 12 a worker beside it; both are taken as bare as an operator's, and left so.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureLabImage, execOn, hostUp, newIdentity, reboot, stopwatch, type HostInfo } from "../../lab/lab";
import { units } from "../../plan/names";
import { says } from "./faultKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";
import { pidsOf, unitsLike, within } from "./killKit";

const newsSites = [{ domain: "www.daily.test" }];
const deskSites = [{ domain: "court.test", onionTls: "selfSigned" as const }];

describe("Debian 13", { timeout: 10 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let newer: HostInfo;
  let older: HostInfo;
  let onions: Record<string, string> = {};

  before(async () => {
    const image = await ensureLabImage(stopwatch(), "trixie");
    rehearsal = await Rehearsal.start("e2erelease");
    [newer, older] = await Promise.all([hostUp(rehearsal.lab, "newer", { image }), hostUp(rehearsal.lab, "older")]);
  });
  after(() => rehearsal?.end());

  /** The machine of Debian 13 alone; `more` is the stack's, `site` the plain site's. */
  const settings = (more: Settings = {}, site: Settings = {}): Settings => ({
    ...rehearsal.solo(newer),
    drainTimeout: "0s",
    projects: [
      { name: "news", softmapTorWorkers: 1, backendHeader: true, sites: newsSites.map((one) => ({ ...one, ...site })) },
      { name: "desk", softmapTorWorkers: 1, sites: deskSites },
    ],
    ...more,
  });
  const mixed = (site: Settings = {}): Settings => {
    const { name, address, hostKey } = older;
    return settings({ workers: [{ name, address, hostKey }] }, site);
  };
  const onion = (domain: string): string => onions[domain] ?? assert.fail(domain);
  const on = async (host: string, ...argv: string[]): Promise<string> =>
    (await execOn(rehearsal.lab, host, argv)).text.trim();
  const ours = (host: string): Promise<string[]> => unitsLike(rehearsal.lab, host, "softmap-*.service");

  test("it is Debian 13 with what Debian 13 has, and 12 beside it", async () => {
    const versions =
      "systemctl --version; python3 --version; dpkg-query -W -f '${Package} ${Version}\\n' nginx onionbalance";
    says(
      await on("newer", "sh", "-c", versions),
      /^systemd 257/,
      /^Python 3\.13/m,
      /^nginx 1\.26/m,
      /^onionbalance 0\.2\.4/m,
    );
    says(
      await on("older", "sh", "-c", versions),
      /^systemd 252/,
      /^Python 3\.11/m,
      /^nginx 1\.22/m,
      /^onionbalance 0\.2\.2/m,
    );
  });

  test("one up, and pages come through Tor by http and by https", async () => {
    rehearsal.configure(settings());
    const run = await rehearsal.up();
    assert.match(run.stdout, /newer: 2 sites answered through Tor at the own address of 2 backends/);
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    onions = { ...addresses["news"], ...addresses["desk"] };
    const plain = await rehearsal.fetch(`http://${onion("www.daily.test")}/`);
    assert.equal(plain.status, 200);
    assert.ok(plain.body.includes(`href="http://${onion("www.daily.test")}/landing"`), "rewritten");
    const secure = await rehearsal.fetch(`https://${onion("court.test")}/`);
    assert.equal(secure.status, 200);
    assert.match(secure.certificates ?? "", /BEGIN CERTIFICATE/);
  });

  test("its systemd knows every directive of our units, and what the base applies is in force", async () => {
    const journal = await on("newer", "journalctl", "-q", "--no-pager", "-o", "cat", "_PID=1");
    assert.doesNotMatch(journal, /softmap.*(Unknown|Failed to parse|deprecated|ignoring)|ordering cycle/i);
    assert.match(await on("newer", "nft", "list", "table", "inet", "softmap"), /hook input/);
    const profiles =
      "for name in tor nginx onionbalance; do apparmor_parser -QKT /etc/apparmor.d/softmap-$name || echo $name; done";
    assert.equal(
      await on("newer", "sh", "-c", profiles),
      "",
      "its AppArmor takes the profiles, also where the kernel has none",
    );
    assert.equal((await execOn(rehearsal.lab, "newer", ["systemctl", "start", "softmap-renew.service"])).code, 0);
    assert.equal(await on("newer", "systemctl", "list-units", "--failed", "--plain", "--no-legend", "softmap-*"), "");
  });

  test("a worker of Debian 12 comes: both serve, and a one-line change reloads one nginx on each", async () => {
    rehearsal.configure(mixed());
    const run = await rehearsal.up();
    says(
      run.stdout,
      /www\.daily\.test \S+\.onion published with 2 of 2 backends/,
      /older: 2 sites answered through Tor/,
    );
    const seen = new Set<string>();
    await newIdentity(rehearsal.lab);
    await within(60, "both workers answer", async () => {
      const page = await rehearsal.fetch(`http://${onion("www.daily.test")}/`);
      return seen.add(page.headers["x-softmap-backend"] ?? "").size === 2;
    });
    assert.deepEqual([...seen].sort(), ["news-newer-1", "news-older-1"]);

    const before = await Promise.all(
      ["newer", "older"].map(async (host) => pidsOf(rehearsal.lab, host, await ours(host))),
    );
    rehearsal.configure(mixed({ nginxTimeout: "21s" }));
    const changed = await rehearsal.up();
    for (const host of ["newer", "older"])
      assert.match(changed.stdout, new RegExp(`${host}: reloaded ${units.nginx("news")}`));
    assert.doesNotMatch(changed.stdout, /: (re)?started softmap-/);
    const now = await Promise.all(
      ["newer", "older"].map(async (host) => pidsOf(rehearsal.lab, host, await ours(host))),
    );
    assert.deepEqual(now, before);

    const refreshed = await rehearsal.pulumi(["refresh", "--yes", "--skip-preview"]);
    assert.equal(refreshed.code, 0, refreshed.stderr);
    assert.doesNotMatch(refreshed.stdout, /\d+ (updated|deleted)/, "a look at either finds what was released");
  });

  test("after a reboot everything is up again", async () => {
    const [daemon = ""] = daemonsOf("news", 1, newsSites);
    const all = [
      units.tor(daemon),
      units.nginx("news"),
      units.balancerTor,
      units.onionbalance,
      "softmap-firewall.service",
    ];
    await reboot(rehearsal.lab, "newer");
    await within(60, `${all.join(", ")} are active`, async () => {
      return (await on("newer", "systemctl", "is-active", ...all)) === all.map(() => "active").join("\n");
    });
    assert.doesNotMatch(await on("newer", "journalctl", "-q", "--no-pager", "-b"), /ordering cycle/);
  });

  test("destroy leaves nothing on either", async () => {
    const run = await rehearsal.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    // The lock's file stays until the next boot: whoever waits for it has it open.
    const files =
      "find /etc /usr/local /var/lib /run -name '*softmap*' -not -path /run/softmap -not -path '/var/lib/softmap-lab-*'; ls /run/softmap";
    const rest =
      "getent passwd | grep softmap; nft list tables | grep softmap; ps -eo comm | grep -E '^(tor|nginx|onionbalance)$'";
    for (const host of ["newer", "older"])
      assert.equal(await on(host, "sh", "-c", `{ ${files}; ${rest}; } 2>/dev/null`), "host.lock", host);
  });
});
