// The machines themselves: what the base keeps out and lets in, what is done when an update has replaced a program, and that it goes as it came.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { execOn } from "../../lab/lab";
import { baseFiles, baseNotes, firewallTable, units } from "../../plan/names";
import { says, shown } from "./faultKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";
import { changedNothing, pidsOf, untroubled, Visitors, within } from "./killKit";

const sites = [{ domain: "www.daily.test" }];
const machines = ["balancer1", "worker1", "worker2"];
const tors = daemonsOf("news", 2, sites).map(units.tor);

const settings = (base: Settings = {}): Settings => ({
  hosts: { provider: "lab", name: "e2ebase", ...base },
  balancers: 1,
  workers: 2,
  protectKeys: false,
  retireGrace: "3s",
  drainTimeout: "5s",
  projects: [{ name: "news", softmapTorWorkers: 2, sites }],
});

describe("the base of machines in the lab", { timeout: 15 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let daily = "";

  before(async () => {
    rehearsal = await Rehearsal.start("e2ebase");
    rehearsal.configure(settings());
  });
  after(() => rehearsal?.end());

  const sh = async (host: string, script: string): Promise<string> => {
    const ran = await execOn(rehearsal.lab, host, ["sh", "-c", script]);
    assert.equal(ran.code, 0, `${script}: ${ran.text}${ran.stderr}`);
    return ran.text.trim();
  };
  const rules = (host: string): Promise<string> => sh(host, `nft list table inet ${firewallTable} || true`);
  /** Whether a machine takes a connection on a port, asked from another one. */
  const takes = async (from: string, to: string, port: number): Promise<boolean> => {
    const address = await sh(to, "hostname -I | cut -d' ' -f1");
    const script = `import socket; socket.create_connection((${JSON.stringify(address)}, ${port}), 2)`;
    return (await execOn(rehearsal.lab, from, ["python3", "-c", script])).code === 0;
  };
  const listen = () => sh("worker1", "systemd-run -q --unit=listener python3 -m http.server 8080; sleep 1");
  const journals = async (): Promise<string[]> =>
    Promise.all(machines.map((host) => sh(host, "systemctl show -P MainPID systemd-journald.service")));

  test("each machine gets it before all else, and what a container cannot do is said", async () => {
    const { stdout } = await rehearsal.up();
    for (const machine of machines) {
      says(
        stdout,
        new RegExp(`${machine}: softmap base: .*AppArmor`),
        new RegExp(`${machine}: softmap base: .*/proc/sys`),
      );
      assert.ok(stdout.indexOf(`${machine}: started ${units.firewall}`) > 0, machine);
      const states = [units.firewall, units.firewallPath, units.base, units.renewTimer].map(
        (unit) => `systemctl is-active ${unit}; systemctl is-enabled ${unit}`,
      );
      assert.equal(await sh(machine, states.join(";")), Array(4).fill("active\nenabled").join("\n"));
      assert.equal(
        (await sh(machine, `cat ${baseNotes}`)).split("\n").length,
        2,
        "a container's clock is its machine's",
      );
    }
    const { news } = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    daily = news?.["www.daily.test"] ?? "";
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);
  });

  test("ssh comes in, nothing else does; onionbalance reaches nobody", async () => {
    await listen();
    assert.deepEqual([await takes("worker2", "worker1", 22), await takes("worker2", "worker1", 8080)], [true, false]);
    await sh("worker1", "systemctl stop listener");
    const from = async (user: string): Promise<boolean> => {
      const address = await sh("worker1", "hostname -I | cut -d' ' -f1");
      const script = `import socket; socket.create_connection(("${address}", 22), 2)`;
      return (
        (await execOn(rehearsal.lab, "balancer1", ["runuser", "-u", user, "--", "python3", "-c", script])).code === 0
      );
    };
    assert.deepEqual(
      [await from("softmap-onionbalance"), await from("softmap-tor"), await from("operator")],
      [false, true, true],
    );
  });

  test("profiles that a kernel with AppArmor would take", async () => {
    const files = Object.values(baseFiles.apparmor).map(({ place }) => place);
    await sh("worker1", `apparmor_parser -Q -K ${files.join(" ")}`);
  });

  test("where sshd is told to listen, it is let in at once, and where it still listens it stays", async () => {
    await sh("worker1", "printf 'Port 22\\nListenAddress 0.0.0.0:2222\\n' > /etc/ssh/sshd_config.d/a.conf");
    await within(10, "another port is open", async () => /dport \{ 22, 2222 \}/.test(await rules("worker1")));
    await sh("worker1", "systemctl restart ssh.service");
    assert.ok(await takes("worker2", "worker1", 2222));
    await sh("worker1", "rm /etc/ssh/sshd_config.d/a.conf && systemctl restart ssh.service");
    await within(10, "its port alone is open", async () => {
      await sh("worker1", `systemctl reload ${units.firewall}`);
      return /dport 22 /.test(await rules("worker1")) || /dport \{ 22 \}/.test(await rules("worker1"));
    });
  });

  test("Debian's own firewall, loaded beside it, takes nothing away; a table that somebody emptied is found and mended", async () => {
    await sh("worker1", "systemctl start nftables.service && systemctl restart nftables.service");
    await within(10, "ours is there after a restart of theirs", async () =>
      (await rules("worker1")).includes("ct state"),
    );
    await sh("worker1", "systemctl reload nftables.service");
    await within(10, "ours is there after a reload of theirs", async () =>
      (await rules("worker1")).includes("ct state"),
    );
    await sh("worker1", "nft flush ruleset");
    const refreshed = await rehearsal.pulumi(["refresh", "--yes", "--skip-preview", "--diff"]);
    says(shown(refreshed), `what ${units.firewall} had set up is gone`);
    const before = await journals();
    says((await rehearsal.up()).stdout, `worker1: restarted ${units.firewall}`);
    assert.match(await rules("worker1"), /ct state/);
    await sh("worker1", "systemctl stop nftables.service");
    says((await rehearsal.up("--refresh")).stdout, `worker1: started ${units.firewall}`);
    assert.deepEqual(await journals(), before, "no journal was restarted: nothing of it changed");
    changedNothing(await rehearsal.up());
  });

  test("an update replaced tor and nginx: their units are restarted one after the other, and nobody is turned away", async () => {
    const restarted = [...tors, units.nginx("news")];
    const pids = await pidsOf(rehearsal.lab, "worker1", restarted);
    const others = await pidsOf(rehearsal.lab, "worker2", restarted);
    const visitors = await Visitors.of(rehearsal.lab, [daily]);
    try {
      const { report } = await visitors.during("an update replaced tor and nginx on a worker: the renewal", () =>
        sh(
          "worker1",
          "for f in /usr/bin/tor /usr/sbin/nginx; do cp -p $f $f.new && mv $f.new $f; done; systemctl start softmap-renew.service",
        ),
      );
      const log = await sh("worker1", "journalctl -u softmap-renew.service -o cat --no-pager");
      for (const unit of tors) says(log, `restarted ${unit}: an update has replaced /usr/bin/tor`);
      says(log, `renewed ${units.nginx("news")}, its sockets open: an update has replaced /usr/sbin/nginx`);
      await sh("worker1", `systemctl reload ${units.nginx("news")}`);
      const now = await pidsOf(rehearsal.lab, "worker1", restarted);
      for (const unit of restarted) assert.notEqual(now[unit], pids[unit], unit);
      assert.deepEqual(await pidsOf(rehearsal.lab, "worker2", restarted), others);
      // What is on its way through a tor that ends is cut: its own reader asks again.
      const cut = report.failed.filter(({ status, bytes }) => status === 200 && bytes > 0);
      assert.ok(cut.length <= tors.length, `${cut.length} answers were cut`);
      const failed = report.failed.filter((one) => !cut.includes(one));
      untroubled("during the renewal", { ...report, failed, failures: failed.length });
    } finally {
      await visitors.leave();
    }
    await sh("worker1", "systemctl start softmap-renew.service");
    says(
      await sh("worker1", "journalctl -u softmap-renew.service -o cat --no-pager -n 5"),
      "nothing to restart: every unit runs what is installed",
    );
  });

  test("without a firewall the rest stays; without a base all of it goes, and the sites serve on", async () => {
    const pids = () => pidsOf(rehearsal.lab, "worker1", [...tors, units.nginx("news")]);
    const before = await pids();
    rehearsal.configure(settings({ firewall: false }));
    says((await rehearsal.up()).stdout, `worker1: stopped ${units.firewall}`);
    assert.equal(await sh("worker1", "nft list tables"), "");
    rehearsal.configure(settings({ firewall: true, openPorts: [8080] }));
    await listen();
    await rehearsal.up();
    assert.deepEqual([await takes("worker2", "worker1", 22), await takes("worker2", "worker1", 8080)], [true, true]);
    rehearsal.configure(settings({ base: false }));
    await rehearsal.up();
    const places = Object.values(baseFiles).flatMap((one) =>
      typeof one === "object" && "place" in one ? [one.place] : [],
    );
    const left = [...places, ...Object.values(baseFiles.apparmor).map(({ place }) => place), "/etc/softmap/base"];
    assert.equal(await sh("worker1", `ls -d ${left.join(" ")} 2>/dev/null || true`), "");
    assert.equal(
      await sh(
        "worker1",
        "nft list tables; systemctl list-units --all --plain --no-legend 'softmap-firewall*' softmap-base.service 'softmap-renew*'",
      ),
      "",
    );
    assert.deepEqual(await pids(), before);
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);
  });
});
