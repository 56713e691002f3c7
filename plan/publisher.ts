// Who makes the sites' descriptors, how often a balancer looks and uploads, and how its watchdog probes: what stands where the config leaves it open.
import { mostBackends } from "./budget";

/** `onionbalance`: one descriptor for all directories, as Onionbalance makes it. `distinct`: above ten backends each directory has its own. */
export const publisherModes = ["onionbalance", "distinct"] as const;
export type PublisherMode = (typeof publisherModes)[number];

/** The mode, and why it is that: a part of a sentence, for people. */
export interface PublisherChoice {
  readonly mode: PublisherMode;
  readonly why: string;
}

/**
 * The config's mode, else the one that so many backends need; `backends` are the listed ones of the largest project, which is `whose`.
 * @example choosePublisher(undefined, 12, "project news").why // "project news has 12 backends and one descriptor has room for 10"
 */
export function choosePublisher(
  given: PublisherMode | undefined,
  backends: number,
  whose = "a project",
): PublisherChoice {
  if (given !== undefined) {
    const needless = given === "distinct" && backends <= mostBackends;
    const alike = `; no project has more than ${mostBackends} backends, so that Onionbalance would publish the same`;
    return { mode: given, why: `the config says so${needless ? alike : ""}` };
  }
  if (backends > mostBackends)
    return {
      mode: "distinct",
      why: `${whose} has ${backends} backends and one descriptor has room for ${mostBackends}`,
    };
  return { mode: "onionbalance", why: "one descriptor has room for the backends of each project" };
}

/** What the balancer does when, in seconds. */
export interface PublisherTimers {
  /** Between two looks at the backends' descriptors. */
  readonly fetch: number;
  /** Between two looks whether there is something to publish. */
  readonly publishCheck: number;
  /** From the first fetch to the first publication. */
  readonly firstPublish: number;
  /** Least time between two publications of a descriptor because of introduction points that changed; a backend that would be lost does not wait. */
  readonly republish: number;
  /** Age at which a descriptor is published again though nothing changed. */
  readonly lifetime: number;
  /** Age at which a backend's descriptor counts as that of a dead one. */
  readonly tooOld: number;
}

/** How backends are probed; `floor` in percent of a site's backends. */
export interface WatchdogSettings {
  /** Seconds between two probes of a backend. */
  readonly every: number;
  /** Seconds after which a probe has failed. */
  readonly timeout: number;
  /** Probes in a row that fail before a backend is left out. */
  readonly failures: number;
  /** So many of them always stay listed. */
  readonly floor: number;
}

/** Settings as the config has them: any may be absent. */
type Given<Settings> = { readonly [Key in keyof Settings]?: Settings[Key] | undefined };
export type GivenTimers = Given<PublisherTimers>;
export type GivenWatchdog = Given<WatchdogSettings & { readonly enabled: boolean }>;

/** For the network that everybody is on; derived in docs/tuning.md. */
const publicTimers: PublisherTimers = {
  fetch: 120,
  publishCheck: 30,
  firstPublish: 15,
  republish: 300,
  lifetime: 3600,
  tooOld: 3600,
};

/** Introduction points of a test network live 10 to 30 s (get_intro_point_min_lifetime in tor's hs_service.c). */
const testTimers: PublisherTimers = {
  fetch: 10,
  publishCheck: 5,
  firstPublish: 8,
  republish: 0,
  lifetime: 60,
  tooOld: 60,
};

/** The timers of a balancer: the config's, else what suits the network. @example publisherTimers(false, { fetch: 60 }).fetch // 60 */
export function publisherTimers(testnet: boolean, given: GivenTimers = {}): PublisherTimers {
  return over(testnet ? testTimers : publicTimers, given);
}

const publicWatchdog: WatchdogSettings = { every: 60, timeout: 20, failures: 3, floor: 50 };
const testWatchdog: WatchdogSettings = { ...publicWatchdog, every: 5, timeout: 6, failures: 2 };

/** The watchdog's settings; undefined where none runs: it runs beside distinct descriptors, unless the config says otherwise. */
export function watchdogSettings(
  mode: PublisherMode,
  testnet: boolean,
  given: GivenWatchdog = {},
): WatchdogSettings | undefined {
  const { enabled = mode === "distinct", ...settings } = given;
  return enabled ? over(testnet ? testWatchdog : publicWatchdog, settings) : undefined;
}

/** What to say of a watchdog that has settings and does not run; undefined when there is nothing. */
export function idleWatchdog(mode: PublisherMode, given: GivenWatchdog | undefined): string | undefined {
  if (given === undefined || given.enabled !== undefined || watchdogSettings(mode, false, given)) return undefined;
  return "watchdog has settings, but none runs: with Onionbalance's own descriptors it has to be asked for. Next: add enabled: true to it, or remove it.";
}

/** Defaults with what is given in their place, and nothing else. */
function over<Settings extends object>(defaults: Settings, given: Given<Settings>): Settings {
  const keys = Object.keys(defaults) as (keyof Settings)[];
  return Object.fromEntries(keys.map((key) => [key, given[key] ?? defaults[key]])) as Settings;
}

/** Whether machines are on a private Tor network: the lab's are, others when the config names its directories. */
export function onTestnet(hosts: { readonly provider: string; readonly torNetwork?: unknown }): boolean {
  return hosts.provider === "lab" || hosts.torNetwork !== undefined;
}
