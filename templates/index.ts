import { backendTorrc, type BackendTorrcModel } from "./backend-torrc";
import { balancerTorrc, type BalancerTorrcModel } from "./balancer-torrc";
import {
  baseApparmorNginx,
  baseApparmorOnionbalance,
  baseApparmorTor,
  baseApply,
  baseFirewall,
  baseFirewallLoad,
  baseJournal,
  baseKernel,
  baseNeedrestart,
  baseUpgrades,
  unitBase,
  unitFirewall,
  unitFirewallPath,
  unitFirewallReload,
  unitRenew,
  unitRenewTimer,
  type FirewallModel,
  type RenewModel,
  type RenewTimerModel,
  type ScrapeModel,
} from "./base";
import { clientTorrc, type ClientTorrcModel } from "./client-torrc";
import { nginxConf, type NginxModel } from "./nginx";
import { nginxListen, nginxSite, type NginxListenModel, type NginxSite, type NginxSiteModel } from "./nginx-site";
import { renderTemplate, type Sources } from "./render";
import type { Template } from "./template";
import { obConfig, type ObConfigModel } from "./ob-config";
import { onionbalance, type OnionbalanceModel } from "./onionbalance";
import { proberTorrc, type ProberTorrcModel } from "./prober-torrc";
import { publisher, type PublisherModel } from "./publisher";
import { unitMetrics, unitMetricsCollect } from "./unit-metrics";
import {
  unitBalancerTor,
  unitNginx,
  unitOnionbalance,
  unitProberTor,
  unitTor,
  unitWatchdog,
  type UnitModel,
} from "./units";

/** Every kind of file that is rendered, and the model it wants. */
export interface Models {
  "backend-torrc": BackendTorrcModel;
  "balancer-torrc": BalancerTorrcModel;
  "base-apparmor-nginx": UnitModel;
  "base-apparmor-onionbalance": UnitModel;
  "base-apparmor-tor": UnitModel;
  "base-apply": UnitModel;
  "base-firewall": FirewallModel;
  "base-firewall-load": UnitModel;
  "base-journal": UnitModel;
  "base-kernel": UnitModel;
  "base-needrestart": UnitModel;
  "base-upgrades": UnitModel;
  "client-torrc": ClientTorrcModel;
  nginx: NginxModel;
  "nginx-listen": NginxListenModel;
  "nginx-site": NginxSiteModel;
  "ob-config": ObConfigModel;
  onionbalance: OnionbalanceModel;
  "prober-torrc": ProberTorrcModel;
  publisher: PublisherModel;
  "unit-base": UnitModel;
  "unit-firewall": UnitModel;
  "unit-firewall-path": UnitModel;
  "unit-firewall-reload": UnitModel;
  "unit-renew": RenewModel;
  "unit-renew-timer": RenewTimerModel;
  "unit-balancer-tor": UnitModel;
  "unit-metrics": ScrapeModel;
  "unit-metrics-collect": UnitModel;
  "unit-nginx": UnitModel;
  "unit-onionbalance": UnitModel;
  "unit-prober-tor": UnitModel;
  "unit-tor": UnitModel;
  "unit-watchdog": UnitModel;
}

/** The name of a template. */
export type TemplateName = keyof Models;

/** The templates by name. */
export const templates = {
  "backend-torrc": backendTorrc,
  "balancer-torrc": balancerTorrc,
  "base-apparmor-nginx": baseApparmorNginx,
  "base-apparmor-onionbalance": baseApparmorOnionbalance,
  "base-apparmor-tor": baseApparmorTor,
  "base-apply": baseApply,
  "base-firewall": baseFirewall,
  "base-firewall-load": baseFirewallLoad,
  "base-journal": baseJournal,
  "base-kernel": baseKernel,
  "base-needrestart": baseNeedrestart,
  "base-upgrades": baseUpgrades,
  "client-torrc": clientTorrc,
  nginx: nginxConf,
  "nginx-listen": nginxListen,
  "nginx-site": nginxSite,
  "ob-config": obConfig,
  onionbalance,
  "prober-torrc": proberTorrc,
  publisher,
  "unit-base": unitBase,
  "unit-firewall": unitFirewall,
  "unit-firewall-path": unitFirewallPath,
  "unit-firewall-reload": unitFirewallReload,
  "unit-renew": unitRenew,
  "unit-renew-timer": unitRenewTimer,
  "unit-balancer-tor": unitBalancerTor,
  "unit-metrics": unitMetrics,
  "unit-metrics-collect": unitMetricsCollect,
  "unit-nginx": unitNginx,
  "unit-onionbalance": unitOnionbalance,
  "unit-prober-tor": unitProberTor,
  "unit-tor": unitTor,
  "unit-watchdog": unitWatchdog,
} as const;

/**
 * A file from its template's name, its texts and its model: pure, the same text for the same model.
 * Throws an Error that names the file, the property and its value when a value cannot be written in its place.
 * @example render("ob-config", readSources("ob-config"), { frontends: ["<56>.onion"] })
 */
export function render<Name extends TemplateName>(name: Name, sources: Sources, model: Models[Name]): string {
  return renderTemplate(templates[name] as unknown as Template<Models[Name]>, sources, model);
}

export type {
  BackendTorrcModel,
  BalancerTorrcModel,
  ClientTorrcModel,
  FirewallModel,
  NginxListenModel,
  NginxModel,
  NginxSite,
  NginxSiteModel,
  ObConfigModel,
  OnionbalanceModel,
  ProberTorrcModel,
  PublisherModel,
  RenewModel,
  RenewTimerModel,
  ScrapeModel,
  Sources,
  UnitModel,
};
