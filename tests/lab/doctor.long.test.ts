// Every fault that the doctor knows, made in the lab: each is found, as one alarm and no more, and gone when it is mended.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { survey } from "../../cli/desk/look";
import type { DeployedStack } from "../../cli/desk/survey";
import { diagnose } from "../../cli/doctor/diagnose";
import { runOn } from "../../host/runOn";
import { execOn, hangRelay, wakeRelay } from "../../lab/lab";
import { stopwatch } from "../../lab/progress";
import { ensureVmImage } from "../../lab/vm/image";
import { bootVm, type Vm } from "../../lab/vm/machine";
import { publisherStatus, units } from "../../plan/names";
import { deskOk } from "./deskKit";
import { diagnosed, doctorSettings, found, healthy, labFaults, type LabFault } from "./doctorKit";
import { Rehearsal } from "./fixture";
import { within } from "./killKit";

describe("the doctor in the lab", { timeout: 60 * 60_000 }, () => {
  let rehearsal: Rehearsal;

  before(async () => {
    rehearsal = await Rehearsal.start("longdoctor");
    rehearsal.configure(doctorSettings("longdoctor"));
    await rehearsal.up();
    await healthy(rehearsal);
  });
  after(() => rehearsal?.end());

  for (const fault of labFaults)
    test(`${fault.check}: ${fault.words}`, async () => {
      const seconds = await found(rehearsal, fault);
      console.log(`    found after ${seconds.toFixed(1)} s`);
      await healthy(rehearsal);
    });

  /** Makes this fault beside {@link labFaults}, waits until it is found and mended. */
  async function shows(fault: LabFault): Promise<void> {
    console.log(`    found after ${(await found(rehearsal, fault)).toFixed(1)} s`);
    await healthy(rehearsal);
  }

  test("left-out: a backend is drained by hand", () =>
    shows({
      check: "left-out",
      words: "a backend is drained by hand",
      make: async () => void (await deskOk(rehearsal, "drain", "news-worker1-1", "--reason", "a new disk")),
      mend: async () => void (await deskOk(rehearsal, "undrain", "--all")),
      severity: "amber",
      subject: "news-worker1-1",
      says: /^news-worker1-1 is left out by hand for .*: a new disk\.$/,
    }));

  test("watchdog: it is planned, and does not run", async () => {
    rehearsal.configure({ ...doctorSettings("longdoctor"), watchdog: { enabled: true } });
    await rehearsal.up();
    await healthy(rehearsal);
    await shows({
      check: "watchdog",
      words: "it is stopped",
      make: async () => void (await execOn(rehearsal.lab, "balancer1", ["systemctl", "stop", units.watchdog])),
      mend: async () => void (await execOn(rehearsal.lab, "balancer1", ["systemctl", "start", units.watchdog])),
      severity: "amber",
      subject: "balancer1",
      says: /^The watchdog on balancer1 does not run \(inactive\/dead/,
    });
  });

  /** Hangs the first of these that is a relay: the authorities are directories, too, and the network needs them. */
  async function firstThatHangs(fingerprints: readonly string[]): Promise<string> {
    for (const fingerprint of fingerprints) {
      const hangs = await hangRelay(rehearsal.lab, fingerprint).then(
        () => true,
        () => false,
      );
      if (hangs) return fingerprint;
    }
    assert.fail(`no relay among ${fingerprints.join(" ")}`);
  }

  test("directories: one that clients ask hangs", async () => {
    const look = `python3 -c 'import json; print([row["fingerprint"] for site in json.load(open("${publisherStatus}"))["sites"].values() for each in site["descriptors"] if each["readers"] for row in each["directories"] if row["asked"]])'`;
    const text = (await execOn(rehearsal.lab, "balancer1", ["sh", "-c", look])).text;
    const asked = [...text.matchAll(/[0-9A-F]{40}/g)].map(([fingerprint]) => fingerprint);
    const hung = await firstThatHangs(asked);
    try {
      await within(300, "the doctor names the directory", async () => {
        const { findings } = await diagnosed(rehearsal);
        const its = findings.find(({ check }) => check === "directories");
        return its?.what.includes(`${hung.slice(0, 8)} does not answer`) === true && its.severity === "amber";
      });
    } finally {
      await wakeRelay(rehearsal.lab, hung);
    }
    await healthy(rehearsal, 400);
  });
});

/** A machine in software is slow. */
const patiently: typeof runOn = (connection, command, stdin, options) =>
  runOn(connection, command, stdin, { ...options, dialSeconds: 60, seconds: 300 });

// Hosts of a lab have the clock of their machine. One with a kernel of its own has its own.
describe("the doctor beside a machine with a kernel of its own", { timeout: 15 * 60_000 }, () => {
  const say = stopwatch();
  let vm: Vm;

  before(async () => {
    vm = await bootVm(await ensureVmImage(say), say);
  });
  after(() => vm?.end());

  /** What is said of the machine's clock. Nothing is deployed there, which is told, too. */
  async function ofItsClock(): Promise<string[]> {
    const stack: DeployedStack = {
      stack: "organization/softmap/clock",
      machines: new Map([["north", vm.connection]]),
      workers: [],
      balancers: ["north"],
      backends: [],
      sites: [],
    };
    const findings = diagnose(await survey(stack, { quick: true, run: patiently }));
    assert.deepEqual([...new Set(findings.map(({ check }) => check))].sort(), ["clock", "release"]);
    return findings.filter(({ check }) => check === "clock").map(({ severity, what }) => `${severity}: ${what}`);
  }
  const unset = "amber: Nothing sets the clock of north by the network.";

  test("clock: two hours ahead, four minutes behind, and right again", async () => {
    assert.deepEqual(await ofItsClock(), [unset]);
    await vm.run("date -s '+2 hours'");
    const ahead = "red: The clock of north is 2 h ahead of that of the machine which asks.";
    assert.deepEqual(await ofItsClock(), [ahead, unset]);
    await vm.run("date -s '-124 minutes'");
    assert.deepEqual(await ofItsClock(), [unset], "tor lives with four minutes");
    await vm.run("date -s '-6 minutes'");
    // What the login took counts: it was asked before.
    const [behind, ...others] = await ofItsClock();
    assert.match(behind ?? "", /^red: The clock of north is (9|10) min behind that of the machine which asks\.$/);
    assert.deepEqual(others, [unset]);
    await vm.run("date -s '+10 minutes'");
    assert.deepEqual(await ofItsClock(), [unset]);
  });
});
