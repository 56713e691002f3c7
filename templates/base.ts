import { baseFiles, baseNotes, currentFile, firewallTable, units, users } from "../plan/names";
import { metricsNetwork } from "../plan/metrics";
import { network, plain, systemd, type Token } from "./quote";
import type { Template } from "./template";
import type { UnitModel } from "./units";

/** The machine's firewall. */
export interface FirewallModel {
  /** TCP ports besides ssh that it lets in. */
  readonly openPorts: readonly number[];
  /** Who may fetch the machine's numbers, and where. Absent: nobody. */
  readonly metrics?: ScrapeModel;
}

/** Where a machine tells how it is, and to whom. */
export interface ScrapeModel {
  readonly port: number;
  /** Networks in CIDR form; none: loopback alone. */
  readonly from: readonly string[];
}

/** When the machine restarts what an update has replaced. */
export interface RenewTimerModel {
  /** Time of day, `HH:MM`, UTC: machines of one stack may be in different zones. */
  readonly time: string;
}

/** How it restarts them. */
export interface RenewModel {
  /** Seconds between two tors of a project: what Onionbalance takes to publish the first one's new introduction points. */
  readonly settleSeconds: number;
}

/** Networks by the word that nftables has for their family. */
function networksOf(from: readonly string[]): { family: string; networks: Token }[] {
  const of = (six: boolean): string[] => from.map(network).filter((each) => each.includes(":") === six);
  const row = (family: string, networks: readonly string[]) =>
    networks.length > 0 ? [{ family, networks: () => networks.join(", ") }] : [];
  return [...row("ip", of(false)), ...row("ip6", of(true))];
}

/** A file whose text is the same on every machine. */
function fixed(source: string, title: string): Template<UnitModel> {
  return { language: plain, sources: [source], title: () => title, locals: () => ({}) };
}

const folder = (path: string): string => path.slice(0, path.lastIndexOf("/"));
const baseFile = (file: string): string => currentFile("base", file);

export const baseFirewall: Template<FirewallModel> = {
  language: plain,
  sources: ["base-firewall"],
  title: () => "firewall",
  locals: ({ openPorts, metrics }) => ({
    metricsNetwork,
    scrapers: () => networksOf(metrics?.from ?? []),
    table: firewallTable,
    users,
    // Numbers, sorted: their order means nothing.
    ports: () =>
      openPorts
        .toSorted((a, b) => a - b)
        .map(Number)
        .join(", "),
  }),
};

export const baseFirewallLoad: Template<UnitModel> = {
  language: plain,
  sources: ["base-firewall-load"],
  title: () => "script that loads the firewall",
  locals: () => ({ rules: baseFile(baseFiles.firewall) }),
};

export const baseApply: Template<UnitModel> = {
  language: plain,
  sources: ["base-apply"],
  title: () => "script that applies the base",
  locals: () => ({
    run: folder(baseNotes),
    notes: baseNotes,
    kernel: baseFiles.kernel.place,
    journal: baseFiles.journal.place,
    tor: baseFiles.apparmor.tor.place,
    nginx: baseFiles.apparmor.nginx.place,
    onionbalance: baseFiles.apparmor.onionbalance.place,
  }),
};

export const baseKernel = fixed("base-kernel", "limits of the kernel");
export const baseJournal = fixed("base-journal", "limits of the journal");
export const baseUpgrades = fixed("base-upgrades", "rules for updates");
export const baseNeedrestart = fixed("base-needrestart", "rules for restarts after updates");
export const baseApparmorTor = fixed("base-apparmor-tor", "AppArmor profile of tor");
export const baseApparmorNginx = fixed("base-apparmor-nginx", "AppArmor profile of nginx");
export const baseApparmorOnionbalance = fixed("base-apparmor-onionbalance", "AppArmor profile of Onionbalance");

function unit(source: string, title: string, locals: Record<string, string>): Template<UnitModel> {
  return { language: systemd, sources: [source], title: () => title, locals: () => locals };
}

export const unitFirewall = unit("unit-firewall", "unit of the firewall", {
  load: baseFile(baseFiles.firewallLoad),
  table: firewallTable,
});
export const unitBase = unit("unit-base", "unit of the base", { apply: baseFile(baseFiles.apply) });
export const unitFirewallPath = unit("unit-firewall-path", "unit that watches sshd's settings", {
  reload: units.firewallReload,
});
export const unitFirewallReload = unit("unit-firewall-reload", "unit that reloads the firewall", {
  firewall: units.firewall,
});

export const unitRenew: Template<RenewModel> = {
  language: systemd,
  sources: ["unit-renew"],
  title: () => "unit of the renewal",
  locals: () => ({ renew: baseFile(baseFiles.renew) }),
};

export const unitRenewTimer: Template<RenewTimerModel> = {
  language: systemd,
  sources: ["unit-renew-timer"],
  title: () => "timer of the renewal",
  locals: () => ({}),
};
