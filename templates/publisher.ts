import type { PublisherMode, PublisherTimers, WatchdogSettings } from "../plan/publisher";
import { yaml, type Token } from "./quote";
import type { Template } from "./template";

/** The settings of the publisher (host/publisher.py) and of its watchdog (host/watchdog.py). */
export interface PublisherModel {
  readonly mode: PublisherMode;
  /** Why it is that mode: for whoever reads a preview. */
  readonly why: string;
  /** A private Tor network with testing intervals, where Onionbalance runs with --is-testnet. */
  readonly testnet: boolean;
  readonly timers: PublisherTimers;
  /** Absent: none runs. */
  readonly watchdog?: WatchdogSettings | undefined;
}

/** A name or a word of ours, without quotes. */
const word =
  (text: string): Token =>
  () =>
    text;

const named = (settings: object): [Token, number][] =>
  Object.entries(settings).map(([name, value]) => [word(name), value as number]);

export const publisher: Template<PublisherModel> = {
  language: yaml,
  sources: ["publisher"],
  title: () => "the publisher's settings",
  locals: ({ mode, why, testnet, timers, watchdog }) => ({
    mode: word(mode),
    why,
    testnet: word(String(testnet)),
    timers: named(timers),
    watchdog: named(watchdog ?? {}),
  }),
};
