// Every fault that the doctor knows, made in the lab: each is found, as one alarm and no more, and gone when it is mended.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { survey } from "../../cli/desk/look";
import type { DeployedStack } from "../../cli/desk/survey";
import { diagnose } from "../../cli/doctor/diagnose";
import { runOn } from "../../host/runOn";
import { stopwatch } from "../../lab/progress";
import { ensureVmImage } from "../../lab/vm/image";
import { bootVm, type Vm } from "../../lab/vm/machine";
import { doctorSettings, found, healthy, labFaults } from "./doctorKit";
import { Rehearsal } from "./fixture";

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
