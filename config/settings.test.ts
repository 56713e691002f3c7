// Which of a project's and a site's settings counts, and that components take what the schema takes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProjectSettingsArgs, SiteSettingsArgs } from "../components/settings";
import { parseStackConfig } from "./parse";
import { lab, project, site } from "./samples";
import { hasTls, resolveProject, resolveSite, siteSettings } from "./schema";
import type { GivenProjectSettings, GivenSiteSettings } from "./schema";

test("a site's own setting counts, else its project's, else the default; a list replaces a list", () => {
  const ours = { nginxTimeout: 30, blockPath: ["/a", "/b"], injectOrigin: "https://a.example" };
  const settings = resolveSite(ours, { blockPath: ["/c"], suppressHeaderHsts: false });
  assert.deepEqual(settings.blockPath, ["/c"]);
  assert.equal(settings.nginxTimeout, 30);
  assert.equal(settings.injectOrigin, "https://a.example");
  assert.equal(settings.suppressHeaderHsts, false);
  assert.equal(settings.xFromOnionValue, "1");
  assert.deepEqual(resolveSite(ours, { blockPath: [], nginxTimeout: undefined }).blockPath, []);
});

test("without any setting there are the defaults, and what has none is absent", () => {
  const settings = resolveSite({}, {});
  assert.equal(settings.nginxTimeout, 15);
  const absent = Object.keys(siteSettings).filter((key) => !(key in settings));
  const bare = "injectOrigin injectReferer cookieLock nginxProxySslTrustedCertificate upstreamCertificate certificate";
  assert.deepEqual(absent.toSorted(), bare.split(" ").toSorted());
  assert.ok(Object.values(settings).every((value) => value !== undefined));
  const shared = resolveProject({ torMaxStreams: 5 });
  assert.equal(shared.torMaxStreams, 5);
  assert.equal(shared.nginxRlim, 8192);
  assert.ok(!("circuitConnections" in shared));
});

test("of a certificate and a self-signed one the nearer counts", () => {
  const certificate = "a.pem";
  const cases: [GivenSiteSettings, GivenSiteSettings, string | undefined, string][] = [
    [{}, {}, undefined, "off"],
    [{ certificate }, {}, "a.pem", "off"],
    [{ certificate }, { certificate: "b.pem" }, "b.pem", "off"],
    [{ certificate }, { onionTls: "selfSigned" }, undefined, "selfSigned"],
    [{ certificate }, { onionTls: "off" }, undefined, "off"],
    [{ onionTls: "selfSigned" }, {}, undefined, "selfSigned"],
    [{ onionTls: "selfSigned" }, { certificate }, "a.pem", "off"],
    [{ onionTls: "selfSigned" }, { onionTls: "off" }, undefined, "off"],
  ];
  for (const [ours, own, expected, onionTls] of cases) {
    const settings = resolveSite(ours, own);
    assert.deepEqual([settings.certificate, settings.onionTls], [expected, onionTls], JSON.stringify([ours, own]));
    assert.equal(hasTls(settings), expected !== undefined || onionTls === "selfSigned");
  }
});

test("a parsed config has the settings of sites as they were given", () => {
  const sites = [{ ...site, nginxTimeout: "1m", nginxResolver: ["2001:db8::2"] }, { domain: "b.example.org" }];
  const [news] = parseStackConfig(lab({ projects: [project({ nginxTimeout: "20s", sites })] })).projects;
  assert.ok(news);
  assert.deepEqual(news.sites[1], { domain: "b.example.org", subdomains: [] });
  const resolved = news.sites.map((each) => resolveSite(news, each));
  assert.deepEqual(
    resolved.map(({ nginxTimeout, nginxResolver }) => [nginxTimeout, nginxResolver]),
    [
      [60, ["[2001:db8::2]"]],
      [20, []],
    ],
  );
});

test("components take what the schema takes", () => {
  // Checked by the compiler: arguments are settings as given, and the other way round.
  const toSite = (args: SiteSettingsArgs): GivenSiteSettings => args;
  const toProject = (args: ProjectSettingsArgs): GivenProjectSettings & GivenSiteSettings => args;
  const fromProject = (given: GivenProjectSettings & GivenSiteSettings): ProjectSettingsArgs => given;
  for (const same of [toSite, toProject, fromProject])
    assert.deepEqual(same({ blockPath: ["/a"] }), { blockPath: ["/a"] });
});
