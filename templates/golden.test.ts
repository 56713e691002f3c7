import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { backendName, daemonName } from "../plan/names";
import { render, type Models, type TemplateName } from "./index";
import { readSources } from "./sources";

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
  { domain: "www.example.org", subdomains: ["cdn", "static_1"] },
  { domain: "shop.example.org", subdomains: [] },
  { domain: "example.org", subdomains: ["www"] },
  { domain: "news.example.net", subdomains: ["img.cdn"] },
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
      services: used.map(({ domain, onion }) => ({
        address: onion,
        domain,
        backends: workers.flatMap((worker) =>
          Array.from({ length: daemons }, (_, at) => {
            const backend = backendName("news", worker, at + 1);
            return { address: address(backend), name: backend };
          }),
        ),
      })),
    });
    for (const project of projects) {
      golden(`${name}.${project}.nginx.conf`, "nginx", { project, sites: used, nginxTimeout: 15 });
      golden(`${name}.${project}.ob_config`, "ob-config", { frontends: used.map(({ onion }) => onion) });
      for (let index = 1; index <= daemons; index++) {
        const daemon = daemonName(project, index, "3fa9");
        golden(`${name}.${project}-${index}.torrc`, "backend-torrc", {
          daemon,
          project,
          index,
          torIntrosPerDaemon: 2 + index,
          network,
        });
      }
    }
  });
}

test("sites, each its own file whatever else the project has", () => {
  const resolvers = { "example.org": ["10.0.0.2", "[fd00::2]:5353"] };
  for (const site of allSites) {
    const nginxResolver = resolvers[site.domain as keyof typeof resolvers] ?? [];
    golden(`news.${site.domain}.nginx.conf`, "nginx-site", { project: "news", site, nginxResolver });
  }
  golden("news.nginx.listen", "nginx-listen", { project: "news" });
});

test("units", () => {
  golden("softmap-tor@.service", "unit-tor", {});
  golden("softmap-nginx@.service", "unit-nginx", {});
  golden("softmap-balancer-tor.service", "unit-balancer-tor", {});
  golden("softmap-onionbalance.service", "unit-onionbalance", { testnet: false });
  golden("softmap-onionbalance.testnet.service", "unit-onionbalance", { testnet: true });
});

test("Onionbalance's launcher", () => {
  golden("onionbalance.launch.py", "onionbalance-launch", { testnet: false });
  golden("onionbalance.testnet.launch.py", "onionbalance-launch", { testnet: true });
});

test("the order of what has no order makes no difference", () => {
  const frontends = allSites.map(({ onion }) => onion);
  const text = (order: string[]) => render("ob-config", readSources("ob-config"), { frontends: order });
  assert.equal(text(frontends), text([...frontends].reverse()));
});
