// Workers that die under load: what visitors notice, that they can be removed, that the others are not held up by them, and that they come back.
// Machines listed by ssh address, as they are for an operator: one that is dead stays in the state as it was.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { execOn, heal, hostUp, partition, powerCut, readNetwork, type HostInfo } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { currentFile, workerFiles } from "../../plan/names";
import { refused, says, shown } from "./faultKit";
import { Rehearsal, type Settings } from "./fixture";
import { changedNothing, succeeded, upHeard, Visitors } from "./killKit";

const names = ["bal", "w1", "w2", "w3"];
const [daily, court] = [{ domain: "www.daily.test" }, { domain: "court.test" }];
/** How long an `up` knocks at a machine that it has known before, and at one that leaves (components/installationProvider.ts). */
const knocks = { update: 15, delete: 10 };

describe("workers that die", { timeout: 25 * 60_000 }, () => {
  let rehearsal: Rehearsal;
  let visitors: Visitors;
  const machines = new Map<string, HostInfo>();

  before(async () => {
    rehearsal = await Rehearsal.start("longdead");
    for (const host of await Promise.all(names.map((name) => hostUp(rehearsal.lab, name))))
      machines.set(host.name, host);
    configure();
    succeeded(await upHeard(rehearsal));
    visitors = await Visitors.of(rehearsal.lab, Object.values(await addresses()));
  });
  after(async () => {
    await visitors?.leave();
    await rehearsal?.end();
  });

  function configure(workers = ["w1", "w2", "w3"], news: Settings = {}): void {
    const { privateKeyFile, torrc } = readNetwork(rehearsal.lab);
    const machine = (name: string) => {
      const { address, hostKey } = machines.get(name) ?? assert.fail(name);
      return { name, address, hostKey };
    };
    rehearsal.configure({
      hosts: { provider: "ssh", user: "operator", privateKeyFile, torNetwork: torrc },
      balancers: [machine("bal")],
      workers: workers.map(machine),
      protectKeys: false,
      retireGrace: "10s",
      drainTimeout: "10s",
      projects: [{ name: "news", softmapTorWorkers: 1, backendHeader: true, sites: [daily], ...news }],
    });
  }
  const addresses = async (): Promise<Record<string, string>> =>
    (await rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"] ?? {};
  const nginxOf = async (host: string): Promise<string> =>
    (await execOn(rehearsal.lab, host, ["cat", currentFile("worker", workerFiles.nginxSite("news", daily.domain))]))
      .text;
  const up = (hear: (line: string) => void): Promise<PulumiRun> => upHeard(rehearsal, hear);
  /** Nothing says that it is gone: its introduction points stay in the network for as long as their relays and the directories think. */
  async function cable(what: string, host: string): Promise<void> {
    await visitors.during(what, () => partition(rehearsal.lab, host), { requests: 400, patience: 60 });
  }
  const addressOf = (name: string): string => machines.get(name)?.address ?? assert.fail(name);

  test("a worker's power is cut: visitors come to the others", async () => {
    const cut = (): Promise<void> => powerCut(rehearsal.lab, "w3");
    const { report } = await visitors.during("one of three workers loses power", cut, { requests: 400 });
    assert.ok(report.requests - report.failures > 0);
    assert.deepEqual(
      Object.keys(visitors.latest(40).backends).filter((name) => name.includes("w3")),
      [],
    );
  });

  test("it stays in the config: an up with a new site is done on all others, published and proved, and fails for it alone", async () => {
    configure(undefined, { sites: [daily, court] });
    const { value: run, seconds } = await visitors.during("a site added, one worker dead in the config", up);
    refused(
      run,
      new RegExp(
        `w3 did not answer and was left out; all others are done\\.\\s+w3: nobody answers at ${addressOf("w3")}:22`,
      ),
      "Nothing was done there for workers.",
      "Next: start it and run `pulumi up` again, or remove it from balancers and workers in the config.",
    );
    for (const host of ["w1", "w2"]) assert.match(shown(run), new RegExp(`${host}: release [0-9a-f]{12} is live`));
    assert.match(shown(run), /bal: court\.test [a-z2-7]{56}\.onion published with 2 of 3 backends/);
    assert.doesNotMatch(shown(run), /w3: (started|release)/);
    assert.ok(seconds < 150, `${seconds} s`);
    const onion = (await addresses())["court.test"] ?? "";
    assert.equal((await rehearsal.fetch(`http://${onion}/`)).status, 200);
  });

  test("two dead workers, the second one cut off without a word: one report names both, the third has the change", async () => {
    await cable("a second worker's cable is pulled, one of three is left", "w2");
    configure(undefined, { sites: [daily, court], nginxTimeout: "21s" });
    const { value: run, seconds } = await visitors.during("nginxTimeout edited, two of three workers dead", up);
    refused(
      run,
      "2 hosts did not answer and were left out; all others are done.",
      new RegExp(
        `w2: nobody answers at ${addressOf("w2")}:22 within ${knocks.update} s\\. Nothing was done there for workers\\.`,
      ),
      new RegExp(`w3: nobody answers at ${addressOf("w3")}:22`),
      "Next: start them and run `pulumi up` again, or remove them from balancers and workers in the config.",
    );
    assert.equal(run.stdout.split("**updating failed**").length, 2, "one resource fails, the roll call");
    assert.match(await nginxOf("w1"), /21s/);
    assert.ok(seconds < 60, `${seconds} s: the machines are knocked at side by side`);
  });

  test("they come back: an up brings them in, and the next one changes nothing", async () => {
    await heal(rehearsal.lab, "w2");
    await hostUp(rehearsal.lab, "w3");
    const { value: run } = await visitors.during("both dead workers come back, and an up", up);
    succeeded(run);
    says(shown(run), /w2: release [0-9a-f]{12} is live/, /w3: release [0-9a-f]{12} is live/);
    says(shown(run), /bal: court\.test [a-z2-7]{56}\.onion published with 3 of 3 backends/);
    for (const host of ["w1", "w2", "w3"]) assert.match(await nginxOf(host), /21s/);
    changedNothing(await upHeard(rehearsal));
    await visitors.content();
  });

  test("a dead worker is removed by one edit: nothing waits for it beyond one announced time-out", async () => {
    await cable("the cable of one of three workers is pulled", "w3");
    configure(["w1", "w2"], { sites: [daily, court], nginxTimeout: "21s" });
    const { value: run, report, seconds } = await visitors.during("the dead worker is removed", up);
    succeeded(run);
    says(
      shown(run),
      new RegExp(
        `w3: nobody answers at ${addressOf("w3")}:22 within ${knocks.delete} s: what workers had there is left behind\\.`,
      ),
      /bal: www\.daily\.test [a-z2-7]{56}\.onion published with 2 of 2 backends/,
      /news-w3-1 did not answer within 20 s: there is nobody to wait for/,
    );
    assert.doesNotMatch(shown(run), /s of grace until retiring/);
    assert.ok(seconds < 120, `${seconds} s`);
    console.log(`    removal: ${seconds.toFixed(1)} s, ${report.failures} failed meanwhile`);
    changedNothing(await upHeard(rehearsal));
    await visitors.content();
  });
});
