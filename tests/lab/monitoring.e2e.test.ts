// Machines that tell Prometheus how they are: everything is told, to nobody else; a worker that is killed is an alert within a minute.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ensureDerivedImage, execOn, hostUp, powerCut, stopwatch, type HostInfo } from "../../lab/lab";
import { torMetrics } from "../../plan/metrics";
import { desk, deskOk } from "./deskKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";
import { pidsOf, unitsLike, within } from "./killKit";
import { monitoringImage } from "./monitoringImage";
import {
  firing,
  place,
  promtool,
  query,
  scraped,
  sh,
  shipped,
  startOnionprobe,
  startPrometheus,
} from "./monitoringKit";

const sites = [{ domain: "www.daily.test" }, { domain: "court.test", onionTls: "selfSigned" }];
const settings: Settings = {
  hosts: { provider: "lab", name: "e2emonitoring" },
  balancers: 1,
  workers: 2,
  protectKeys: false,
  retireGrace: "0s",
  drainTimeout: "1s",
  projects: [{ name: "news", softmapTorWorkers: 1, sites }],
};

/** What every machine tells; and besides what its work is. */
const ofMachine = [
  "softmap_collected_timestamp_seconds",
  "softmap_collection_failures 0",
  'softmap_release_info{role="base",release="',
  'softmap_release_info{role="metrics",release="',
  'softmap_unit_active{unit="softmap-firewall.service"} 1',
  'softmap_unit_active{unit="softmap-metrics.service"} 1',
  'softmap_disk_free_bytes{place="/"}',
  'softmap_disk_size_bytes{place="/"}',
];
const ofWorker = (worker: string, daemon: string): string[] => {
  const who = `project="news",daemon="${daemon}",backend="news-${worker}-1"`;
  return [
    `softmap_unit_active{unit="softmap-tor@${daemon}.service"} 1`,
    `softmap_unit_restarts_total{unit="softmap-nginx@news.service"} 0`,
    `softmap_tor_up{${who}} 1`,
    `softmap_tor_metrics_up{${who}} 1`,
    `softmap_tor_bootstrap_percent{${who}} 100`,
    `softmap_tor_circuits_ready{${who}} 1`,
    `softmap_backend_introduction_points{${who}} `,
    `tor_hs_intro_established_count{${who}`,
    `tor_relay_traffic_bytes{${who}`,
    'softmap_nginx_up{project="news"} 1',
    'softmap_nginx_connections{project="news",state="active"}',
    'softmap_nginx_connections_accepted_total{project="news"}',
    'softmap_nginx_connections_handled_total{project="news"}',
    'softmap_nginx_requests_total{project="news"}',
    'softmap_certificate_end_timestamp_seconds{project="news",domain="court.test"}',
  ];
};
const ofBalancer = [
  'softmap_tor_up{daemon="balancer"} 1',
  'softmap_tor_metrics_up{daemon="balancer"} 1',
  'softmap_tor_bootstrap_percent{daemon="balancer"} 100',
  "softmap_onionbalance_publishing 1",
  "softmap_onionbalance_up 1",
  ...sites.flatMap(({ domain }) => [
    `softmap_site_publish_age_seconds{site="${domain}",descriptor="first"}`,
    `softmap_site_publish_age_seconds{site="${domain}",descriptor="second"}`,
    `softmap_site_backends_planned{site="${domain}"} 2`,
    `softmap_site_backends_known{site="${domain}"} 2`,
  ]),
  ...["news-worker1-1", "news-worker2-1"].flatMap((backend) => [
    `softmap_backend_descriptor_age_seconds{backend="${backend}"}`,
    `softmap_backend_offered_points{backend="${backend}"} 3`,
  ]),
];

describe("monitoring", { timeout: 10 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let monitor: HostInfo;
  const hosts = new Map<string, HostInfo>();
  const [daemon = ""] = daemonsOf("news", 1, [{ domain: "www.daily.test" }, { domain: "court.test" }]);
  const url = (host: string): string => `http://${hosts.get(host)?.address ?? assert.fail(host)}:9552/metrics`;

  before(async () => {
    const image = await ensureDerivedImage(monitoringImage, stopwatch());
    rehearsal = await Rehearsal.start("e2emonitoring");
    monitor = await hostUp(rehearsal.lab, "monitor", { image });
    rehearsal.configure(settings);
    await rehearsal.up();
    for (const name of ["balancer1", "worker1", "worker2"]) hosts.set(name, await hostUp(rehearsal.lab, name));
  });
  after(() => rehearsal?.end());

  test("promtool takes the rules, and they say what their tests expect", async () => {
    const names = ["alerts.yml", "alerts.test.yml", "prometheus.example.yml"];
    await place(rehearsal.lab, "monitor", Object.fromEntries(names.map((name) => [name, shipped(name)])));
    assert.match(await promtool(rehearsal.lab, "monitor", "check rules alerts.yml"), /SUCCESS: \d\d rules found/);
    assert.match(await promtool(rehearsal.lab, "monitor", "test rules alerts.test.yml"), /SUCCESS/);
    await promtool(rehearsal.lab, "monitor", "check config --syntax-only prometheus.example.yml");
  });

  test("a stack without monitoring has nothing of it, and is told how to get it", async () => {
    const { code, err } = await desk(rehearsal, "monitoring");
    assert.equal(code, 1);
    assert.match(err, /it has no monitoring\.\n {2}Next: set softmap:monitoring/);
    assert.deepEqual(await unitsLike(rehearsal.lab, "worker1", "softmap-metrics*"), []);
  });

  test("it is turned on, and no tor, nginx or Onionbalance is restarted for it", async () => {
    const { lab } = rehearsal;
    const serving = async (host: string) => {
      const units = await Promise.all(
        ["softmap-tor@*", "softmap-nginx@*", "softmap-balancer-tor*", "softmap-onionbalance*"].map((like) =>
          unitsLike(lab, host, like),
        ),
      );
      return pidsOf(lab, host, units.flat());
    };
    const all = () => Promise.all([...hosts.keys()].map(serving));
    const earlier = await all();
    rehearsal.configure({ ...settings, monitoring: { from: [`${monitor.address}/32`] } });
    await rehearsal.up();
    assert.deepEqual(await all(), earlier);
  });

  test("every machine tells all that there is to tell", async () => {
    const { lab } = rehearsal;
    const expected = {
      balancer1: [...ofMachine, ...ofBalancer],
      worker1: [...ofMachine, ...ofWorker("worker1", daemon)],
      worker2: [...ofMachine, ...ofWorker("worker2", daemon)],
    };
    const backends = await rehearsal.output<{ address: string }[]>("backends");
    for (const [host, lines] of Object.entries(expected)) {
      let text = "";
      const missing = () => lines.filter((line) => !text.split("\n").some((each) => each.startsWith(line)));
      await within(60, `${host} tells everything`, async () => {
        text = await scraped(lab, "monitor", url(host));
        return missing().length === 0;
      }).catch((error: unknown) => assert.fail(`${String(error)}\nmissing: ${missing().join("\n")}\n${text}`));
      for (const { address } of backends) assert.ok(!text.includes(address.replace(".onion", "")), address);
      await place(lab, "monitor", { "page.txt": `${text.trimEnd()}\n` });
      // tor's own names are not all as Prometheus would have them.
      const said = await promtool(lab, "monitor", "check metrics <page.txt || true");
      assert.deepEqual(
        said.split("\n").filter((line) => line !== "" && !line.startsWith("tor_")),
        [],
      );
    }
  });

  test("nobody else is told", async () => {
    const { lab } = rehearsal;
    const curl = async (host: string, at: string, ...as: readonly string[]) =>
      (await execOn(lab, host, [...as, "curl", "-s", "-o", "/dev/null", "-m", "3", at])).code;
    assert.equal(await curl("monitor", url("worker1")), 0);
    assert.equal(await curl("worker2", url("worker1")), 28, "dropped");
    assert.equal(await curl("worker1", "http://127.0.0.1:9552/metrics"), 0, "its own loopback: the way through ssh");
    const tor = `http://${torMetrics(daemon)}/metrics`;
    assert.equal(await curl("worker1", tor), 0, "root");
    const nginx = ["setpriv", "--reuid=softmap-nginx", "--regid=softmap-nginx", "--clear-groups"];
    assert.equal(await curl("worker1", tor, ...nginx), 7, "refused");
    // Without the firewall systemd drops what comes from others, and where it cannot the exporter itself turns them away.
    await sh(lab, "worker1", "nft insert rule inet softmap input tcp dport 9552 accept");
    const code = await curl("worker2", url("worker1"));
    assert.ok(code === 28 || code === 52, `curl ended with ${code}`);
  });

  test("Prometheus asks all of them, and no alert fires", async () => {
    const { lab } = rehearsal;
    await startPrometheus(lab, "monitor", await deskOk(rehearsal, "monitoring"));
    await within(60, "three machines are up", async () => {
      const up = await query(lab, "monitor", 'up{job="softmap"} == 1');
      return up.length === 3;
    });
    assert.deepEqual(await firing(lab, "monitor"), []);
  });

  test("onionprobe comes to every site", async () => {
    const { lab } = rehearsal;
    // One site sends its visitors on to https, where its certificate is self-signed: a visitor's browser is asked, onionprobe has to be told.
    const certificate = await sh(lab, "worker1", "cat /etc/softmap/worker/current/nginx/news/court.test.crt");
    await startOnionprobe(lab, "monitor", await deskOk(rehearsal, "monitoring", "--onionprobe"), certificate);
    let text = "";
    const green = ({ domain }: { domain: string }) =>
      [/^onion_service_reachable\{.*\} 1\.0$/m, /^onion_service_status_code\{.*\} 200\.0$/m].every((line) =>
        text
          .split("\n")
          .filter((each) => each.includes(`name="${domain}"`))
          .some((each) => line.test(each)),
      );
    await within(150, "onionprobe is content", async () => {
      text = await scraped(lab, "monitor", "http://127.0.0.1:9935/metrics");
      return sites.every(green);
    }).catch(async (error: unknown) => {
      const said = await execOn(lab, "monitor", [
        "journalctl",
        "-u",
        "lab-onionprobe",
        "-u",
        "lab-tor",
        "-o",
        "cat",
        "-n",
        "40",
      ]);
      assert.fail(`${String(error)}\n${said.text}`);
    });
  });

  test("a worker is killed: within a minute the numbers and an alert say so", async () => {
    const { lab } = rehearsal;
    const began = Date.now();
    await powerCut(lab, "worker2");
    await within(60, "the number says so", async () => {
      const down = await query(lab, "monitor", 'up{job="softmap"} == 0');
      return down.some(({ metric }) => metric["host"] === "worker2");
    });
    const told = (Date.now() - began) / 1000;
    await within(60, "the alert fires", async () =>
      (await firing(lab, "monitor")).includes("SoftmapMachineSilent worker2"),
    );
    const fired = (Date.now() - began) / 1000;
    console.log(`    up == 0 after ${told.toFixed(1)} s, the alert after ${fired.toFixed(1)} s`);
    assert.ok(fired < 60, `${fired} s`);
    await hostUp(lab, "worker2");
    await within(120, "the alert ends", async () => (await firing(lab, "monitor")).length === 0);
  });

  test("it is turned off, and nothing of it is left", async () => {
    const { lab } = rehearsal;
    rehearsal.configure(settings);
    await rehearsal.up();
    assert.deepEqual(await unitsLike(lab, "worker1", "softmap-metrics*"), []);
    const left = await execOn(lab, "worker1", ["ls", "/etc/softmap/metrics", "/run/softmap/metrics"]);
    assert.equal(left.text, "", "nothing");
    assert.equal((await execOn(lab, "worker1", ["grep", "-r", "MetricsPort", "/etc/softmap/worker/current/"])).code, 1);
  });
});
