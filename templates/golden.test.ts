import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { resolveProject, resolveSite, type GivenSiteSettings } from "../config/schema";
import { balancerDaemon, torMetrics } from "../plan/metrics";
import { backendName, daemonName } from "../plan/names";
import { publisherTimers, watchdogSettings, type PublisherMode } from "../plan/publisher";
import { torSettings, type TorSettings } from "../plan/torSettings";
import { render, type Models, type TemplateName } from "./index";
import { readSources } from "./sources";

const torDefaults = torSettings(resolveProject({}));

// The topology matrix: how many projects, daemons and sites, on which network. UPDATE_GOLDEN=1 writes the files anew.
const folder = join(__dirname, "golden");

/** Something like an address for a name, the same in every run; whether a checksum is right is not for templates to say. */
function address(name: string): string {
  const letters = [...createHash("sha512").update(name).digest()].map((byte) =>
    "abcdefghijklmnopqrstuvwxyz234567".charAt(byte & 31),
  );
  return `${letters.slice(0, 55).join("")}d.onion`;
}

function golden<Name extends TemplateName>(file: string, template: Name, model: Models[Name]): void {
  const path = join(folder, file);
  const text = render(template, readSources(template), model);
  assert.equal(render(template, readSources(template), model), text, `${file}: a second rendering differs`);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  }
  assert.ok(existsSync(path), `${file} is missing: run with UPDATE_GOLDEN=1 and read what it writes`);
  assert.equal(text, readFileSync(path, "utf8"), `${file} changed: if that is wanted, UPDATE_GOLDEN=1`);
}

const lab = [
  "TestingTorNetwork 1",
  "PathsNeededToBuildCircuits 0.67",
  "DirAuthority auth1 orport=5000 no-v2 v3ident=0123456789ABCDEF0123456789ABCDEF01234567 10.90.0.11:7000 FEDCBA9876543210FEDCBA9876543210FEDCBA98",
];

const allSites = [
  { domain: "www.example.org", tls: false },
  { domain: "shop.example.org", tls: true },
  { domain: "example.org", tls: false },
  { domain: "news.example.net", tls: true },
].map((site) => ({ ...site, onion: address(site.domain) }));

const topologies = [
  { name: "softmap1", projects: ["news"], daemons: 1, sites: 1, workers: ["balancer1"], network: lab },
  { name: "softmap2", projects: ["news"], daemons: 2, sites: 2, workers: ["balancer1", "worker1"], network: [] },
  { name: "softmap4", projects: ["news", "shop"], daemons: 2, sites: 3, workers: ["worker1", "worker2"], network: lab },
  { name: "three", projects: ["news", "shop", "blog"], daemons: 3, sites: 4, workers: ["worker1"], network: [] },
] as const;

for (const { name, projects, daemons, sites, workers, network } of topologies) {
  test(`${name}: ${projects.length} projects, ${daemons} daemons, ${sites} sites`, () => {
    const used = allSites.slice(0, sites);
    golden(`${name}.balancer-torrc`, "balancer-torrc", { network });
    golden(`${name}.onionbalance.yaml`, "onionbalance", {
      projects: [
        {
          sites: used.map(({ domain, onion }) => ({ address: onion, domain })),
          backends: workers.flatMap((worker) =>
            Array.from({ length: daemons }, (_, at) => {
              const backend = backendName("news", worker, at + 1);
              return { address: address(backend), name: backend };
            }),
          ),
        },
      ],
    });
    for (const project of projects) {
      const { foreignMaps, preserve, onionifyEmails, nginxWorkers, nginxRlim, nginxSyslog } = resolveProject({});
      const rewriting = { foreignMaps, preserve, onionifyEmails, nginxWorkers, nginxRlim, nginxSyslog };
      golden(`${name}.${project}.nginx.conf`, "nginx", { project, sites: used, ...rewriting, circuits: {} });
      golden(`${name}.${project}.ob_config`, "ob-config", { frontends: used.map(({ onion }) => onion) });
      for (let index = 1; index <= daemons; index++) {
        const daemon = daemonName(project, index, "3fa9");
        golden(`${name}.${project}-${index}.torrc`, "backend-torrc", {
          daemon,
          project,
          index,
          torIntrosPerDaemon: 2 + index,
          ...torDefaults,
          network,
        });
      }
    }
  });
}

const torChanges: Record<string, Partial<TorSettings>> = {
  "single-onion": { torSingleOnion: true },
  "circuit-id": { torExportCircuitId: true },
  "intro-dos": { torIntroDosDefense: true },
  "intro-dos-limits": { torIntroDosDefense: true, torIntroDosRatePerSec: 10, torIntroDosBurstPerSec: 40 },
  // The limits alone do nothing: tor takes them with the defence only.
  "limits-alone": { torIntroDosRatePerSec: 10, torIntroDosBurstPerSec: 40, torMaxStreamsCloseCircuit: true },
  streams: { torMaxStreams: 50, torSyslog: "info" },
  all: {
    torSingleOnion: true,
    torSyslog: "err",
    torIntroDosDefense: true,
    torIntroDosRatePerSec: 1,
    torIntroDosBurstPerSec: 1,
    torMaxStreams: 65535,
    torMaxStreamsCloseCircuit: true,
    torExportCircuitId: true,
  },
};

test("what a project says to its tors", () => {
  const daemon = daemonName("news", 2, "3fa9");
  for (const [name, settings] of Object.entries(torChanges))
    golden(`tor.${name}.torrc`, "backend-torrc", {
      ...{ daemon, project: "news", index: 2, torIntrosPerDaemon: 3, network: [] },
      ...torDefaults,
      ...settings,
    });
  golden("tor.client.torrc", "client-torrc", { network: [] });
  golden("tor.client.lab.torrc", "client-torrc", { network: lab });
  golden("prober.torrc", "prober-torrc", { network: [] });
  golden("prober.lab.torrc", "prober-torrc", { network: lab });
});

test("what a project says to its nginx", () => {
  const foreign = { domain: "partner.example.com", onion: address("partner") };
  golden("all.news.nginx.conf", "nginx", {
    project: "news",
    sites: allSites,
    foreignMaps: [foreign],
    preserve: ["press.example.org", 'a "quoted" text'],
    onionifyEmails: true,
    nginxWorkers: 2,
    nginxRlim: 1024,
    nginxSyslog: "warn",
    circuits: { requestRate: 10, requestBurst: 20, connections: 5 },
    backendHeader: true,
  });
});

const everything: GivenSiteSettings = {
  nginxResolver: ["10.0.0.2", "[fd00::2]:5353"],
  nginxTimeout: 30,
  nginxCacheSeconds: 60,
  noCacheHost: ["live.example.org"],
  noCacheContentType: ["text/event-stream"],
  accessLog: "full",
  accessLogFormat: "json",
  nginxProxySslTrustedCertificate: "ca.pem",
  injectHeadersUpstream: { "X-Site": 'say "hi" for $1', "X-Other": "grüße" },
  redirectHost: [{ match: "^join\\.", code: 302, to: "https://join.example.com" }],
  blockPathRe: ["\\.php$"],
  blockParam: [{ name: "debug", value: "1" }],
  cookieLock: "/open-sesame",
};

test("sites, each its own file whatever else the project has", () => {
  for (const site of allSites) {
    const all = site.domain === "example.org";
    golden(`news.${site.domain}.nginx.conf`, "nginx-site", {
      project: "news",
      site,
      subdomains: all ? ["cdn", "static_1"] : [],
      settings: resolveSite({}, all ? everything : {}),
      nginxCacheSize: "256m",
      ...(site.tls && { certificate: "0123456789abcdef".repeat(4) }),
      ...(all && { upstreamCertificate: "fedcba9876543210".repeat(4) }),
    });
  }
  golden("news.nginx.http.listen", "nginx-listen", { project: "news", kind: "http" });
  golden("news.nginx.https.listen", "nginx-listen", { project: "news", kind: "https" });
});

test("units", () => {
  golden("softmap-tor@.service", "unit-tor", {});
  golden("softmap-nginx@.service", "unit-nginx", {});
  golden("softmap-balancer-tor.service", "unit-balancer-tor", {});
  golden("softmap-onionbalance.service", "unit-onionbalance", {});
  golden("softmap-prober-tor.service", "unit-prober-tor", {});
  golden("softmap-watchdog.service", "unit-watchdog", {});
});

test("the base of a machine", () => {
  golden("base.firewall.nft", "base-firewall", { openPorts: [] });
  golden("base.firewall.ports.nft", "base-firewall", { openPorts: [9100, 443] });
  golden("base.firewall.sh", "base-firewall-load", {});
  golden("base.apply.sh", "base-apply", {});
  golden("base.kernel.conf", "base-kernel", {});
  golden("base.journal.conf", "base-journal", {});
  golden("base.upgrades.conf", "base-upgrades", {});
  golden("base.needrestart.conf", "base-needrestart", {});
  golden("base.apparmor.tor", "base-apparmor-tor", {});
  golden("base.apparmor.nginx", "base-apparmor-nginx", {});
  golden("base.apparmor.onionbalance", "base-apparmor-onionbalance", {});
  golden("softmap-firewall.service", "unit-firewall", {});
  golden("softmap-base.service", "unit-base", {});
  golden("softmap-firewall.path", "unit-firewall-path", {});
  golden("softmap-firewall-reload.service", "unit-firewall-reload", {});
  golden("softmap-renew.service", "unit-renew", { settleSeconds: 180 });
  golden("softmap-renew.timer", "unit-renew-timer", { time: "03:30" });
});

test("a monitored machine: what its tors and nginx count, its exporter, who comes in to it", () => {
  const daemon = daemonName("news", 2, "3fa9");
  golden("metrics.torrc", "backend-torrc", {
    ...{ daemon, project: "news", index: 2, torIntrosPerDaemon: 3, network: lab, metrics: torMetrics(daemon) },
    ...torDefaults,
  });
  golden("metrics.balancer-torrc", "balancer-torrc", { network: [], metrics: torMetrics(balancerDaemon) });
  const { foreignMaps, preserve, onionifyEmails, nginxWorkers, nginxRlim, nginxSyslog } = resolveProject({});
  const engine = { foreignMaps, preserve, onionifyEmails, nginxWorkers, nginxRlim, nginxSyslog };
  const sites = allSites.slice(0, 1);
  golden("metrics.nginx.conf", "nginx", { project: "news", sites, ...engine, circuits: {}, metrics: true });
  const scraped = { port: 9552, from: ["10.0.0.0/8", "2001:db8:7::/48", "203.0.113.9/32"] };
  golden("metrics.firewall.nft", "base-firewall", { openPorts: [9100], metrics: scraped });
  golden("metrics.loopback.firewall.nft", "base-firewall", { openPorts: [], metrics: { port: 9552, from: [] } });
  golden("softmap-metrics.service", "unit-metrics", scraped);
  golden("softmap-metrics.loopback.service", "unit-metrics", { port: 9553, from: [] });
  golden("softmap-metrics-collect.service", "unit-metrics-collect", {});
  for (const metrics of ["0.0.0.0:9035", "127.0.0.1:9035 openmetrics", "9035"])
    assert.throws(
      () => render("balancer-torrc", readSources("balancer-torrc"), { network: [], metrics }),
      /it is not an address of loopback with a port/,
    );
  for (const from of ["10.0.0.0/8; drop", "everybody", ""])
    for (const template of ["unit-metrics", "base-firewall"] as const)
      assert.throws(() => {
        const metrics = { port: 9552, from: [from] };
        if (template === "unit-metrics") render(template, readSources(template), metrics);
        else render(template, readSources(template), { openPorts: [], metrics });
      }, /it is not a network in CIDR form/);
});

test("the publisher's settings", () => {
  const settings = (mode: PublisherMode, testnet: boolean) => ({
    mode,
    why: `project "news" has 12 backends`,
    testnet,
    timers: publisherTimers(testnet),
    watchdog: watchdogSettings(mode, testnet),
  });
  golden("publisher.yaml", "publisher", settings("onionbalance", false));
  golden("distinct.publisher.yaml", "publisher", settings("distinct", false));
  golden("distinct.testnet.publisher.yaml", "publisher", settings("distinct", true));
});

test("the order of what has no order makes no difference", () => {
  const frontends = allSites.map(({ onion }) => onion);
  const text = (order: string[]) => render("ob-config", readSources("ob-config"), { frontends: order });
  assert.equal(text(frontends), text([...frontends].reverse()));
});
