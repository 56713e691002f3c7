// Real sites behind real onions, read and edited through Tor by a real browser: it must be as at the domain, and nothing may lead away from the onion.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ensureDerivedImage, execOn, hostUp, lockCounters, readNetwork, stopwatch, type HostInfo } from "../../lab/lab";
import { units } from "../../plan/names";
import { Rehearsal } from "./fixture";
import { setUpBrowser, visit, type Seen, type Step, type Visit } from "./sites/browser";
import { sitesImage } from "./sites/image";
import { domains, serveSites, sites, type Account } from "./sites/origin";
import { issueTitle, postTitle, redmineSteps, wordpressSteps } from "./sites/plans";

const account: Account = { user: "editor", password: randomBytes(12).toString("base64url") };

describe("real sites through Tor", { timeout: 15 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let onions: Record<string, string> = {};
  const onion = (domain: string): string => onions[domain] ?? assert.fail(domain);

  before(async () => {
    const image = await ensureDerivedImage(sitesImage, stopwatch());
    const hosted = Object.fromEntries(domains.map((domain) => [domain, "sites"]));
    rehearsal = await Rehearsal.start("e2esites", { hosted });
    const { lab } = rehearsal;
    const [solo] = await Promise.all([
      hostUp(lab, "solo"),
      hostUp(lab, "browser", { image }).then(() => setUpBrowser(lab, "browser")),
      hostUp(lab, "sites", { image }).then(() => serveSites(lab, "sites", account)),
    ]);
    configure(solo);
    await rehearsal.up();
    onions = (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["press"] ?? {};
  });
  after(() => rehearsal?.end());

  function configure(host: HostInfo): void {
    rehearsal.configure({
      ...rehearsal.solo(host),
      projects: [
        {
          ...{ name: "press", softmapTorWorkers: 1, deonionifyPostBodies: true },
          // robots.txt is plain text, which is rewritten only where that is asked for
          sites: [{ domain: sites.wordpress, extraSubsFilterTypes: ["text/plain"] }, { domain: sites.redmine }],
        },
      ],
    });
  }

  /** The same steps at the domain and at the onion; what both came to. */
  async function both(domain: string, steps: (at: string, account: Account) => Step[]): Promise<[Visit, Visit]> {
    const { lab } = rehearsal;
    const direct = await visit(lab, "browser", steps(`https://${domain}`, account));
    went(direct);
    const refused = (await lockCounters(lab))?.refused;
    const address = onion(domain);
    const through = await visit(lab, "browser", steps(`http://${address}`, account), {
      proxy: readNetwork(lab).socks,
      // as in Tor Browser, where an onion is a secure context
      secure: [`http://${address}`, `http://cdn.${address}`],
      names: domains,
    });
    if (through.steps.some(({ error }) => error !== "")) {
      const journal = await execOn(lab, "solo", ["journalctl", "-u", units.nginx("press"), "-o", "cat", "-n", "20"]);
      console.log(`    the proxy's last words:\n${journal.text}`);
    }
    went(through);
    assert.equal((await lockCounters(lab))?.refused, refused, "nothing tried to leave the lab");
    return [direct, through];
  }

  /** Through Tor: nothing asked for but the onion's own, nobody dialled but the Tor client, no name looked up, none of the domains in a page. */
  function stayed(domain: string, { steps, asked, dialled, resolved }: Visit): void {
    const hosts = asked.map((url) => new URL(url)).filter(({ protocol }) => /^(https?|wss?):$/.test(protocol));
    const address = onion(domain);
    const away = (all: readonly URL[]) =>
      all.map(({ host }) => host).filter((host) => host !== address && !host.endsWith(`.${address}`));
    const pages = steps.flatMap(({ requests }) => requests.map(({ url }) => new URL(url)));
    assert.deepEqual(away(pages.filter(({ protocol }) => /^(https?|wss?):$/.test(protocol))), []);
    // Chromium asks for its maker's services and downloads of its own accord, whatever it is told, and does not get them.
    assert.deepEqual(
      [...new Set(away(hosts))].filter((host) => !/\.(google(apis)?|gvt[12])\.com$/.test(host)),
      [],
    );
    // A UDP socket that is opened to this address and sends nothing is how Chromium asks the kernel whether there is IPv6.
    const probe = "udp [2001:4860:4860::8888]:443";
    assert.deepEqual(
      dialled.filter((to) => to !== probe),
      [readNetwork(rehearsal.lab).socks],
    );
    assert.deepEqual(resolved, []);
    for (const { name, leaks } of steps) assert.deepEqual(leaks, [], name);
    assert.ok(
      hosts.some(({ host }) => host === `cdn.${address}`),
      "the subdomain came along",
    );
  }

  /** Errors of the browser's console at the onion that the same step has not at the domain. */
  function noNewErrors([direct, through]: [Visit, Visit]): void {
    const severe = ({ console }: Seen) =>
      console.filter(({ level }) => level === "SEVERE").map(({ text }) => plain(text));
    const plain = (text: string) =>
      text.replace(/https?:\/\/\S+/g, (url) => new URL(url).pathname).replace(/\d+:\d+/, "");
    for (const [n, step] of through.steps.entries()) {
      const known = severe(direct.steps[n] ?? assert.fail(step.name));
      assert.deepEqual(
        severe(step).filter((text) => !known.includes(text)),
        [],
        step.name,
      );
    }
  }

  const valueOf = ({ steps }: Visit, name: string): unknown => steps.find((step) => step.name === name)?.value;

  test("WordPress: log in, write a post with a picture, read it, comment, admin pages", async () => {
    const seen = await both(sites.wordpress, wordpressSteps);
    const [, through] = seen;
    const at = `http://${onion(sites.wordpress)}`;
    stayed(sites.wordpress, through);
    assert.equal(valueOf(through, "dashboard"), true, "its cookies are taken and come back");
    const { status, link, picture } = valueOf(through, "write") as Record<string, string>;
    assert.equal(status, "publish");
    assert.match(link ?? "", new RegExp(`^${at}/\\d{4}/sealed-papers-2/$`), "the second of that title");
    assert.ok(picture?.startsWith(`http://cdn.${onion(sites.wordpress)}/wp-content/uploads/`), picture);
    assert.equal(valueOf(through, "settings"), at);
    const post = through.steps.find(({ name }) => name === "the post");
    assert.equal(post?.url, link);
    assert.match(post?.title ?? "", new RegExp(`^${postTitle}`));
    assert.ok((valueOf(through, "the post") as string[]).includes(`${at}/wp-login.php`), "the editor's own link");
    assert.deepEqual(valueOf(through, "comment is there"), ["A remark.", 1], "the picture has its one pixel");
    noNewErrors(seen);
  });

  test("what WordPress stored is the domain: nothing of the onion is in its own pages", async () => {
    const front = await visit(rehearsal.lab, "browser", [
      { name: "the post", open: `https://${sites.wordpress}/`, run: "return document.documentElement.outerHTML" },
    ]);
    assert.doesNotMatch(String(front.steps[0]?.value), /\.onion/);
  });

  test("WordPress: feed, sitemap and its API name the onion alone", async () => {
    const at = `http://${onion(sites.wordpress)}`;
    for (const path of [
      "/feed/",
      "/wp-sitemap.xml",
      "/wp-sitemap-posts-post-1.xml",
      "/wp-json/wp/v2/posts",
      "/robots.txt",
    ]) {
      const { status, body } = await rehearsal.fetch(`${at}${path}`);
      assert.equal(status, 200, path);
      assert.ok(body.replaceAll("\\/", "/").includes(`${at}/`), path);
      assert.doesNotMatch(body, /blog\.test/, path);
    }
  });

  test("Redmine: log in, file an issue, comment on it, admin pages, log out", async () => {
    const seen = await both(sites.redmine, redmineSteps);
    const [, through] = seen;
    const at = `http://${onion(sites.redmine)}`;
    stayed(sites.redmine, through);
    assert.equal(valueOf(through, "my page"), account.user, "its cookies are taken and come back");
    assert.deepEqual(valueOf(through, "the issue"), [issueTitle, `${at}/projects/press`]);
    assert.equal(valueOf(through, "settings"), onion(sites.redmine));
    assert.ok((valueOf(through, "project") as string[]).includes(`http://${onion(sites.wordpress)}/`), "another site");
    assert.equal(valueOf(through, "logged out"), true);
    noNewErrors(seen);
    const feed = await rehearsal.fetch(`${at}/projects/press/activity.atom`);
    assert.equal(feed.status, 200);
    assert.match(feed.body, new RegExp(`${at}/issues/\\d+`));
    assert.doesNotMatch(feed.body, /tracker\.test/);
  });
});

/** Every step of the visit succeeded. */
function went({ steps }: Visit): void {
  for (const { name, error, url } of steps) assert.equal(error, "", `${name}, at ${url}`);
}
