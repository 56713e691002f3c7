// A release that goes wrong on a host: the old one goes on serving, the rest of the pool is left on it, the message has the tool's own
// words, and `up` again mends it. softmap 2 on the way: a balancer's machine that is also in the pool, where it is the canary, and one worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { execOn, hostUp, readNetwork, type HostInfo } from "../../lab/lab";
import type { PulumiOptions, PulumiRun } from "../../lab/pulumi";
import { currentFile, dataDir, onionDir, publisherFiles, siteKeyFile, units, workerFiles } from "../../plan/names";
import { Canary, killWhole, processes, refused, serving, shown, until } from "./faultKit";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";

const hosts = ["bal", "w1"] as const;
const deskProject = { name: "desk", softmapTorWorkers: 1, sites: [{ domain: "tips.test" }] };
const [news = ""] = daemonsOf("news", 1, [{ domain: "www.daily.test" }]);
const [desk = ""] = daemonsOf("desk", 1, deskProject.sites);
const served = {
  bal: [units.nginx("news"), units.tor(news), units.balancerTor, units.onionbalance],
  w1: [units.nginx("news"), units.tor(news)],
};
const away = (path: string) => ({ spoil: ["mv", path, `${path}.away`], mend: ["mv", `${path}.away`, path] });
const authorities = "/etc/ssl/certs/ca-certificates.crt";

/** What is changed of the settings. */
interface Change {
  readonly news?: Settings;
  readonly torrc?: readonly string[];
  readonly projects?: readonly Settings[];
  readonly more?: Settings;
}

/** A config that is right, and a canary on which a tool cannot take it. */
interface Refusal {
  readonly what: string;
  readonly change: Change;
  /** Commands that root gives on the canary; they may name the site's key file as KEY. */
  readonly spoil?: readonly string[];
  readonly mend?: readonly string[];
  readonly said: readonly RegExp[];
}

const refusals: readonly Refusal[] = [
  {
    what: "tor refuses its configuration, as a worker's and as the balancer's",
    change: { torrc: ["DirAuthority a9 orport=5100 nobody"] },
    said: [
      /softmap release on bal failed: softmap-tor@news-1-[0-9a-f]{4}\.service: tor refuses its new configuration; nothing was switched\. Next: /,
      /softmap release on bal failed: softmap-balancer-tor\.service: tor refuses/,
      /\| .*\[warn\] .*(DirAuthority|directory|authority)/i,
    ],
  },
  {
    what: "nginx refuses its configuration: a module of the host's is gone",
    change: { news: { nginxTimeout: "21s" } },
    ...away("/usr/lib/nginx/modules/ngx_http_lua_module.so"),
    said: [
      /softmap release on bal failed: softmap-nginx@news\.service: nginx refuses its new configuration; nothing was switched\. Next: /,
      /\| .*dlopen\(\) "\/usr\/lib\/nginx\/modules\/ngx_http_lua_module\.so" failed/,
    ],
  },
  {
    what: "the host's file of certificate authorities is broken",
    change: { news: { nginxTimeout: "21s" } },
    spoil: ["sh", "-c", `cp -p ${authorities} ${authorities}.away && echo nothing >${authorities}`],
    mend: ["mv", `${authorities}.away`, authorities],
    said: [
      /softmap release on bal failed: softmap-nginx@news\.service: nginx refuses its new configuration; nothing was switched\. Next: /,
      /\| .*SSL_CTX_load_verify_locations\("\/etc\/ssl\/certs\/ca-certificates\.crt"\) failed/,
    ],
  },
  {
    what: "Onionbalance cannot read its configuration: a module of the host's is gone",
    change: { more: { listed: ["w1"] } },
    ...away("/usr/lib/python3/dist-packages/yaml"),
    said: [
      /softmap publish on bal failed: Onionbalance refuses its new configuration; nothing was switched\. Next: /,
      /\| Onionbalance 0\.2\.\d on this host cannot be used: No module named 'yaml'; not started\./,
    ],
  },
  {
    what: "a site's key cannot be read: a directory is in its place",
    change: { more: { listed: ["w1"] } },
    spoil: ["sh", "-c", "mv KEY KEY.away && mkdir KEY"],
    mend: ["sh", "-c", "rmdir KEY && mv KEY.away KEY"],
    said: [
      /softmap publish on bal failed: Onionbalance refuses its new configuration; nothing was switched\. Next: /,
      /\| .*Unable to read service private key file \('\[Errno 21\] Is a directory: /,
    ],
  },
];

describe("a release that goes wrong", { timeout: 12 * 60_000 }, () => {
  const canary = new Canary();
  let rehearsal: Rehearsal;
  let daily = "";
  let machines: HostInfo[] = [];

  before(async () => {
    rehearsal = await Rehearsal.start("e2efaultsrel");
    machines = await Promise.all(hosts.map((host) => hostUp(rehearsal.lab, host)));
    canary.watchText(readFileSync(readNetwork(rehearsal.lab).privateKeyFile, "utf8"));
  });
  after(() => rehearsal?.end());

  function configure({ news = {}, torrc = [], projects = [], more = {} }: Change = {}): void {
    const network = readNetwork(rehearsal.lab);
    const [bal, w1] = machines.map(({ name, address, hostKey }) => ({ name, address, hostKey }));
    rehearsal.configure({
      hosts: {
        provider: "ssh",
        user: "operator",
        privateKeyFile: network.privateKeyFile,
        torNetwork: [...network.torrc, ...torrc],
      },
      balancers: [bal],
      workers: [w1],
      workersOnBalancers: true,
      protectKeys: false,
      retireGrace: "0s",
      drainTimeout: "0s",
      projects: [{ name: "news", softmapTorWorkers: 1, sites: [{ domain: "www.daily.test" }], ...news }, ...projects],
      ...more,
    });
  }
  async function up(options: PulumiOptions = {}): Promise<PulumiRun> {
    const ran = await canary.during(() => rehearsal.pulumi(["up", "--yes", "--skip-preview"], options));
    canary.hear("up", shown(ran));
    return ran;
  }
  const on = (host: string, ...argv: string[]) => execOn(rehearsal.lab, host, argv);
  /** What each host serves: links and processes. */
  async function look(host: (typeof hosts)[number]): Promise<string[]> {
    const roles = host === "bal" ? (["worker", "balancer", "publisher"] as const) : (["worker"] as const);
    return [
      ...(await Promise.all(roles.map((role) => serving(rehearsal.lab, host, role)))),
      await processes(rehearsal.lab, host, served[host]),
    ];
  }
  const lookAll = () => Promise.all(hosts.map(look));
  async function serves(): Promise<void> {
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);
  }
  async function succeeds(): Promise<PulumiRun> {
    const ran = await up();
    assert.equal(ran.code, 0, shown(ran));
    return ran;
  }
  /** The canary failed: nobody tried the other worker, and nothing was published. */
  function stoppedAtTheCanary(ran: PulumiRun): void {
    assert.doesNotMatch(shown(ran), /workers-w1-release|balancer-bal-publish|w1: /);
  }

  test("softmap 2: the balancer's machine serves too, and both serve through Tor", async () => {
    configure();
    await succeeds();
    const published = await rehearsal.output<Record<string, string>>("published");
    assert.match(published["bal"] ?? "", /www\.daily\.test [a-z2-7]{56}\.onion published with 2 of 2 backends/);
    daily =
      (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"]?.["www.daily.test"] ?? "";
    await serves();
  });

  for (const { what, change, spoil, mend, said } of refusals) {
    test(`${what}: its own words, nothing switched on any host, and the site is served`, async () => {
      const asRoot = async (argv: readonly string[]): Promise<void> => {
        const ran = await on("bal", ...argv.map((word) => word.replaceAll("KEY", siteKeyFile(daily))));
        assert.equal(ran.code, 0, ran.stderr);
      };
      const before = await lookAll();
      await asRoot(spoil ?? ["true"]);
      configure(change);
      const ran = await up();
      const now = await lookAll();
      await serves();
      await asRoot(mend ?? ["true"]);
      refused(ran, ...said);
      assert.deepEqual(now, before);
      if (change.more === undefined) stoppedAtTheCanary(ran);
    });
  }

  test("what nginx takes and visitors do not: a site that answers 502 after it takes the canary back by itself", async () => {
    const before = await lookAll();
    // TEST-NET-2: nobody has this address
    configure({ news: { nginxResolver: ["198.51.100.53"], nginxTimeout: "2s" } });
    const ran = await up();
    refused(
      ran,
      new RegExp(
        `softmap release on bal failed: (${daily}|www\\.daily\\.test) does not answer as it should through this host's own backend news-bal-1 \\(502, and before this release it was 200\\)\\. Reverted to release [0-9a-f]{12}\\. Next: `,
      ),
    );
    assert.deepEqual(await lookAll(), before);
    stoppedAtTheCanary(ran);
    await serves();
  });

  test("a unit that ends while the canary is watched: it goes back, and the next wave never begins", async () => {
    const before = await Promise.all([serving(rehearsal.lab, "bal", "worker"), look("w1")]);
    configure({ news: { nginxTimeout: "21s" }, more: { rollout: { canary: 1, waveSize: 1, pause: "2m" } } });
    let stopped: ReturnType<typeof on> | undefined;
    const ran = await up({
      onLine: (line) => {
        if (line.includes("bal: watching for 120 s")) stopped ??= on("bal", "systemctl", "stop", units.nginx("news"));
      },
    });
    assert.equal((await stopped)?.code, 0);
    refused(
      ran,
      /bal: softmap-nginx@news\.service is not healthy: systemd says inactive/,
      /softmap release on bal failed: softmap-nginx@news\.service is not healthy.*Reverted to release [0-9a-f]{12}\. Next: /,
    );
    assert.ok(ran.seconds < 100, `${ran.seconds} s: it did not wait for the end of the pause`);
    assert.deepEqual(await Promise.all([serving(rehearsal.lab, "bal", "worker"), look("w1")]), before);
    assert.equal((await on("bal", "systemctl", "is-active", units.nginx("news"))).text.trim(), "active");
    stoppedAtTheCanary(ran);
    await serves();
  });

  test("a unit that fails after the switch: its own last lines, and the host is back on its old release", async () => {
    const before = await lookAll();
    // tor finds its lock file only when it runs, not when it checks a configuration
    await on("bal", "mkdir", "-p", `${dataDir(desk)}/lock`);
    configure({ news: { nginxTimeout: "21s" }, projects: [deskProject] });
    const ran = await up();
    const now = await lookAll();
    const left = await on("bal", "systemctl", "is-enabled", units.tor(desk), units.nginx("desk"));
    await serves();
    await on("bal", "rmdir", `${dataDir(desk)}/lock`);
    refused(
      ran,
      /bal: softmap-tor@desk-1-[0-9a-f]{4}\.service is not healthy.*Its last lines:/,
      /\| .*lock/,
      /softmap release on bal failed: softmap-tor@desk-1-[0-9a-f]{4}\.service is not healthy.*Reverted to release [0-9a-f]{12}\. Next: /,
    );
    assert.deepEqual(now, before);
    stoppedAtTheCanary(ran);
    assert.doesNotMatch(left.text, /^enabled/m);
    assert.doesNotMatch(
      (await on("bal", "cat", currentFile("publisher", publisherFiles.onionbalance))).text,
      /tips\.test/,
    );
  });

  test("up is killed in the middle of a release: pulumi cancel, and up again completes it", async () => {
    // The new tor starts when it is let: the release is in its middle for as long as the test needs
    const hold = `/run/systemd/system/${units.tor(desk)}.d`;
    const script = `mkdir -p ${hold} && printf '[Service]\\nExecStartPre=sh -c "until [ -e /run/go ]; do sleep .1; done"\\n' >${hold}/hold.conf && systemctl daemon-reload`;
    assert.equal((await on("w1", "sh", "-c", script)).code, 0);
    let pid = 0;
    let ended = false;
    const args = ["up", "--yes", "--skip-preview"];
    const killed = rehearsal.pulumi(args, { onStart: (started) => (pid = started) }).finally(() => (ended = true));
    await until(async () => ended || (await on("w1", "systemctl", "is-active", units.tor(desk))).text === "activating");
    assert.ok(!ended, "it was over before it could be killed");
    killWhole(pid);
    assert.notEqual((await killed).code, 0);
    await serves();
    await on("w1", "touch", "/run/go");

    const locked = await up();
    refused(locked, /locked/, /pulumi cancel/);
    const cancel = await rehearsal.pulumi(["cancel", "--yes"]);
    assert.equal(cancel.code, 0, shown(cancel));
    await succeeds();
    for (const host of hosts)
      assert.match(
        (await on(host, "cat", currentFile("worker", workerFiles.nginxSite("news", "www.daily.test")))).text,
        /21s/,
      );
    const tips =
      (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["desk"]?.["tips.test"] ?? "";
    assert.equal((await rehearsal.fetch(`http://${tips}/`)).status, 200);
    await Promise.all(hosts.map(look));
    await serves();
  });

  test("no key was seen: in no output, command line, journal or file but the key files", async () => {
    const state = await rehearsal.pulumi(["stack", "export", "--show-secrets"], { onLine: () => undefined });
    const { deployment } = JSON.parse(state.stdout) as {
      deployment: { resources: { outputs?: Record<string, unknown> }[] };
    };
    for (const { outputs } of deployment.resources) {
      const secret = outputs?.["secretKey"] as { plaintext?: string } | undefined;
      if (secret?.plaintext !== undefined)
        canary.watchKey(Buffer.from(JSON.parse(secret.plaintext) as string, "base64"));
    }
    const shownState = await rehearsal.pulumi(["stack", "export"], { onLine: () => undefined });
    canary.hear("the state", shown(shownState));
    const backends = [desk, news].map((daemon) => `${onionDir(daemon)}/hs_ed25519_secret_key`);
    const addresses = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
    const sites = Object.values(addresses)
      .flatMap((of) => Object.values(of))
      .map(siteKeyFile);
    assert.deepEqual(await canary.filesOf(rehearsal.lab, "w1"), backends);
    assert.deepEqual(await canary.filesOf(rehearsal.lab, "bal"), [...backends, ...sites].sort());
    canary.assertUnheard();
  });
});
