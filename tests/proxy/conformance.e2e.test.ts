import { after, before, describe, test } from "node:test";
import { Rig, type Proxy } from "./kit";
import { groups } from "./cases";
import { onionOf, sharedSites, type Site } from "./cases/case";
import { runCase } from "./cases/check";

// The whole of the proxy's behaviour as a table: the real nginx, the real templates, bytes in and bytes out. Cases are in cases/.
const MAIN = "main";
const main = { project: MAIN, sites: [...sharedSites, ...groups.flatMap(({ sites = [] }) => sites)] };
const projects = [main, ...groups.flatMap(({ projects = [] }) => projects)];
const all = projects.flatMap(({ sites }): readonly Site[] => sites);
const withTls = new Set(all.filter(({ onionTls }) => onionTls === "selfSigned").map(({ domain }) => domain));

let rig: Rig;
const proxies = new Map<string, Proxy>();

before(async () => {
  rig = await Rig.start("conformance", [...new Set(all.map(({ domain }) => domain)), "example.com"]);
  for (const each of projects) {
    const sites = each.sites.map((site) => ({ ...site, onion: onionOf(site.domain) }));
    proxies.set(each.project, await rig.startProxy({ ...each, sites }));
  }
});

after(() => rig.stop());

for (const { title, cases, alone } of groups) {
  describe(title, { concurrency: alone ? 1 : 16 }, () => {
    for (const each of cases) {
      test(each.name, async () => {
        const proxy = proxies.get(each.project ?? MAIN);
        if (!proxy) throw new Error(`there is no project ${each.project}`);
        await runCase(rig, proxy, (domain) => withTls.has(domain), each);
      });
    }
  });
}
