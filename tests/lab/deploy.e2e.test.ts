// From empty to pages through Tor and back, with a real `pulumi`: two projects, four sites, two workers, six backends.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { changedLines, changedUnits } from "../../lab/demo/change";
import { containersOf, execOn } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { dataDir, nginxSocketDir, onionDir, units } from "../../plan/names";
import { daemonsOf, Rehearsal, type Settings } from "./fixture";

const newsSites = [{ domain: "www.daily.test", subdomains: ["cdn"] }, { domain: "court.test" }];
/** One of them changed: a line of one file. */
const changedSites = newsSites.map((site, i) => (i === 0 ? { ...site, nginxTimeout: "21s" } : site));
const deskSites = [{ domain: "tips.test" }];
const news = daemonsOf("news", 2, newsSites);
const workers = ["worker1", "worker2"];
const [desk = ""] = daemonsOf("desk", 1, deskSites);

const settings = (more: Settings = {}): Settings => ({
  hosts: { provider: "lab", name: "e2edeploy" },
  balancers: 1,
  workers: 2,
  protectKeys: false,
  retireGrace: "3s",
  drainTimeout: "5s",
  projects: [
    {
      name: "news",
      softmapTorWorkers: 2,
      backendHeader: true,
      sites: newsSites,
      ...more,
    },
    { name: "desk", softmapTorWorkers: 1, backendHeader: true, sites: deskSites },
  ],
});

type Addresses = Record<string, Record<string, string>>;
interface Backend {
  name: string;
  worker: string;
  address: string;
}

describe("a stack in the lab", { timeout: 20 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let daily = "";

  before(async () => {
    rehearsal = await Rehearsal.start("e2edeploy");
    rehearsal.configure(settings());
  });
  after(() => rehearsal?.end());

  test("a first preview shows the files before any host exists", async () => {
    const run = await rehearsal.pulumi(["preview", "--diff"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    assert.match(run.stdout, /text\s+: "# Backend daemon news-1-[0-9a-f]{4} of project news/);
    assert.match(run.stdout, /\+ \d+ to create/);
    assert.deepEqual(await hosts(rehearsal), []);
  });

  test("a first up looks at each host, lays its base, deploys with one login a step, and proves what it published", async () => {
    let run = "";
    const connections = await rehearsal.connections(async () => {
      run = (await rehearsal.up()).stdout;
    });
    // A look and the base on each, before the release and the publication.
    assert.deepEqual(connections, { balancer1: 4, worker1: 3, worker2: 3 });
    for (const worker of workers)
      assert.match(run, new RegExp(`${worker}: 3 sites answered through Tor at the own address of 3 backends`));
    const at = (what: string): number => run.indexOf(what);
    assert.ok(at("workers-worker1-release created") > 0, "worker1 has its release");
    assert.ok(at("workers-worker1-release created") < at("workers-worker2-release creating"), "worker1 is the canary");
    const published = await rehearsal.output<Record<string, string>>("published");
    assert.match(published["balancer1"] ?? "", /www\.daily\.test [a-z2-7]{56}\.onion published with 4 of 4 backends/);
    assert.match(published["balancer1"] ?? "", /tips\.test [a-z2-7]{56}\.onion published with 2 of 2 backends/);
    daily = (await rehearsal.output<Addresses>("addresses"))["news"]?.["www.daily.test"] ?? "";
  });

  test("tor serves the addresses that we computed", async () => {
    for (const { name, worker, address } of await rehearsal.output<Backend[]>("backends")) {
      const daemon = [...news, desk].find((one) => one.startsWith(name.replace(`-${worker}-`, "-")));
      assert.ok(daemon, name);
      const hostname = await execOn(rehearsal.lab, worker, ["cat", `${onionDir(daemon)}/hostname`]);
      assert.equal(hostname.text.trim(), address);
      assert.equal(
        (await rehearsal.fetch(`http://${address}/`)).status,
        421,
        `${name} answers at its own address, and is nobody's site there`,
      );
    }
  });

  test("pages come through Tor with every link on the onion", async () => {
    const page = await rehearsal.fetch(`http://${daily}/`);
    assert.equal(page.status, 200);
    // What only looks like a site's name, and an e-mail address, stay as they are.
    const others = [
      "https://notwww.daily.test/",
      ">notwww.daily.test<",
      "www.daily.test.invalid",
      "desk@www.daily.test",
    ];
    const links = others.reduce((text, other) => {
      assert.ok(text.includes(other), other);
      return text.replaceAll(other, "");
    }, page.body);
    assert.doesNotMatch(links, /daily\.test|court\.test/);
    assert.match(page.body, new RegExp(`href="http://${daily}/landing"`));
    assert.match(page.body, new RegExp(`http:\\\\/\\\\/cdn\\.${daily}`), "JSON's slashes");
  });

  test("a subdomain, a redirect, a cookie, the request's own names", async () => {
    const asset = await rehearsal.fetch(`http://cdn.${daily}/app.js`);
    assert.equal(asset.status, 200);
    const moved = await rehearsal.fetch(`http://${daily}/redirect`);
    assert.match(moved.headers["location"] ?? "", new RegExp(`^http://(cdn\\.)?${daily}/`));
    const cookie = (await rehearsal.fetch(`http://${daily}/cookie`)).cookies.join("\n");
    assert.match(cookie, new RegExp(`Domain=\\.?${daily}`, "i"));
    assert.doesNotMatch(cookie, /;\s*Secure/i);
    const seen = await rehearsal.fetch(`http://${daily}/headers.txt`, {
      Referer: `http://${daily}/from`,
      Origin: `http://${daily}`,
    });
    const { host, headers } = JSON.parse(seen.body) as { host: string; headers: Record<string, string[]> };
    assert.equal(host, "www.daily.test");
    assert.deepEqual(
      [headers["referer"], headers["origin"]],
      [["https://www.daily.test/from"], ["https://www.daily.test"]],
    );
  });

  test("another Host is not ours: 421", async () => {
    assert.equal((await rehearsal.fetch(`http://${daily}/`, { Host: "example.org" })).status, 421);
  });

  test("tors and nginx run as their own users, in sandboxed units, enabled at boot", async () => {
    const unitsOfWorker = [...[...news, desk].map(units.tor), units.nginx("news"), units.nginx("desk")];
    const shown = await execOn(rehearsal.lab, "worker1", [
      "systemctl",
      "show",
      "-p",
      "Id,User,UnitFileState,ActiveState,NoNewPrivileges,ProtectSystem",
      ...unitsOfWorker,
    ]);
    const blocks = shown.text.trim().split("\n\n");
    assert.equal(blocks.length, unitsOfWorker.length);
    for (const block of blocks) {
      assert.match(block, /User=softmap-(tor|nginx)/);
      for (const line of ["UnitFileState=enabled", "ActiveState=active", "NoNewPrivileges=yes", "ProtectSystem=strict"])
        assert.ok(block.includes(line), `${line}\n${block}`);
    }
    const modes = await execOn(rehearsal.lab, "worker1", [
      "stat",
      "-c",
      "%a %U",
      dataDir(desk),
      onionDir(desk),
      nginxSocketDir("news"),
    ]);
    assert.equal(modes.text.trim(), "700 softmap-tor\n700 softmap-tor\n750 softmap-nginx");
  });

  test("a second up changes nothing and opens no connection", async () => {
    let run = "";
    const connections = await rehearsal.connections(async () => {
      run = (await rehearsal.up()).stdout;
    });
    assert.match(run, /\d+ unchanged/);
    assert.doesNotMatch(run, /\d+ (created|updated|replaced|deleted)/);
    assert.deepEqual(Object.values(connections), [0, 0, 0]);
  });

  test("preview --diff of a one-line change shows exactly the lines that change, as they are and as they will be", async () => {
    rehearsal.configure(settings({ sites: changedSites }));
    const run = await rehearsal.pulumi(["preview", "--diff"]);
    assert.equal(run.code, 0, run.stderr);
    const lines = changedLines(run.stdout).map((line) => line.trim().replace(/\s+/g, " "));
    const changed = ["resolver_timeout", "proxy_connect_timeout", "proxy_read_timeout", "proxy_send_timeout"];
    assert.deepEqual(lines.sort(), changed.flatMap((name) => [`- ${name} 15s;`, `+ ${name} 21s;`]).sort());
    assert.doesNotMatch(run.stdout, /secretKey|hs_ed25519_secret_key: "/);
    assert.deepEqual(
      changedUnits(run.stdout).map((unit) => unit.replace(/ [0-9a-f]{6}\)$/, " HASH)")),
      ["workers  softmap-nginx@news.service  reload (nginx/news/www.daily.test.conf HASH)"],
    );
    for (const unit of [units.nginx("desk"), ...[...news, desk].map(units.tor)])
      assert.equal(run.stdout.match(new RegExp(`^ *${unit} *: "leave alone"$`, "gm"))?.length, 1, unit);
  });

  test("the change takes one connection a worker, none to the balancer, and reloads the one nginx without a restart", async () => {
    const pids = () =>
      execOn(rehearsal.lab, "worker1", [
        "systemctl",
        "show",
        "-P",
        "MainPID",
        units.nginx("news"),
        units.nginx("desk"),
        units.tor(desk),
      ]);
    const beforePids = (await pids()).text;
    let run = "";
    const connections = await rehearsal.connections(async () => {
      run = (await rehearsal.up()).stdout;
    });
    assert.deepEqual(connections, { balancer1: 0, worker1: 1, worker2: 1 });
    assert.equal((await pids()).text, beforePids);
    assert.match(run, /worker1: reloaded softmap-nginx@news\.service/);
    assert.doesNotMatch(run, /reloaded softmap-nginx@desk|restarted/);
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);
  });

  test("preview of a site that comes: other tors start beside the old ones, which retire; nginx is reloaded, nothing restarted", async () => {
    const sites = [...changedSites, { domain: "new.test" }];
    rehearsal.configure(settings({ sites }));
    const run = await rehearsal.pulumi(["preview", "--diff"]);
    assert.equal(run.code, 0, run.stderr);
    const planned = [
      "softmap-nginx@news.service  reload (nginx/news.conf not known yet, nginx/news/new.test.conf not known yet)",
      ...daemonsOf("news", 2, sites).map((daemon) => `${units.tor(daemon)}  start`),
      ...news.map((daemon) => `${units.tor(daemon)}  retire`),
    ];
    assert.deepEqual(
      changedUnits(run.stdout),
      // The publisher takes its new config while it runs.
      planned.map((unit) => `workers  ${unit}`).sort(),
    );
    rehearsal.configure(settings({ sites: changedSites }));
  });

  test("refresh looks at each host over one login for its base and one for its component, and finds nothing changed, and a preview after it neither", async () => {
    let run: PulumiRun | undefined;
    const connections = await rehearsal.connections(async () => {
      run = await rehearsal.pulumi(["refresh", "--yes", "--skip-preview"]);
    });
    assert.equal(run?.code, 0, run?.stderr);
    assert.doesNotMatch(run.stdout, /\d+ (updated|deleted)/);
    // Once for its base, once for what a component has there.
    assert.deepEqual(connections, { balancer1: 2, worker1: 2, worker2: 2 });
    const preview = await rehearsal.pulumi(["preview"]);
    assert.equal(preview.code, 0, preview.stderr);
    assert.match(preview.stdout, /\d+ unchanged/);
    assert.doesNotMatch(preview.stdout, /\d+ to (create|update|replace|delete)/);
  });

  test("destroy leaves nothing", async () => {
    const run = await rehearsal.pulumi(["destroy", "--yes", "--skip-preview"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    for (const worker of workers)
      assert.match(run.stdout, new RegExp(`${worker}: retired everything of the worker \\(`));
    assert.match(run.stdout, /balancer1: retired everything of the publisher and the balancer \(/);
    assert.deepEqual(await hosts(rehearsal), []);
    const state = await rehearsal.pulumi(["stack", "export"], { onLine: () => undefined });
    assert.deepEqual(
      (JSON.parse(state.stdout) as { deployment: { resources?: unknown[] } }).deployment.resources ?? [],
      [],
    );
  });
});

/** Names of the lab's hosts; its Tor network and test origin are not the stack's. */
async function hosts(rehearsal: Rehearsal): Promise<string[]> {
  return (await containersOf(rehearsal.lab))
    .filter((container) => container.role === "host")
    .map((container) => container.name);
}
