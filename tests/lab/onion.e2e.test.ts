// The onion's own side: https with a certificate of the operator's and with one that is made, circuits told apart and limited, single onion services.
// softmap 1: one machine that is balancer and worker.
import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { containerName } from "../../lab/places";
import { podman } from "../../lab/podman";
import { execOn, hostUp, type HostInfo } from "../../lab/lab";
import { UNTRUSTED } from "../../lab/originPages";
import { clientSocks } from "../../lab/torNetwork";
import { keysOfSeed } from "../../onion/keys";
import { torClient, units } from "../../plan/names";
import { issue, type Issued } from "../certificates";
import { refused, shown } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";
import { changedNothing, pidsOf, unitsLike } from "./killKit";

const tips = keysOfSeed(randomBytes(32));

describe("the onion's side", { timeout: 12 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let solo: HostInfo;
  let authority: Issued;
  let given: Issued;
  let onions: Record<string, string> = {};

  before(async () => {
    rehearsal = await Rehearsal.start("e2eonion");
    solo = await hostUp(rehearsal.lab, "solo");
    authority = await issue("An authority", { authority: true });
    given = await issue(tips.address, { names: [tips.address, `*.${tips.address}`], by: authority });
    await rehearsal.setSiteKey("tips.test", tips.secretFile);
    await rehearsal.setSecret('tlsKeys["tips.test"]', given.key);
  });
  after(() => rehearsal?.end());

  const settings = (desk: Settings = {}): Settings => {
    return {
      ...rehearsal.solo(solo),
      projects: [
        {
          name: "news",
          softmapTorWorkers: 1,
          torSingleOnion: true,
          torExportCircuitId: true,
          nginxXOnionCircuitId: true,
          torIntroDosDefense: true,
          torIntroDosRatePerSec: 50,
          torIntroDosBurstPerSec: 200,
          torMaxStreams: 100,
          circuitRequestRate: 1,
          circuitRequestBurst: 5,
          sites: [{ domain: "www.daily.test" }, { domain: UNTRUSTED }],
        },
        {
          name: "desk",
          softmapTorWorkers: 1,
          sites: [
            { domain: "court.test", subdomains: ["cdn"], onionTls: "selfSigned" },
            { domain: "tips.test", onion: tips.address, certificate: given.certificate + authority.certificate },
          ],
          ...desk,
        },
      ],
    };
  };
  const leaf = (pem = ""): string => new X509Certificate(pem).fingerprint256;
  const onion = (domain: string): string => onions[domain] ?? assert.fail(domain);
  /** Not its base: that has no process. */
  const served = async (): Promise<string[]> =>
    (await unitsLike(rehearsal.lab, "solo", "softmap-*")).filter((unit) => /-(tor|nginx|onionbalance)\b/.test(unit));

  test("a key that is not the certificate's is refused at preview, before anything is made", async () => {
    const other = await issue("other");
    await rehearsal.setSecret('tlsKeys["tips.test"]', other.key);
    rehearsal.configure(settings());
    const run = await rehearsal.pulumi(["preview"]);
    await rehearsal.setSecret('tlsKeys["tips.test"]', given.key);
    refused(run, /site tips\.test: .*key.*(belong|certificate)/i);
    assert.doesNotMatch(shown(run), /PRIVATE KEY/);
  });

  test("one up: every site is proved, by https where it has a certificate", async () => {
    const run = await rehearsal.up();
    assert.match(run.stdout, /4 sites answered through Tor at the own address of 2 backends/);
    assert.match(run.stdout, new RegExp(`${UNTRUSTED} answers 502: the proxy works, the origin behind it does not`));
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    onions = { ...addresses["news"], ...addresses["desk"] };
    assert.equal(onion("tips.test"), tips.address);
    changedNothing(await rehearsal.up());
  });

  test("https with the operator's own certificate and its chain; http leads there; links fit each onion", async () => {
    const page = await rehearsal.fetch(`https://${onion("tips.test")}/`);
    assert.equal(page.status, 200);
    assert.equal(leaf(page.certificates), leaf(given.certificate));
    assert.equal(page.certificates?.match(/BEGIN/g)?.length, 2, "with the chain");
    assert.ok(page.body.includes(`"https://${onion("tips.test")}/landing"`));
    assert.ok(page.body.includes(`"https://${onion("court.test")}/"`));
    const plain = await rehearsal.fetch(`http://${onion("tips.test")}/landing?a=1`);
    assert.deepEqual([plain.status, plain.headers["location"]], [307, `https://${onion("tips.test")}/landing?a=1`]);
    assert.match((await rehearsal.fetch(`https://${onion("tips.test")}/cookie`)).cookies.join(), /; Secure/);
  });

  test("https with a certificate that was made: for the onion and all below it, renewed by an edit without a restart", async () => {
    const names = (pem = "") => new X509Certificate(pem).subjectAltName?.split(", ").map((name) => name.slice(4));
    const page = await rehearsal.fetch(`https://cdn.${onion("court.test")}/app.js`);
    assert.equal(page.status, 200);
    const top = onion("court.test");
    assert.deepEqual(names(page.certificates)?.sort(), [top, `*.${top}`, `cdn.${top}`, `*.cdn.${top}`].sort());
    const expiry = (await rehearsal.output<Record<string, Record<string, string>>>("certificates"))["desk"]?.[
      "court.test"
    ];
    assert.equal(
      new Date(expiry ?? "").getTime(),
      new Date(new X509Certificate(page.certificates ?? "").validTo).getTime(),
    );

    const before = await pidsOf(rehearsal.lab, "solo", await served());
    rehearsal.configure(settings({ selfSignedDays: 90 }));
    await rehearsal.up();
    const renewed = await rehearsal.fetch(`https://${top}/`);
    assert.notEqual(leaf(renewed.certificates), leaf(page.certificates));
    assert.deepEqual(await pidsOf(rehearsal.lab, "solo", await served()), before);
  });

  test("an origin whose certificate is wrong: 502 with a hint, the reason in the journal alone, and hello from the onion itself", async () => {
    const page = await rehearsal.fetch(`http://${onion(UNTRUSTED)}/`);
    assert.equal(page.status, 502);
    assert.match(page.body, /does not answer, or did not prove who it is.*\/hello-onion\//);
    const journal = await execOn(rehearsal.lab, "solo", ["journalctl", "-u", units.nginx("news"), "--no-pager"]);
    assert.match(journal.text, /upstream SSL certificate verify error/);
    assert.equal((await rehearsal.fetch(`http://${onion(UNTRUSTED)}/hello-onion/`)).status, 200);
  });

  test("single onion services serve, proved through a client of the machine's own", async () => {
    assert.equal((await rehearsal.fetch(`http://${onion("www.daily.test")}/`)).status, 200);
    assert.equal(
      (await execOn(rehearsal.lab, "solo", ["systemctl", "is-active", units.tor(torClient)])).text.trim(),
      "active",
    );
    const torrcs = await execOn(rehearsal.lab, "solo", [
      "sh",
      "-c",
      "cat /etc/softmap/worker/current/tor/news-*/torrc",
    ]);
    for (const line of ["HiddenServiceNonAnonymousMode 1", "SocksPort 0", "HiddenServiceEnableIntroDoSDefense 1"])
      assert.ok(torrcs.text.includes(line), line);
  });

  test("an upstream learns the circuit's id; a circuit that asks too much is told so, and no other", async () => {
    const seen = await rehearsal.fetch(`http://${onion("www.daily.test")}/headers.txt`);
    const { headers } = JSON.parse(seen.body) as { headers: Record<string, string[]> };
    assert.match(headers["x-onion-circuitid"]?.[0] ?? "", /^fc00:dead:beef:4dad::/);

    const statuses = await onOneCircuit(`http://${onion("www.daily.test")}/hello-onion/?[1-30]`);
    assert.equal(statuses.length, 30);
    assert.ok(statuses.filter((status) => status === "200").length >= 5, statuses.join());
    assert.ok(statuses.includes("429"), statuses.join());
    assert.equal((await rehearsal.fetch(`http://${onion("www.daily.test")}/hello-onion/`)).status, 200);
  });

  test("circuits and single onions given up: another generation of daemons, and the client goes", async () => {
    const { projects, ...rest } = settings({ selfSignedDays: 90 });
    const [news, desk] = projects as Settings[];
    rehearsal.configure({ ...rest, projects: [{ name: "news", softmapTorWorkers: 1, sites: news?.["sites"] }, desk] });
    await rehearsal.up();
    assert.deepEqual(await unitsLike(rehearsal.lab, "solo", units.tor(torClient)), []);
    assert.equal((await rehearsal.fetch(`http://${onion("www.daily.test")}/`, {})).status, 200);
  });

  /** What curl gets for each of several URLs, one after the other through one SOCKS user: one circuit. */
  async function onOneCircuit(urls: string): Promise<string[]> {
    const name = containerName(rehearsal.lab, "tor");
    const address = await clientSocks(rehearsal.lab);
    const curl = [
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}\\n",
      "--socks5-hostname",
      `one:x@${address}`,
      urls,
    ];
    return (await podman(["exec", name, ...curl], { mayFail: true, timeout: 120_000 })).text.trim().split("\n");
  }
});
