// A site that another installation serves, in Onionspray's layout, is taken over while readers fetch it without pause: ours beside theirs, then ours alone.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { main } from "../../cli/adopt";
import type { AdoptSeen } from "../../cli/adopt/seen";
import { execOn, hostUp, startLoad, type HostInfo, type Load } from "../../lab/lab";
import { keysOfSeed } from "../../onion/keys";
import { units } from "../../plan/names";
import { installTheirs, onHost, startTheirs, theirLastWords, theirProcesses, theirs } from "./adoptKit";
import { Rehearsal, type Settings } from "./fixture";
import { noticed } from "./noticed";
import type { Said } from "./deskKit";

const keys = keysOfSeed(randomBytes(32));
const domain = "www.daily.test";
/** Two tors of backends and the balancer's, an nginx with a worker, Onionbalance. */
const running = ["nginx", "nginx", "onionbalance", "tor", "tor"];

describe("another installation's site is taken over", { timeout: 30 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let solo: HostInfo;
  let load: Load | undefined;
  const readers = () => load ?? assert.fail("nobody reads");

  before(async () => {
    rehearsal = await Rehearsal.start("e2eadopt");
    solo = await hostUp(rehearsal.lab, "solo");
    Object.assign(process.env, rehearsal.stack.environment);
    await installTheirs(rehearsal.lab, "solo", domain, keys);
    await startTheirs(rehearsal.lab, "solo");
    await rehearsal.setSiteKey(domain, keys.secretFile);
    load = await startLoad(rehearsal.lab, { sites: [keys.address], maxSeconds: 1200 }).catch(async (error: unknown) => {
      console.log(await theirLastWords(rehearsal.lab, "solo"));
      throw error;
    });
  });
  after(async () => {
    await load?.kill();
    await rehearsal?.end();
  });

  const settings = (): Settings => ({
    ...rehearsal.solo(solo),
    publishTimeout: "10m",
    drainTimeout: "1s",
    projects: [
      {
        name: "news",
        softmapTorWorkers: 2,
        backendHeader: true,
        sites: [{ domain, onion: keys.address }],
      },
    ],
  });

  /** `npx softmap adopt ...` on this stack; `onLine` hears its lines. */
  async function adopt(words: readonly string[], onLine: (line: string) => void = () => undefined): Promise<Said> {
    const said = { out: "", err: "" };
    const heard = (to: "out" | "err") => (text: string) => {
      said[to] += `${text}\n`;
      console.log(`    ${text.replaceAll("\n", "\n    ")}`);
      onLine(text);
    };
    const streams = { out: heard("out"), err: heard("err") };
    const code = await main([...words, "--stack", rehearsal.stack.name], streams);
    return { code, ...said };
  }

  const bootState = async () => {
    const unit = await execOn(rehearsal.lab, "solo", ["systemctl", "is-enabled", "onionspray.service"]);
    const cron = await onHost(rehearsal.lab, "solo", ["cat", "/etc/cron.d/onionspray"]);
    return { unit: unit.text.trim(), cron: /^17 3/m.test(cron) };
  };

  /** Readers of the time since `mark` noticed nothing; who answered them. */
  async function untroubled(words: string, mark: number, requests: number): Promise<Readonly<Record<string, number>>> {
    await readers().until(requests, mark);
    await readers().settle();
    const report = readers().since(mark);
    const { requests: all, failures, secondTries, longestGap, backends } = report;
    console.log(`    ${words}: ${JSON.stringify({ requests: all, failures, secondTries, longestGap, backends })}`);
    assert.equal(noticed(report), "", words);
    return backends;
  }

  test("theirs serves, and a stack that is not deployed takes nothing over", async () => {
    const mark = readers().mark();
    const { code, err } = await adopt(["take"]);
    assert.equal(code, 1);
    assert.match(err, /has no outputs machines and backends/);
    assert.deepEqual(Object.keys(await untroubled("theirs alone", mark, 40)), ["theirs"]);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
  });

  test("`up` puts ours beside theirs, and no reader notices", async () => {
    const mark = readers().mark();
    rehearsal.configure(settings());
    await rehearsal.up();
    const backends = await untroubled("ours beside theirs", mark, 200);
    assert.ok((backends["theirs"] ?? 0) > 0);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
  });

  test("look: what runs of theirs, what it publishes, what starts it; nothing is changed", async () => {
    const { code, out } = await adopt(["look", "--json"]);
    assert.equal(code, 0);
    const seen = (JSON.parse(out) as Record<string, AdoptSeen>)["solo"] ?? assert.fail(out);
    assert.deepEqual(seen.collisions, []);
    const [found] = seen.installations;
    assert.ok(found);
    assert.deepEqual([found.home, found.tool, found.user], [theirs.home, "Onionspray", theirs.user]);
    assert.deepEqual(found.frontends, [{ address: keys.address, project: null, by: "onionbalance", runs: true }]);
    assert.deepEqual(
      found.backends.map(({ project, name, runs }) => [project, name, runs]),
      [["news", "hs-1", true]],
    );
    assert.deepEqual(found.daemons.map(({ kind, name, pidFile }) => `${kind} ${name} ${pidFile}`).sort(), [
      "nginx news right",
      "onionbalance balancer right",
      "tor balancer right",
      "tor hs-1 right",
    ]);
    assert.deepEqual(found.boot.map(({ path, when, on }) => [path, when, on]).sort(), [
      ["/etc/cron.d/onionspray", "clock", true],
      ["/etc/systemd/system/onionspray.service", "boot", true],
    ]);
    assert.match((await adopt([])).out, /www\.daily\.test/);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
  });

  test("ours does not publish: refused, and theirs goes on", async () => {
    await onHost(rehearsal.lab, "solo", ["systemctl", "stop", units.onionbalance]);
    const { code, err } = await adopt(["take"]);
    assert.equal(code, 1);
    assert.match(err, /Nothing was changed: theirs serves as before\.\n$/);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
    await onHost(rehearsal.lab, "solo", ["systemctl", "start", units.onionbalance]);
  });

  test("ours goes when theirs is off: theirs publishes again by itself, and readers notice nothing", async () => {
    await oursPublishes();
    const mark = readers().mark();
    let stopped: Promise<unknown> | undefined;
    const { code, out, err } = await adopt(["take", "--grace", "20s"], (line) => {
      if (line.includes("stopped their Onionbalance"))
        stopped = onHost(rehearsal.lab, "solo", ["systemctl", "stop", units.onionbalance]);
    });
    assert.ok(stopped, out);
    await stopped;
    assert.equal(code, 1);
    assert.match(err, /theirs publishes again, beside ours/);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
    assert.deepEqual(await bootState(), { unit: "enabled", cron: true });
    await untroubled("theirs again", mark, 200);
    await onHost(rehearsal.lab, "solo", ["systemctl", "start", units.onionbalance]);
  });

  /** Ours has tried to upload since it was started. */
  async function oursPublishes(): Promise<void> {
    const run = await rehearsal.pulumi(["up", "--yes", "--skip-preview", "--refresh"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
  }

  test("take: no reader notices; ours serves alone, theirs is off and does not start at boot", async () => {
    await oursPublishes();
    const mark = readers().mark();
    const { code, out, err } = await adopt(["take", "--grace", "30s", "--drain", "20s"]);
    assert.equal(code, 0, out + err);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), []);
    assert.deepEqual(await bootState(), { unit: "disabled", cron: false });
    await untroubled("the take-over", mark, 200);
    const alone = readers().mark();
    const backends = await untroubled("ours alone", alone, 60);
    assert.deepEqual(
      Object.keys(backends).filter((name) => name === "theirs"),
      [],
    );
    const again = await adopt(["take"]);
    assert.deepEqual(
      [again.code, again.out],
      [0, "All of theirs is off already. `npx softmap adopt back` starts it again.\n"],
    );
  });

  test("back: theirs runs as before, beside ours", async () => {
    const mark = readers().mark();
    const { code, out, err } = await adopt(["back"]);
    assert.equal(code, 0, out + err);
    assert.deepEqual(await theirProcesses(rehearsal.lab, "solo"), running);
    assert.deepEqual(await bootState(), { unit: "enabled", cron: true });
    await untroubled("back", mark, 100);
    const { out: nothing } = await adopt(["back"]);
    assert.match(nothing, /^Nothing was taken over/);
  });
});
