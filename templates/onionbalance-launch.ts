import { python } from "./quote";
import type { Template } from "./template";

/** The program that starts Onionbalance with shorter timers than it has an option for. */
export interface OnionbalanceLaunchModel {
  /** A private Tor network with testing intervals, where Onionbalance runs with --is-testnet. */
  readonly testnet: boolean;
}

export const onionbalanceLaunch: Template<OnionbalanceLaunchModel> = {
  language: python,
  sources: ["onionbalance-launch"],
  title: () => "Onionbalance's launcher",
  locals: () => ({}),
};
