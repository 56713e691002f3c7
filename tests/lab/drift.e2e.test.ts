// What was changed on a machine by hand is found by a refresh and mended by `up`; and who holds a machine, or the stack, is said by name.
// softmap 1: one machine that is balancer and worker, listed by ssh address and host key.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { execOn, hostUp, readNetwork, type HostInfo } from "../../lab/lab";
import { bootstrap } from "../../host/program";
import { runOverSsh, type SshConnection } from "../../host/ssh";
import { currentFile, siteKeyFile, units, workerFiles } from "../../plan/names";
import { killWhole, refused, says, serving, shown } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";
import { changedNothing, holdingProgram, pidsOf, unitsLike, within } from "./killKit";

describe("drift and locks", { timeout: 8 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let solo: HostInfo;
  let daily = "";
  let tors: string[] = [];

  before(async () => {
    rehearsal = await Rehearsal.start("e2edrift");
    solo = await hostUp(rehearsal.lab, "solo");
    rehearsal.configure(settings());
    await rehearsal.up();
    tors = await unitsLike(rehearsal.lab, "solo", "softmap-tor@news-*");
    assert.equal(tors.length, 2);
    daily =
      (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"]?.["www.daily.test"] ?? "";
  });
  after(() => rehearsal?.end());

  const settings = (news: Settings = {}): Settings => {
    return {
      ...rehearsal.solo(solo),
      projects: [{ name: "news", softmapTorWorkers: 2, sites: [{ domain: "www.daily.test" }], ...news }],
    };
  };
  const on = (...argv: string[]) => execOn(rehearsal.lab, "solo", argv);
  const sh = async (script: string): Promise<string> => {
    const ran = await on("sh", "-c", script);
    assert.equal(ran.code, 0, ran.stderr);
    return ran.text;
  };
  const served = (): string[] => [...tors, units.nginx("news"), units.balancerTor, units.onionbalance];
  const pids = () => pidsOf(rehearsal.lab, "solo", served());
  const refresh = async (): Promise<string> => {
    const ran = await rehearsal.pulumi(["refresh", "--yes", "--skip-preview", "--diff"]);
    assert.equal(ran.code, 0, shown(ran));
    return shown(ran);
  };
  const preview = async (): Promise<string> => {
    const ran = await rehearsal.pulumi(["preview", "--diff"]);
    assert.equal(ran.code, 0, shown(ran));
    return shown(ran);
  };

  test("files, a key's mode and units changed by hand: refresh names each, preview shows it, up mends it and touches nothing else", async () => {
    const [first = "", second = ""] = tors;
    const torrc = currentFile("worker", workerFiles.torrc(second.replace(/^softmap-tor@|\.service$/g, "")));
    const key = siteKeyFile(daily);
    const unit = `/etc/systemd/system/${units.nginx("")}`;
    const unitText = await sh(`cat ${unit}`);
    const torrcText = await sh(`cat ${torrc}`);
    await sh(`echo "# by hand" >>${torrc}; echo "# by hand" >>${unit}; chmod 0444 ${key}`);
    await sh(`systemctl stop ${first}; systemctl disable ${units.balancerTor}`);
    const before = await pids();

    const findings = [
      /the files of release [0-9a-f]{12} were changed by hand/,
      `${unit} was changed by hand`,
      `owner or mode of ${key} was changed by hand`,
      `${first} does not run`,
      `${units.balancerTor} is not started at boot`,
    ];
    const logins = await rehearsal.connections(async () => {
      says(await refresh(), ...findings);
    });
    assert.deepEqual(logins, { solo: 3 }, "one connection for the base, and for each component that is on the machine");
    const seen = await preview();
    says(seen, ...findings, "workers-solo-release");

    const mended = await rehearsal.up();
    says(mended.stdout, `solo: started ${first}`, `solo: reloaded ${second}`);
    assert.equal(await sh(`cat ${unit}`), unitText);
    assert.equal(await sh(`cat ${torrc}`), torrcText);
    assert.equal(await sh(`stat -c "%a %U" ${key}`), "400 softmap-onionbalance");
    assert.equal((await on("systemctl", "is-enabled", units.balancerTor)).text, "enabled");
    const now = await pids();
    for (const untouched of [second, units.nginx("news"), units.balancerTor])
      assert.equal(now[untouched], before[untouched], `${untouched} is the same process`);
    assert.notEqual(now[first], "0");
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);

    const again = await rehearsal.pulumi(["up", "--refresh", "--yes", "--skip-preview"]);
    changedNothing(again);
    assert.doesNotMatch(shown(again), /changed by hand|does not run|not started at boot/);
  });

  test("rollback is a command and takes seconds; a refresh finds it, and up releases again", async () => {
    const old = await serving(rehearsal.lab, "solo", "worker");
    rehearsal.configure(settings({ nginxTimeout: "21s" }));
    await rehearsal.up();
    const now = await serving(rehearsal.lab, "solo", "worker");
    assert.notEqual(now, old);
    const before = await pids();
    const started = performance.now();
    const back = await promisify(execFile)(
      process.execPath,
      ["-r", "./cli/register.js", "cli/main.ts", "rollback", "--stack", rehearsal.stack.name],
      { env: { ...process.env, ...rehearsal.stack.environment } },
    );
    console.log(`    ${back.stdout.trim().replaceAll("\n", "\n    ")}`);
    const seconds = (performance.now() - started) / 1000;
    assert.match(back.stdout, /rolled back in [0-9.]+ s: solo/);
    assert.ok(seconds < 40, `${seconds} s`);
    assert.equal(await serving(rehearsal.lab, "solo", "worker"), old);
    assert.deepEqual(await pids(), before, "a reload of nginx, no restart");
    assert.equal((await rehearsal.fetch(`http://${daily}/`)).status, 200);

    const again = await rehearsal.pulumi(["up", "--refresh", "--yes", "--skip-preview"]);
    assert.equal(again.code, 0, shown(again));
    assert.equal(await serving(rehearsal.lab, "solo", "worker"), now);
    changedNothing(await rehearsal.up());
  });

  test("a second operator is told who holds the machine, since when, and how to break it", async () => {
    await sh(
      "useradd -m second && install -d -m 700 -o second /home/second/.ssh && install -m 600 -o second /home/operator/.ssh/authorized_keys /home/second/.ssh/ && echo 'second ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/second",
    );
    const holding = hold("second", "organization/softmap/other");
    await holding.held;
    rehearsal.configure(settings({ nginxTimeout: "22s" }));
    const before = await serving(rehearsal.lab, "solo", "worker");
    const ran = await rehearsal.pulumi(["up", "--yes", "--skip-preview"]);
    const said =
      /softmap release on solo failed: second from [0-9.]+ \(the worker release, process (\d+), since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\) holds this host for stack organization\/softmap\/other; nothing was changed\. Next: .*sudo kill (\d+)/;
    refused(ran, said);
    assert.equal(await serving(rehearsal.lab, "solo", "worker"), before);
    const [, process_ = "", kill = ""] = said.exec(shown(ran)) ?? [];
    assert.equal(process_, kill);
    await sh(`kill ${kill}`);
    await holding.over;
    assert.match((await rehearsal.up()).stdout, /solo: reloaded softmap-nginx@news\.service/);
  });

  test("a second up of the stack is told who runs the first, and pulumi cancel breaks its lock", async () => {
    // The same operator and stack: that lock is waited for, so the first `up` stands still for as long as the test needs.
    const holding = hold("operator", `organization/softmap/${rehearsal.stack.name}`);
    await holding.held;
    rehearsal.configure(settings({ nginxTimeout: "23s" }));
    let pid = 0;
    let waits = false;
    const onLine = (line: string): void => {
      console.log(`    first: ${line}`);
      waits ||= /solo: waiting for operator from /.test(line);
    };
    const first = rehearsal.pulumi(["up", "--yes", "--skip-preview"], { onLine, onStart: (id) => (pid = id) });
    await within(60, "the first up waits for the machine", () => Promise.resolve(waits));
    const second = await rehearsal.pulumi(["up", "--yes", "--skip-preview"]);
    refused(second, /locked by 1 lock/, /created by \S+@\S+ \(pid \d+\) at \d{4}-\d\d-\d\dT/, /pulumi cancel/);

    killWhole(pid);
    assert.notEqual((await first).code, 0);
    const cancel = await rehearsal.pulumi(["cancel", "--yes"]);
    assert.equal(cancel.code, 0, shown(cancel));
    await sh(`kill ${await holding.held}`);
    await holding.over;
    await rehearsal.up();
    assert.match(await sh(`cat ${currentFile("worker", workerFiles.nginxSite("news", "www.daily.test"))}`), /23s/);
    changedNothing(await rehearsal.up());
  });

  /** Holds the machine as another step does: `held` brings the process's id, `over` comes when it has ended. */
  function hold(user: string, stack: string): { held: Promise<string>; over: Promise<unknown> } {
    const { privateKeyFile } = readNetwork(rehearsal.lab);
    const { address: host, hostKey } = solo;
    const connection: SshConnection = { host, user, hostKey, privateKey: readFileSync(privateKeyFile, "utf8") };
    const script = readFileSync("host/bootstrap.sh", "utf8");
    const stdin = `${Buffer.byteLength(script)}\n${script}${holdingProgram(stack)}`;
    let tell: (pid: string) => void = () => undefined;
    const held = new Promise<string>((resolve) => (tell = resolve));
    const onLine = (line: string): void => tell(/^held (\d+)$/.exec(line)?.[1] ?? "");
    const over = runOverSsh(connection, bootstrap, stdin, { dialSeconds: 20, seconds: 300, onLine });
    return { held: Promise.race([held, over.then((ran) => assert.fail(`it could not hold: ${ran.stderr}`))]), over };
  }
});
