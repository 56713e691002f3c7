import * as pulumi from "@pulumi/pulumi";
import { baseFiles, baseNotes, firewallTable, units, users } from "../../plan/names";
import { renewalTimes } from "../../plan/renewal";
import { arrivalProgram, packId, releaseProgram, renewalFile, type Service } from "../../host/program";
import type { Component } from "../component";
import { FileSet } from "../fileSet";
import { Gate } from "../gate";
import { hashOf } from "../hash";
import { hostStep, installationOn, laterStep, type HostStepArgs, type Step } from "../hostStep";
import type { Installation } from "../installation";
import { releaseDefaults } from "../releaseDefaults";
import { renderer } from "../renderer";
import { ownerOf, probeOf, removeBase } from "../retirement";
import type { PlannedFile } from "../unitFiles";
import { among, releaseAfter } from "../waves";
import { Metrics } from "../metrics";
import type { Host, Hosts, Monitoring } from "./host";

/** What every provider of machines takes besides the machines. */
export interface BaseArgs {
  /** Whether the machine itself is looked after: security updates, firewall, kernel limits, the journal's size, AppArmor. @default true; false for LocalHost */
  readonly base?: boolean | undefined;
  /** Whether the base has a firewall: nothing comes in but ssh, and our services reach only what they need. @default true; false for LocalHost */
  readonly firewall?: boolean | undefined;
  /** TCP ports besides ssh that the firewall lets in. @default none @example [9100] */
  readonly openPorts?: readonly number[] | undefined;
  /** Whether each machine has an exporter for Prometheus, where, and for whom. @default none @example { port: 9552, from: ["10.0.0.0/8"] } */
  readonly monitoring?: Monitoring | undefined;
}

/**
 * The machines of a provider, looked at and with their base under them: whatever a component does there waits for it. No machine is changed
 * before all have been looked at; the base goes to one machine first, then to the others.
 */
export function withBase(parent: Component, hosts: Hosts, args: BaseArgs): Hosts {
  const { base = true, firewall = true, openPorts = [], monitoring } = args;
  const settings = { base, firewall: base && firewall, openPorts };
  const machines = [...new Map([...hosts.balancers, ...hosts.workers].map((host) => [host.name, host])).values()];
  const testnet = machines.some(({ torNetwork }) => torNetwork !== undefined);
  const files = base ? commonFiles(parent, { openPorts, monitoring }, settleSeconds(testnet)) : undefined;
  const times = renewalTimes(machines.map(({ name }) => name));

  const steps = machines.map((host): HostStepArgs => {
    const program = files
      ? baseRelease(parent, host, { files, renewal: times.get(host.name) ?? "03:00", firewall: settings.firewall })
      : removeBase(host, parent.name, { everything: true });
    const installation = installationOn(parent, host, {
      wants: hashOf(program),
      pack: packId(),
      preflight: arrivalProgram({
        host: host.name,
        roles: rolesOf(host, hosts),
        firewall: settings.firewall,
        openPorts,
      }),
      probe: probeOf(host, parent.name, ["base"]),
      leave: removeBase(host, parent.name, { everything: false }),
    });
    return { host, program, installation };
  });
  const released = releaseAll(parent, steps, base);
  const on = (host: Host): Host => ({
    ...host,
    ...(monitoring && { monitoring }),
    after: [released.get(host.name)].flatMap((step) => step ?? []),
  });
  if (monitoring) new Metrics(`${parent.name}-metrics`, { hosts: machines.map(on), monitoring }, { parent });
  return { balancers: hosts.balancers.map(on), workers: hosts.workers.map(on) };
}

function rolesOf({ name }: Host, { balancers, workers }: Hosts) {
  const does = (list: readonly Host[]): boolean => list.some((host) => host.name === name);
  return [
    ...(does(balancers) ? (["balancer", "publisher"] as const) : []),
    ...(does(workers) ? (["worker"] as const) : []),
  ];
}

/** Every step waits for every look; and a base that a machine does not bear stops at the first. */
function releaseAll(parent: Component, steps: readonly HostStepArgs[], base: boolean): Map<string, Step> {
  const installations = new Map(
    steps.map(({ host, installation }): [string, Installation] => [host.name, installation]),
  );
  const waveBefore = releaseAfter(installations, { canary: 1, waveSize: Math.max(1, steps.length) });
  const released = new Map<string, Step>();
  const looked = new Gate(
    parent.childName("looked"),
    { of: [...installations.keys()] },
    { parent, dependsOn: [...installations.values()] },
  );
  for (const step of steps) {
    const { name } = step.host;
    const dependsOn = [among(waveBefore(name, released)), looked];
    const make = base ? hostStep : laterStep;
    released.set(name, make(parent.childName(`${name}-base`), step, { parent, dependsOn }));
  }
  return released;
}

/** Onionbalance sees another introduction point after 120 s and publishes it within 30 (plan/publisher.ts); on a test network after 10 and 5. */
const settleSeconds = (testnet: boolean): number => (testnet ? 40 : 180);

/** The files that all machines have. */
type CommonFiles = FileSet<pulumi.Unwrap<PlannedFile[]>>;

/** Rendered once for all machines, so that a preview shows a change once. */
function commonFiles(
  parent: Component,
  { openPorts, monitoring }: { openPorts: readonly number[]; monitoring: Monitoring | undefined },
  settle: number,
): CommonFiles {
  const metrics = monitoring && { metrics: { port: monitoring.port, from: [...monitoring.from] } };
  const render = renderer(parent);
  const root = { owner: "root", group: "root", mode: "0644" };
  const placed = ({ path, place }: { path: string; place: string }, text: pulumi.Output<string>): PlannedFile => ({
    path,
    text,
    install: { ...root, path: place },
  });
  const { apparmor } = baseFiles;
  const files: PlannedFile[] = [
    {
      path: baseFiles.firewall,
      text: render("base-firewall", "base-firewall", { openPorts: [...openPorts], ...metrics }),
    },
    { path: baseFiles.firewallLoad, text: render("base-firewall-load", "base-firewall-load", {}) },
    { path: baseFiles.apply, text: render("base-apply", "base-apply", {}) },
    { path: baseFiles.renew, text: renewalFile() },
    placed(baseFiles.kernel, render("base-kernel", "base-kernel", {})),
    placed(baseFiles.journal, render("base-journal", "base-journal", {})),
    placed(baseFiles.upgrades, render("base-upgrades", "base-upgrades", {})),
    placed(baseFiles.needrestart, render("base-needrestart", "base-needrestart", {})),
    placed(apparmor.tor, render("base-apparmor-tor", "base-apparmor-tor", {})),
    placed(apparmor.nginx, render("base-apparmor-nginx", "base-apparmor-nginx", {})),
    placed(apparmor.onionbalance, render("base-apparmor-onionbalance", "base-apparmor-onionbalance", {})),
    { path: baseFiles.firewallUnit, text: render("unit-firewall", "unit-firewall", {}) },
    { path: baseFiles.firewallPath, text: render("unit-firewall-path", "unit-firewall-path", {}) },
    { path: baseFiles.firewallReload, text: render("unit-firewall-reload", "unit-firewall-reload", {}) },
    { path: baseFiles.baseUnit, text: render("unit-base", "unit-base", {}) },
    { path: baseFiles.renewUnit, text: render("unit-renew", "unit-renew", { settleSeconds: settle }) },
  ];
  return new FileSet(parent.childName("files"), pulumi.output(files), { parent });
}

function timer(parent: Component, { name }: Host, time: string): PlannedFile {
  return { path: baseFiles.renewTimer, text: renderer(parent)(`${name}-renew-timer`, "unit-renew-timer", { time }) };
}

const packages = ["nftables", "unattended-upgrades", "apparmor"];

const active = { kind: "active" } as const;

function firewallServices(on: boolean): Service[] {
  const { firewall, firewallLoad } = baseFiles;
  if (!on)
    return [units.firewall, units.firewallPath].map((unit) => ({
      unit,
      reloadOn: [],
      restartOn: [],
      health: active,
      standby: true,
    }));
  return [
    {
      unit: units.firewall,
      verify: ["/bin/sh", `{release}/${firewallLoad}`, `{release}/${firewall}`],
      reloadOn: [firewall, firewallLoad],
      restartOn: [],
      // Whoever loads another firewall mostly empties all tables first.
      holds: ["/usr/sbin/nft", "list", "table", "inet", firewallTable],
      health: active,
    },
    { unit: units.firewallPath, reloadOn: [], restartOn: [], health: active },
  ];
}

function baseServices(firewall: boolean): Service[] {
  const { kernel, journal, apparmor } = baseFiles;
  return [
    ...firewallServices(firewall),
    {
      unit: units.base,
      reloadOn: [baseFiles.apply, kernel.path, journal.path, ...Object.values(apparmor).map(({ path }) => path)],
      restartOn: [],
      notes: baseNotes,
      health: active,
    },
    { unit: units.renewTimer, reloadOn: [], restartOn: [], health: active },
  ];
}

interface Base {
  readonly files: CommonFiles;
  /** When it restarts what an update has replaced. @example "03:00" */
  readonly renewal: string;
  readonly firewall: boolean;
}

function baseRelease(parent: Component, host: Host, { files, renewal, firewall }: Base): pulumi.Output<string> {
  const own = pulumi.output({ timer: timer(parent, host, renewal), instance: host.instance });
  return files.made(own, (common, { timer: itsTimer, instance }) =>
    releaseProgram({
      ...releaseDefaults(),
      role: "base",
      owner: ownerOf(parent.name, host),
      host: host.name,
      instance: instance ?? "",
      packages,
      // The firewall's rules go by user: they are there before any service is.
      users: Object.values(users).map((name) => ({ name, groups: [] })),
      dirs: [],
      files: [...common, itsTimer],
      state: [],
      services: baseServices(firewall),
    }),
  );
}
