// A machine that only a jump host reaches: looked at, deployed, rolled back and left through it; and what a jump host that is down means.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { main } from "../../cli/rollback";
import { deployedStackOf } from "../../cli/stack";
import { runOn } from "../../host/runOn";
import { execOn, heal, hostUp, partition, type HostInfo } from "../../lab/lab";
import { pulumi, type PulumiRun } from "../../lab/pulumi";
import { refused } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";

describe("a machine behind a jump host", { timeout: 15 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let [jump, solo]: HostInfo[] = [];

  before(async () => {
    rehearsal = await Rehearsal.start("e2ejump");
    [jump, solo] = await Promise.all(["jump", "solo"].map((name) => hostUp(rehearsal.lab, name)));
    configure();
  });
  after(() => rehearsal?.end());

  function configure(news: Settings = {}): void {
    assert.ok(jump && solo);
    const { hosts, ...rest } = rehearsal.solo(solo);
    const { address, hostKey } = jump;
    rehearsal.configure({
      ...rest,
      hosts: { ...(hosts as Settings), proxy: { address, hostKey } },
      drainTimeout: "0s",
      projects: [{ name: "news", softmapTorWorkers: 1, sites: [{ domain: "www.daily.test" }], ...news }],
    });
  }

  const up = () => rehearsal.pulumi(["up", "--yes", "--skip-preview"]);
  const on = (script: string) => execOn(rehearsal.lab, "solo", ["sh", "-c", script]);
  const untouched = async () => assert.equal((await on("test -e /etc/softmap || id softmap-tor")).code, 1);
  const page = async () => {
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    return (await rehearsal.fetch(`http://${addresses["news"]?.["www.daily.test"]}/`)).status;
  };

  test("a program that the firewall would shut off and a table of our name: refused in one message, and nothing was changed", async () => {
    await on("systemd-run --quiet --unit=listens python3 -m http.server 8080; nft add table inet softmap");
    const ran = await up();
    refused(
      ran,
      "softmap preflight on solo failed: this host cannot be used, and nothing was changed:",
      "- nftables has a table inet softmap that was not made by softmap. Next: rename or remove it",
      "- python3 listens on tcp port 8080, which the firewall would shut. Next: name the port in openPorts",
    );
    await untouched();
    await on("systemctl stop listens; nft delete table inet softmap");
  });

  test("one up, all through the jump host, and the page comes through Tor", async () => {
    await rehearsal.up();
    assert.equal(await page(), 200);
    const { text } = await on("journalctl -u ssh --grep '^Accepted' -o cat | grep -o 'from [^ ]*' | sort -u");
    assert.equal(text.trim(), `from ${jump?.address}`);
    assert.deepEqual(
      await rehearsal.connections(() => rehearsal.up()),
      { jump: 0, solo: 0 },
      "nothing changed: nobody is dialled",
    );
  });

  test("the jump host is down: its name is in the report, nobody waits for long, the page stays, and the next up makes up for it", async () => {
    await partition(rehearsal.lab, "jump");
    configure({ nginxTimeout: "16s" });
    const started = performance.now();
    let ran: PulumiRun;
    try {
      ran = await up();
    } finally {
      await heal(rehearsal.lab, "jump");
    }
    assert.ok(performance.now() - started < 120_000);
    const words = `solo: jump host: nobody answers at ${jump?.address}:22`;
    refused(ran, words, "solo did not answer and was left out; all others are done.");
    assert.equal(await page(), 200);
    await rehearsal.up();
    assert.match(
      (await on("cat /etc/softmap/worker/current/nginx/news.conf /etc/softmap/worker/current/nginx/news/*")).text,
      /16s/,
    );
  });

  test("a rollback's look goes the same way", async () => {
    const { stdout } = await pulumi(rehearsal.stack, ["stack", "output", "--json", "--show-secrets"]);
    const lines: string[] = [];
    const streams = { out: (text: string) => void lines.push(text), err: (text: string) => void lines.push(text) };
    const tools = { read: () => Promise.resolve(deployedStackOf("e2ejump", stdout)), run: runOn };
    const dialled = await rehearsal.connections(async () => main(["--look"], streams, tools));
    assert.match(lines.join("\n"), /^solo: release [0-9a-f]{12} serves, back to [0-9a-f]{12}$/m);
    assert.deepEqual(dialled, { jump: 1, solo: 1 });
  });

  test("destroy leaves nothing of ours there", async () => {
    const ran = await rehearsal.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(ran.code, 0, ran.stderr);
    await untouched();
  });
});
