// Reboots, power cuts, everything stopped, every machine lost, the state on another machine, one of two balancers lost: what it takes until the sites
// are back, and what visitors noticed meanwhile.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { execOn, fetchThroughTor, hostDown, hostUp, powerCut, reboot } from "../../lab/lab";
import { ensureStack, pulumi, type PulumiRun } from "../../lab/pulumi";
import { units } from "../../plan/names";
import { sampleDescriptors, tellSamples, tellUploads, watchUploads, type Sample } from "./descriptorKit";
import { shown } from "./faultKit";
import { Rehearsal } from "./fixture";
import { changedNothing, succeeded, unitsLike, untroubled, upHeard, Visitors, within } from "./killKit";

type Addresses = Record<string, Record<string, string>>;

describe("recovery", { timeout: 60 * 60_000 }, () => {
  const hosts = ["balancer1", "worker1", "worker2"];
  let rehearsal: Rehearsal;
  let visitors: Visitors;
  let addresses: Addresses = {};

  before(async () => {
    rehearsal = await Rehearsal.start("longrecovery");
    configure(1);
    succeeded(await upHeard(rehearsal));
    addresses = await rehearsal.output("addresses");
    visitors = await Visitors.of(rehearsal.lab, sites());
  });
  after(async () => {
    await visitors?.leave();
    await rehearsal?.end();
  });

  function configure(balancers: number): void {
    rehearsal.configure({
      hosts: { provider: "lab", name: "longrecovery" },
      balancers,
      workers: 2,
      protectKeys: false,
      retireGrace: "5s",
      drainTimeout: "5s",
      projects: [
        {
          name: "news",
          softmapTorWorkers: 1,
          backendHeader: true,
          sites: [{ domain: "www.daily.test" }, { domain: "court.test" }],
        },
      ],
    });
  }
  const sites = (): string[] => Object.values(addresses["news"] ?? {});
  const each = (of: readonly string[], work: (host: string) => Promise<unknown>) => Promise.all(of.map(work));

  /** All units of these machines run again, and every site answers a client that has no descriptor of it: when each of that came, in seconds. */
  async function back(on: readonly string[], since: number, planned: Map<string, string[]>): Promise<string> {
    const seconds = (): string => `${((performance.now() - since) / 1000).toFixed(0)} s`;
    await each(on, (host) =>
      within(240, `all units of ${host} run`, async () => {
        const all = planned.get(host) ?? assert.fail(host);
        const active = await execOn(rehearsal.lab, host, ["systemctl", "is-active", ...all]);
        return active.text.split("\n").filter((line) => line === "active").length === all.length;
      }),
    );
    const said = [`units after ${seconds()}`];
    for (const [domain, onion] of Object.entries(addresses["news"] ?? {})) {
      await within(240, `${domain} answers`, async () => {
        const answer = await fetchThroughTor(rehearsal.lab, `http://${onion}/`, { fresh: true, timeout: 12 });
        return answer.status === 200;
      });
      said.push(`${domain} after ${seconds()}`);
    }
    return said.join(", ");
  }
  async function plannedUnits(of: readonly string[]): Promise<Map<string, string[]>> {
    const found = await Promise.all(
      of.map(async (host) => [host, await unitsLike(rehearsal.lab, host, "softmap-*.service")] as const),
    );
    for (const [host, all] of found) assert.ok(all.length >= 2, host);
    return new Map(found);
  }
  /** Something happens to machines, nobody touches them, and they are back. */
  async function comesBack(
    what: string,
    on: readonly string[],
    fault: (since: () => void) => Promise<unknown>,
  ): Promise<void> {
    const planned = await plannedUnits(on);
    await visitors.during(
      what,
      async () => {
        let since = performance.now();
        await fault(() => (since = performance.now()));
        return back(on, since, planned);
      },
      { note: (said) => said },
    );
    await visitors.content();
  }
  const restarts = async (host: string, unit: string): Promise<string> =>
    (await execOn(rehearsal.lab, host, ["systemctl", "show", "-P", "NRestarts", unit])).text.trim();

  test("a reboot of a worker, of the balancer, of all: services come back by themselves", async () => {
    await comesBack("reboot of a worker", ["worker1"], () => reboot(rehearsal.lab, "worker1"));
    await comesBack("reboot of the balancer", ["balancer1"], () => reboot(rehearsal.lab, "balancer1"));
    assert.equal(await restarts("balancer1", units.onionbalance), "0", "Onionbalance starts after its tor");
    await comesBack("reboot of all machines", hosts, () => each(hosts, (host) => reboot(rehearsal.lab, host)));
    assert.equal(await restarts("balancer1", units.onionbalance), "0", "Onionbalance starts after its tor");
  });

  test("a power cut of a worker, of the balancer, of all: services come back by themselves", async () => {
    const cut = (of: readonly string[]) => async (since: () => void) => {
      await each(of, (host) => powerCut(rehearsal.lab, host));
      since();
      await each(of, (host) => hostUp(rehearsal.lab, host));
    };
    await comesBack("power cut of a worker", ["worker1"], cut(["worker1"]));
    await comesBack("power cut of the balancer", ["balancer1"], cut(["balancer1"]));
    await comesBack("power cut of all machines", hosts, cut(hosts));
    changedNothing(await rehearsal.pulumi(["up", "--refresh", "--yes", "--skip-preview"]));
  });

  test("everything stopped by hand: up --refresh starts it", async () => {
    const stop = "systemctl stop $(systemctl list-units --plain --no-legend 'softmap-*.service' | cut -d' ' -f1)";
    const planned = await plannedUnits(hosts);
    const { value } = await visitors.during(
      "everything stopped by hand, up --refresh",
      async (hear) => {
        await each(hosts, (host) => execOn(rehearsal.lab, host, ["sh", "-c", stop], { mayFail: false }));
        const since = performance.now();
        const run = await rehearsal.pulumi(["up", "--refresh", "--yes", "--skip-preview"], { onLine: hear });
        return { run: succeeded(run), said: await back(hosts, since, planned) };
      },
      { note: ({ said }) => said },
    );
    for (const host of ["worker1", "worker2"])
      assert.match(shown(value.run), new RegExp(`${host}: started softmap-tor@`));
    await visitors.content();
    changedNothing(await rehearsal.pulumi(["up", "--refresh", "--yes", "--skip-preview"]));
  });

  test("every machine lost: refresh and up bring back the same addresses", async () => {
    await lost("every machine lost: refresh, up", (args, onLine) => rehearsal.pulumi(args, { onLine }));
  });

  test("every machine lost, and the operator's: from a backup of the state, with the passphrase, on a new one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "softmap-newmachine-"));
    try {
      const backup = join(folder, "backup.json");
      const exported = await rehearsal.pulumi(["stack", "export"], { onLine: () => undefined });
      writeFileSync(backup, succeeded(exported).stdout, { mode: 0o600 });
      assert.doesNotMatch(exported.stdout, /PRIVATE KEY/, "secrets stay encrypted");

      const configFile = join(folder, "Pulumi.longrecovery.yaml");
      copyFileSync(rehearsal.stack.configFile, configFile);
      const state = `file://${join(folder, "state")}`;
      const stack = {
        ...rehearsal.stack,
        configFile,
        environment: { ...rehearsal.stack.environment, PULUMI_BACKEND_URL: state },
      };
      await ensureStack(stack);
      succeeded(await pulumi(stack, ["stack", "import", "--file", backup]));
      await lost("every machine lost, state from a backup: refresh, up", (args, onLine) =>
        pulumi(stack, args, { onLine }),
      );
      // the state of the new machine is the true one from here on
      const now = succeeded(await pulumi(stack, ["stack", "export"]));
      writeFileSync(backup, now.stdout, { mode: 0o600 });
      succeeded(await rehearsal.pulumi(["stack", "import", "--file", backup]));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  type Run = (args: readonly string[], onLine: (line: string) => void) => Promise<PulumiRun>;
  async function lost(what: string, run: Run): Promise<void> {
    const planned = await plannedUnits(hosts);
    await visitors.during(
      what,
      async (hear) => {
        const show = (line: string): void => {
          if (line.trim() !== "") console.log(`    ${line.slice(0, 200)}`);
          hear(line);
        };
        await each(hosts, (host) => hostDown(rehearsal.lab, host));
        const since = performance.now();
        succeeded(await run(["refresh", "--yes", "--skip-preview"], show));
        succeeded(await run(["up", "--yes", "--skip-preview"], show));
        return back(hosts, since, planned);
      },
      { note: (said) => said },
    );
    const output = await run(["stack", "output", "addresses", "--json"], () => undefined);
    assert.deepEqual(JSON.parse(output.stdout), addresses);
    changedNothing(await run(["up", "--yes", "--skip-preview"], () => undefined));
    await visitors.content();
  }

  test("two balancers publish the same sites side by side: each overwrites the other, and what is there is always whole", async () => {
    configure(2);
    const { value: run, report } = await visitors.during("a second balancer, both publish", (hear) =>
      upHeard(rehearsal, hear),
    );
    succeeded(run);
    untroubled("a second balancer", report);
    const both = ["balancer1", "balancer2"];
    const { value, report: seen } = await visitors.during("two balancers publish for 3 minutes", () =>
      Promise.all([sampled("balancer1", 180), Promise.all(both.map((host) => watchUploads(rehearsal.lab, host, 180)))]),
    );
    const [samples, uploads] = value;
    console.log(tellSamples(samples));
    console.log(tellUploads(new Map(both.map((host, i) => [host, uploads[i] ?? []]))));
    untroubled("two balancers publish", seen);
    for (const own of uploads)
      assert.ok(
        own.some(({ kind }) => kind === "UPLOADED"),
        "each uploads",
      );
    for (const sample of samples)
      assert.equal(Object.keys(sample.points).filter((name) => name !== "?").length, 2, JSON.stringify(sample));
  });

  test("either of two balancers is lost for minutes: nobody notices", async () => {
    for (const [gone, left, seconds] of [
      ["balancer2", "balancer1", 180],
      ["balancer1", "balancer2", 90],
    ] as const) {
      const { value: samples, report } = await visitors.during(`${gone} of two is lost for ${seconds} s`, async () => {
        await powerCut(rehearsal.lab, gone);
        return sampled(left, seconds);
      });
      console.log(tellSamples(samples));
      await hostUp(rehearsal.lab, gone);
      untroubled(`${gone} is lost`, report);
      await visitors.content();
    }
  });

  async function sampled(balancer: string, seconds: number): Promise<Sample[]> {
    const all = await rehearsal.output<{ name: string; address: string }[]>("backends");
    const backends = Object.fromEntries(all.map(({ name, address }) => [name, address]));
    return sampleDescriptors(rehearsal.lab, balancer, { site: sites()[0] ?? "", backends, seconds, every: 5 });
  }
});
