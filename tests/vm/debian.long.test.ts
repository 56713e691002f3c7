// softmap's own files on a Debian machine with a kernel of its own: AppArmor that enforces, kernel limits that can be set, a firewall, and a boot.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { bootstrap } from "../../host/program";
import { runOverSsh } from "../../host/ssh";
import { stopwatch } from "../../lab/progress";
import { ensureVmImage } from "../../lab/vm/image";
import { bootVm, type Vm } from "../../lab/vm/machine";
import { balancerPaths, firewallTable, nginxSocket, onionDir, profiles, units, users } from "../../plan/names";
import { issue } from "../certificates";
import { confinement, connects, consensusScript, originScript, under } from "./probes";
import { domain, vmStack, type VmStack } from "./vmStack";

const say = stopwatch();

describe("a Debian machine with a kernel of its own", { timeout: 40 * 60_000 }, () => {
  let vm: Vm;
  let stack: VmStack;
  let origin: string;

  before(async () => {
    const image = await ensureVmImage(say);
    const authority = await issue("An authority", { authority: true, use: "any" });
    const server = await issue(domain, { by: authority, names: [domain] });
    origin = originScript(server.certificate, server.key, `<a href="https://${domain}/next">next</a>\n`);
    stack = await vmStack(image.hostKey, authority.certificate);
    vm = await bootVm(image, say);
    say(`its sshd answered ${vm.booted.toFixed(0)} s after its start`);
    // sshd has a second port, as on machines of people who moved it; and the kernel says every refusal, not ten in five seconds.
    await vm.run(`
      printf 'Port 22\\nPort 2222\\n' > /etc/ssh/sshd_config.d/ports.conf && systemctl reload ssh
      until ss -ltnH sport = :2222 | grep -q . && ss -ltnH sport = :22 | grep -q .; do sleep 0.5; done
      printf 'kernel.printk_ratelimit = 0\\n' > /etc/sysctl.d/10-lab.conf && sysctl -q -p /etc/sysctl.d/10-lab.conf`);
  });
  after(() => vm?.end());

  /** A command's stdout, without its last newline. */
  const out = async (command: string, seconds?: number): Promise<string> =>
    (await vm.run(command, seconds === undefined ? {} : { seconds })).stdout.trimEnd();
  const lines = async (command: string) => (await out(command)).split("\n").filter((line) => line !== "");

  /** A step, as the command provider runs it. */
  async function release(what: string, program: string, args = ""): Promise<string> {
    const ran = await runOverSsh(vm.connection, `${bootstrap}${args}`, program, { dialSeconds: 30, seconds: 300 });
    say(`${what}: ${ran.stdout.trimEnd().split("\n").at(-1) ?? ""}`);
    assert.equal(ran.code, 0, `${what}:\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  }

  /** What our profiles refused since the machine's boot. */
  const refused = async () => [
    ...new Set(await lines(`journalctl -k -b --no-pager -o cat | grep 'apparmor="DENIED".*profile="softmap' || true`)),
  ];

  const curl = (kind: "http" | "https"): string =>
    `curl -sSk -m 30 --unix-socket ${nginxSocket("news", 1, kind)} ${kind}://${stack.onion}/`;

  async function confined(unit: string, profile: string, program: RegExp, least = 1): Promise<void> {
    const found = await lines(confinement(unit));
    assert.ok(found.length >= least, `${unit} has ${found.length} processes`);
    for (const each of found) {
      assert.match(each, program);
      assert.ok(each.endsWith(` ${profile} (enforce)`), each);
    }
  }

  async function serves(): Promise<void> {
    for (const kind of ["http", "https"] as const)
      assert.equal(await out(curl(kind)), `<a href="https://${stack.onion}/next">next</a>`, kind);
  }

  test("its kernel has AppArmor, takes limits, and nothing leaves it", async () => {
    assert.equal(await out("cat /sys/module/apparmor/parameters/enabled"), "Y");
    assert.equal(await out("sysctl -n -w net.core.somaxconn=5000"), "5000");
    let dialled = 0;
    const server = createServer(() => (dialled += 1)).listen(0, "127.0.0.1");
    await once(server, "listening");
    // QEMU's own network has this machine's loopback at 10.0.2.2, when it is not restricted.
    const { port } = server.address() as AddressInfo;
    assert.notEqual(await out(connects("nobody", "10.0.2.2", port)), "connected");
    assert.equal(dialled, 0);
    server.close();
  });

  test("the look before anything changes finds nothing", async () => {
    const now = Math.round(Date.now() / 1000);
    assert.match(await release("preflight", stack.preflight, ` now=${now}`), /can be used/);
  });

  test("the base: kernel limits, firewall, journal, updates, profiles", async () => {
    const said = await release("base", stack.base);
    assert.doesNotMatch(said, /softmap base:/);
    assert.match(await release("base probe", stack.baseProbe), /\{"drift": \[\]\}/);
    await baseHolds();
    assert.match(await out("systemd-analyze cat-config systemd/journald.conf"), /SystemMaxUse=200M/);
    const apt = await out("apt-config dump");
    assert.match(apt, /APT::Periodic::Unattended-Upgrade "1";/);
    assert.match(apt, /Unattended-Upgrade::Automatic-Reboot "false";/);
    assert.match(apt, /Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=\$\{distro_codename\}-updates";/);
    const upgrade = await out("unattended-upgrades --dry-run --debug 2>&1", 180);
    assert.match(upgrade, /Allowed origins are: .*codename=bookworm-security.*codename=bookworm-updates/);
    assert.match(upgrade, /No packages found that can be upgraded unattended/);
  });

  async function baseHolds(): Promise<void> {
    const limits = "net.core.somaxconn net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse kernel.kptr_restrict";
    assert.deepEqual(await lines(`sysctl -n ${limits}`), ["16384", "15000\t65000", "1", "2"]);
    const rules = await out(`nft list table inet ${firewallTable}`);
    assert.match(rules, /hook input priority filter; policy drop;/);
    assert.match(rules, /tcp dport \{ 22, 2222 \} accept/);
    for (const user of Object.values(users))
      assert.ok(rules.includes(`skuid "${user}"`) || /skuid \d+/.test(rules), user);
    const enforced = await out("cat /sys/kernel/security/apparmor/profiles");
    for (const profile of Object.values(profiles)) assert.ok(enforced.includes(`${profile} (enforce)`), enforced);
    for (const unit of [units.firewall, units.base, units.renewTimer])
      assert.equal(await out(`systemctl is-active ${unit}`), "active", unit);
  }

  test("the firewall: ssh comes in and nothing else; our users reach what they need", async () => {
    await vm.run(`
      ip netns add visitor
      ip link add inside type veth peer name outside netns visitor
      ip addr add 198.51.100.1/24 dev inside; ip link set inside up
      ip -n visitor addr add 198.51.100.2/24 dev outside; ip -n visitor link set outside up
      ip link add metadata type dummy; ip addr add 169.254.169.1/16 dev metadata; ip link set metadata up
      systemd-run -q --unit=listener python3 -m http.server 8080`);
    const fromOutside = (port: number) => `ip netns exec visitor ${connects("nobody", "198.51.100.1", port)}`;
    assert.deepEqual(await lines([22, 2222, 8080].map(fromOutside).join("\n")), ["connected", "connected", "timeout"]);
    // The other way: 198.51.100.2 refuses by itself, so what is let through is refused too; a second listener tells them apart.
    await vm.run(
      "ip netns exec visitor systemd-run -q --scope --unit=far true; systemd-run -q --unit=far-listener ip netns exec visitor python3 -m http.server 9001; sleep 3",
    );
    const who = [users.tor, users.nginx, users.onionbalance, "nobody"];
    assert.deepEqual(await lines(who.map((user) => connects(user, "198.51.100.2", 9001)).join("\n")), [
      "connected",
      "connected",
      "ECONNREFUSED",
      "connected",
    ]);
    // Nobody is there: only what the firewall refuses is refused at once.
    const metadata = await lines(who.map((user) => connects(user, "169.254.169.254", 80)).join("\n"));
    assert.deepEqual(metadata.slice(0, 3), ["ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"]);
    assert.notEqual(metadata[3], "ECONNREFUSED");
  });

  test("a worker: nginx and tor start, serve and reload under their profiles", async () => {
    await vm.run(origin);
    await release("worker", stack.worker);
    const nginx = units.nginx("news");
    const tor = units.tor(stack.daemon);
    await confined(nginx, profiles.nginx, /^nginx /, 2);
    await confined(tor, profiles.tor, /^tor /);
    await serves();
    await release("worker again", stack.workerAgain);
    await vm.run(`systemctl reload ${nginx} ${tor}; sleep 2; systemctl is-active ${nginx} ${tor}`);
    await serves();
    // tor dials: its authority is not there, and that is all that is wrong.
    const log = await out(`journalctl -u ${tor} --no-pager -o cat`);
    assert.match(log, /Connection refused/);
    assert.doesNotMatch(log, /Permission denied|Operation not permitted/);
    assert.deepEqual(await refused(), []);
  });

  test("a killed nginx leaves its sockets, and starts again under its profile", async () => {
    const nginx = units.nginx("news");
    await vm.run(
      `systemctl kill -s KILL ${nginx}; for i in $(seq 30); do sleep 1; ${curl("http")} >/dev/null 2>&1 && exit 0; done; exit 1`,
    );
    await confined(nginx, profiles.nginx, /^nginx /, 2);
    await serves();
    assert.deepEqual(await refused(), []);
  });

  test("a balancer: its tor and Onionbalance under their profiles", async () => {
    await release("balancer", stack.balancer);
    await vm.run(consensusScript(balancerPaths.dataDir));
    await release("publisher", stack.publisher);
    await confined(units.balancerTor, profiles.tor, /^tor /);
    await confined(units.onionbalance, profiles.onionbalance, /^python3/);
    const status = `python3 -I -c '
import socket
stream = socket.socket(socket.AF_UNIX)
stream.settimeout(20)
stream.connect("${balancerPaths.statusSocket}")
print(stream.makefile().read())'`;
    assert.ok((await out(`sleep 5; ${status}`)).includes(stack.onion.replace(".onion", "")));
    const pid = `systemctl show -P MainPID ${units.onionbalance}`;
    const running = await out(pid);
    await vm.run(`systemctl reload ${units.balancerTor}; sleep 20`);
    assert.equal(await out(pid), running, await out(`journalctl -u ${units.onionbalance} -n 20 --no-pager -o cat`));
    assert.deepEqual(await refused(), []);
  });

  test("an update replaced tor: the renewal restarts the tors, one after the other, under their profile", async () => {
    await vm.run(
      "cp -p /usr/bin/tor /usr/bin/tor.new && mv /usr/bin/tor.new /usr/bin/tor; systemctl start softmap-renew.service",
      {
        seconds: 300,
      },
    );
    const log = await out("journalctl -u softmap-renew.service --no-pager -o cat");
    for (const unit of [units.tor(stack.daemon), units.balancerTor]) assert.ok(log.includes(`restarted ${unit}`), log);
    await confined(units.tor(stack.daemon), profiles.tor, /^tor /);
    assert.doesNotMatch(log, /softmap-nginx@/);
    assert.deepEqual(await refused(), []);
  });

  test("after a boot everything stands again, without a cycle in the order of units", async () => {
    await vm.run("sync");
    await vm.reboot();
    await vm.run("systemctl is-system-running --wait", { mayFail: true, seconds: 200 });
    const journal = await out("journalctl -b --no-pager -o cat");
    assert.doesNotMatch(
      journal,
      /ordering cycle/i,
      journal
        .split("\n")
        .filter((line) => /cycle/i.test(line))
        .join("\n"),
    );
    await baseHolds();
    await vm.run(origin);
    await confined(units.nginx("news"), profiles.nginx, /^nginx /, 2);
    await confined(units.tor(stack.daemon), profiles.tor, /^tor /);
    await confined(units.balancerTor, profiles.tor, /^tor /);
    await serves();
    assert.deepEqual(await refused(), []);
  });

  test("under the profiles nobody reads other people's keys or runs programs", async () => {
    const key = `${onionDir(stack.daemon)}/hs_ed25519_secret_key`;
    const cases = [
      // Each would be readable by that user; nginx and tor read any file as their configuration and say what is wrong with it.
      under(profiles.nginx, "root", "/usr/sbin/nginx -t -c /etc/shadow"),
      under(profiles.nginx, users.tor, `/usr/sbin/nginx -t -e stderr -c ${key}`),
      under(profiles.tor, "root", "/usr/bin/tor --verify-config --defaults-torrc /dev/null -f /etc/shadow"),
      under(profiles.onionbalance, "root", `/usr/bin/python3 -I -c 'open("/etc/shadow")'`),
      under(profiles.onionbalance, users.tor, `/usr/bin/python3 -I -c 'open("${key}")'`),
      under(
        profiles.onionbalance,
        users.onionbalance,
        `/usr/bin/python3 -I -c 'import os; os.execv("/bin/sh", ["sh"])'`,
      ),
    ];
    for (const each of cases) {
      assert.match(await out(each), /Permission denied|Unable to open configuration file/, each);
      // Without the profile the same user can: it is the profile that says no.
      assert.doesNotMatch(
        await out(each.replace(/aa-exec -p \S+ -- /, "").replace('["sh"]', '["sh", "-c", ":"]')),
        /Permission denied|Unable to open configuration file/,
        each,
      );
    }
    const log = await refused();
    for (const name of ["/etc/shadow", key, "/usr/bin/dash"])
      assert.ok(
        log.some((line) => line.includes(`name="${name}"`)),
        `${name}:\n${log.join("\n")}`,
      );
  });

  test("the base goes as it came", async () => {
    await release("base removal", stack.removal, " everything");
    assert.equal(await out(`nft list tables`), "");
    assert.equal(await out("ls /etc/apparmor.d/softmap-* /etc/sysctl.d/60-softmap.conf 2>/dev/null || true"), "");
    await serves();
  });
});
