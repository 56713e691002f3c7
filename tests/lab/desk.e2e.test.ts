// The operator's desk beside a stack that is well, and one that is not: every command of it, for people and for programs.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Survey } from "../../cli/desk/survey";
import { execOn, hostUp, powerCut } from "../../lab/lab";
import { desk, deskOk, settled, startDesk, surveyed } from "./deskKit";
import { doctorSettings } from "./doctorKit";
import { Rehearsal } from "./fixture";
import { within } from "./killKit";

describe("the operator's desk", { timeout: 15 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let onions: Readonly<Record<string, string>>;

  const folder = mkdtempSync(join(tmpdir(), "softmap-desk-"));
  before(async () => {
    rehearsal = await Rehearsal.start("e2edesk");
    rehearsal.configure(doctorSettings("e2edesk"));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await rehearsal?.end();
  });

  const red = (survey: Survey & { findings?: readonly { severity: string; check: string; what: string }[] }) =>
    (survey.findings ?? []).filter(({ severity }) => severity === "red");

  const testSettled = (name: string, work: () => Promise<void>): unknown => test(name, () => settled(work));

  test("a stack that was never deployed is told, by every command that reads one", async () => {
    for (const command of ["status", "doctor", "maps", "ps", "logs", "map"]) {
      const { code, out, err } = await desk(rehearsal, command);
      assert.equal(code, 1, command);
      assert.equal(out, "", command);
      assert.match(err, /has no outputs machines and backends\.\n {2}Next: deploy it with `pulumi up`/, command);
    }
  });

  test("a stack is deployed", async () => {
    await rehearsal.up();
    onions = (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"] ?? {};
  });

  test("status: one table, one login a machine, and nothing is wrong", async () => {
    const connections = await rehearsal.connections(() => desk(rehearsal, "status"));
    assert.deepEqual(connections, { balancer1: 1, worker1: 1, worker2: 1 });
    await settled(async () => isWell(await deskOk(rehearsal, "status")));
  });

  /** What `status` prints of this stack when nothing is wrong with it. */
  function isWell(out: string): void {
    console.log(out.replaceAll(/^/gm, "    "));
    assert.match(
      out,
      /^host +project +daemon +unit +up for +bootstrap +points +descriptor +in frontend +release +drift$/m,
    );
    assert.equal(
      out.match(/^worker\d +news +news-\d-[0-9a-f]{4} +active +\d+ \w+ +100 % +\d+ +\d+ s +yes +[0-9a-f]{12} +no$/gm)
        ?.length,
      4,
    );
    assert.match(
      out,
      /^www\.daily\.test +news +[a-z2-7]{56}\.onion +4 of 4 backends +\d+ of 20 +\d+ s +none +balancer1, onionbalance$/m,
    );
    assert.match(out, /^court\.test .* 4 of 4 backends .* \d+ d left +balancer1, onionbalance$/m);
    assert.match(out, /^Nothing is wrong\.$/m);
  }

  testSettled("status as JSON: what each machine says of itself", async () => {
    const survey = await surveyed(rehearsal);
    assert.deepEqual(red(survey), []);
    const [balancer, worker] = survey.machines;
    assert.deepEqual(
      balancer?.seen?.publisher?.sites.map(({ backends }) => backends.filter(({ listed }) => listed).length),
      [4, 4],
    );
    assert.equal(worker?.seen?.system.os, "Debian GNU/Linux 12 (bookworm)");
    for (const tor of worker?.seen?.tors ?? []) {
      assert.equal(tor.bootstrapped, 100);
      assert.deepEqual([...(tor.backend?.obConfig ?? [])].sort(), Object.values(onions).sort());
    }
    assert.deepEqual(
      worker?.seen?.proxies.map(({ project, answers }) => [project, answers]),
      [["news", true]],
    );
    const asked = survey.machines.flatMap(({ seen }) => seen?.proxies.flatMap(({ sites }) => sites) ?? []);
    assert.deepEqual(asked.map(({ domain, status }) => `${domain} ${status}`).sort(), [
      "court.test 200",
      "www.daily.test 200",
    ]);
  });

  testSettled("doctor and map: nothing is wrong, and every machine and site is in the picture", async () => {
    assert.match(await deskOk(rehearsal, "doctor"), /3 machines, 2 sites, \d+ checks\n\nNothing is wrong\./);
    assert.deepEqual((JSON.parse(await deskOk(rehearsal, "doctor", "--json")) as { findings: unknown[] }).findings, []);
    const file = join(folder, "well.svg");
    assert.match(await deskOk(rehearsal, "map", "--out", file), /well\.svg: all is well/);
    const picture = readFileSync(file, "utf8");
    for (const name of ["balancer1", "worker1", "worker2", "www.daily.test", "court.test"])
      assert.match(picture, new RegExp(name));
  });

  testSettled("maps, ob-maps, ob-status, whoserves, ps", async () => {
    const maps = await deskOk(rehearsal, "maps");
    assert.equal(maps.trimEnd().split("\n").length, 8);
    assert.ok(maps.includes(`${onions["court.test"]} court.test news softmap via `));
    assert.equal(
      await deskOk(rehearsal, "ob-maps"),
      Object.entries(onions)
        .map(([domain, address]) => `${address} ${domain}\n`)
        .join(""),
    );
    assert.match(
      await deskOk(rehearsal, "ob-status"),
      /^balancer1, onionbalance\nsite .*\n[a-z.]+ +[a-z2-7]{56}\.onion +\d+ s +news-worker1-1 +\d+ s +3 +[0-6] of 6$/m,
    );
    const whose = await deskOk(rehearsal, "whoserves", `http://${onions["court.test"]}/page`);
    assert.match(whose, /^\d+ of 20 introduction points, fetched by balancer1 in [\d.]+ s$/m);
    for (const name of ["news-worker1-1", "news-worker1-2", "news-worker2-1", "news-worker2-2"])
      assert.match(whose, new RegExp(`^${name} +[a-z2-7]{56}\\.onion +[12]$`, "m"));
    const ps = JSON.parse(await deskOk(rehearsal, "ps", "--json")) as {
      host: string;
      unit: string;
      pid: number | null;
    }[];
    const tors = ps.filter(({ unit }) => unit.startsWith("softmap-tor@"));
    assert.deepEqual([tors.length, tors.every(({ pid }) => pid !== null)], [4, true]);
  });

  testSettled("open: a page through Tor, by http and by https", async () => {
    assert.match(
      await deskOk(rehearsal, "open", "www.daily.test"),
      /answered 200 in [\d.]+ s \(its descriptor after [\d.]+ s\), by balancer1/,
    );
    const told = JSON.parse(await deskOk(rehearsal, "open", "--json", "court.test")) as { status: number };
    assert.ok(told.status < 400, `${told.status}`);
  });

  test("logs: what units wrote, and what they write while one listens", async () => {
    assert.match(await deskOk(rehearsal, "logs", "-n", "3", "worker1"), /^worker1: \S+ worker1 \S+\[\d+\]: /);
    let heard: () => void = () => undefined;
    const written = new Promise<void>((resolve) => (heard = resolve));
    const following = startDesk(rehearsal, ["logs", "--stack", rehearsal.stack.name, "-f", "-n", "0", "balancer1"], {
      onLine: (line) => /^balancer1: .*Received reload signal/.test(line) && heard(),
    });
    await within(60, "a reload is heard", async () => {
      await execOn(rehearsal.lab, "balancer1", ["systemctl", "reload", "softmap-balancer-tor.service"]);
      return Promise.race([written.then(() => true), new Promise<false>((no) => setTimeout(() => no(false), 1000))]);
    });
    following.interrupt();
    await following.ended;
    const left = async () => (await execOn(rehearsal.lab, "balancer1", ["pgrep", "-c", "journalctl"])).text.trim();
    await within(60, "nothing is left on the machine", async () => (await left()) === "0");
  });

  test("stop and start: the sites live on without a worker, and status says what stands", async () => {
    assert.match(await deskOk(rehearsal, "stop", "worker2"), /^worker2: 3 units stopped$/m);
    const survey = await surveyed(rehearsal, "--quick");
    const stood = survey.machines
      .find(({ name }) => name === "worker2")
      ?.seen?.units.filter(({ kind }) => kind !== "base");
    assert.deepEqual([...new Set(stood?.map(({ state }) => state))], ["inactive"]);
    assert.ok(
      red(survey).some(({ what }) => what.includes("worker2")),
      JSON.stringify(red(survey)),
    );
    assert.equal((await desk(rehearsal, "status", "--quick")).code, 1);
    assert.equal((await rehearsal.fetch(`http://${onions["www.daily.test"]}/`)).status, 200);
    assert.match(await deskOk(rehearsal, "start", "news"), /^worker2: 3 units started$/m);
    assert.match(await deskOk(rehearsal, "start", "--all"), /^worker2: 0 units started, 3 already ran$/m);
  });

  test("restart: unit by unit, and the sites answer all the time", async () => {
    const out = await deskOk(rehearsal, "restart", "worker1");
    assert.match(out, /^worker1: renewed softmap-nginx@news\.service, its sockets open$/m);
    assert.match(out, /^worker1: 3 units restarted$/m);
    await within(90, "all is well again", async () => red(await surveyed(rehearsal)).length === 0);
  });

  test("a machine that is gone is named, and all others are told", async () => {
    await powerCut(rehearsal.lab, "worker2");
    const { code, out } = await desk(rehearsal, "status");
    assert.equal(code, 1);
    assert.match(out, /^worker2 +not reached: nobody answers at .* within 15 s/m);
    assert.match(out, /^worker1 +news +news-1-[0-9a-f]{4} +active /m);
    const ps = await desk(rehearsal, "ps");
    assert.equal(ps.code, 1);
    assert.match(ps.err, /^worker2: not reached: nobody answers/m);
    const drawn = await desk(rehearsal, "map", "--out", join(folder, "gone.html"));
    assert.equal(drawn.code, 1);
    assert.match(drawn.out, /worker2/);
    assert.match(readFileSync(join(folder, "gone.html"), "utf8"), /worker2/);
    const doctor = await desk(rehearsal, "doctor");
    assert.equal(doctor.code, 1);
    assert.match(doctor.out, /worker2/);
    assert.match(doctor.out, /docs\/doctor\/unreachable\.md/);
    await hostUp(rehearsal.lab, "worker2");
    await within(120, "all is well again", async () => red(await surveyed(rehearsal)).length === 0);
  });

  test("shutdown: nothing serves, and start brings it back", async () => {
    assert.equal((await desk(rehearsal, "shutdown")).code, 2);
    await deskOk(rehearsal, "shutdown", "--yes");
    assert.equal((await desk(rehearsal, "ob-status")).code, 1);
    await deskOk(rehearsal, "start", "--all");
    await within(120, "all is well again", async () => red(await surveyed(rehearsal)).length === 0);
    await settled(async () => void (await deskOk(rehearsal, "open", "www.daily.test")));
  });
});
