// What no single key of `publisher`, `timers` and `watchdog` can tell: what they cost others, and what they do to each other.
import type { z } from "zod";
import {
  type GivenTimers,
  type PublisherMode,
  onTestnet,
  publisherModes,
  publisherTimers,
  watchdogSettings,
} from "../../plan/publisher";
import { formatDuration } from "../duration";
import { type Path, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { timersSchema, watchdogSchema } from "../schema/publisher";
import type { Raw } from "./machines";

/** What the rules know beside the keys. */
export interface Network {
  /** Whether the machines are on a private Tor network; undefined: nobody knows, and then what is forbidden on the public one is let through. */
  readonly testnet: boolean | undefined;
}

/** The config's publisher, undefined when it is not given or wrong. */
export function rawPublisher(raw: Raw): PublisherMode | undefined {
  return publisherModes.find((mode) => mode === raw["publisher"]);
}

/** What the raw config tells of its network. */
export function rawNetwork(raw: Raw): Network {
  const [provider, torNetwork] = [valueAt(raw, ["hosts", "provider"]), valueAt(raw, ["hosts", "torNetwork"])];
  return {
    testnet:
      typeof provider === "string" && ["lab", "ssh", "aws", "local"].includes(provider)
        ? onTestnet({ provider, torNetwork })
        : undefined,
  };
}

/** Problems of timers and watchdog that their schema does not have. */
export function publisherRules(raw: Raw, { testnet }: Network): Problem[] {
  return [
    ...(testnet === false ? publicRules(raw) : []),
    ...(testnet === undefined ? [] : togetherRules(raw, testnet)),
  ];
}

const schemas = { timers: timersSchema, watchdog: watchdogSchema } as const;
type Times = keyof typeof schemas;

/** A time of the raw config in seconds; undefined where none is given, or none that its schema takes: that is told already. */
function secondsAt(raw: Raw, key: Times, name: string): number | undefined {
  const schema: z.ZodType | undefined = (schemas[key].shape as Readonly<Record<string, z.ZodType>>)[name];
  const seconds = schema?.safeParse(valueAt(raw, [key, name])).data;
  return typeof seconds === "number" ? seconds : undefined;
}

/** The least that the public network bears, and why. */
const publicLeast: Readonly<Record<Times, Readonly<Record<string, readonly [least: number, why: string]>>>> = {
  timers: {
    fetch: [30, "each fetch is a circuit a backend, to directories that others need"],
    publishCheck: [10, "each change would be 16 uploads a site at once, to directories that others need"],
    lifetime: [600, "each publication is 16 uploads a site, to directories that others need"],
  },
  watchdog: {
    every: [10, "each probe is an introduction and a rendezvous, through guards and relays that others need"],
    timeout: [5, "a backend that lives may take so long there, and would be left out"],
  },
};

function publicRules(raw: Raw): Problem[] {
  const defaults: Readonly<Record<string, number>> = {
    ...watchdogSettings("distinct", false),
    ...publisherTimers(false),
  };
  return (["timers", "watchdog"] as const).flatMap((key) =>
    Object.entries(publicLeast[key]).flatMap(([name, [least, why]]): Problem[] => {
      const path: Path = [key, name];
      const given = secondsAt(raw, key, name);
      if (given === undefined || given >= least || valueAt(raw, [key, "enabled"]) === false) return [];
      const message = `Less than ${formatDuration(least)} is for the lab and for hosts with torNetwork: on the public network ${why}.`;
      const next = `Set it to ${formatDuration(least)} or more, or remove it: then it is ${formatDuration(defaults[name] ?? least)}.`;
      return [problemAt(raw, path, { message, next })];
    }),
  );
}

/** Directories keep a descriptor for so long (rend-spec-v3, descriptor-lifetime: tor's own is 180 minutes). */
const keptSeconds = 3 * 3600;

function togetherRules(raw: Raw, testnet: boolean): Problem[] {
  if (!isRecord(raw["timers"])) return [];
  const keys = Object.keys(timersSchema.shape) as (keyof typeof timersSchema.shape)[];
  const given: GivenTimers = Object.fromEntries(keys.map((key) => [key, secondsAt(raw, "timers", key)]));
  const { fetch, publishCheck, republish, lifetime, tooOld } = publisherTimers(testnet, given);
  const problems: Problem[] = [];
  // The first of the two that is the config's own, so that the problem is where it was made.
  const add = (names: readonly (keyof GivenTimers)[], message: string, next: string): void => {
    const own = names.find((name) => given[name] !== undefined);
    if (own !== undefined) problems.push(problemAt(raw, ["timers", own], { message, next }));
  };
  const shown = formatDuration;
  if (republish >= lifetime) {
    const message = `republish is ${shown(republish)} and lifetime ${shown(lifetime)}: at that age a descriptor is published again anyway, with whatever changed.`;
    add(["republish", "lifetime"], message, `Set republish to less than ${shown(lifetime)}, or raise lifetime.`);
  }
  // A part is added to fetch by chance, and one fetch in a while finds nobody who answers.
  if (tooOld < 2 * fetch) {
    const message = `fetch is ${shown(fetch)} and tooOld ${shown(tooOld)}: one fetch that fails, and a backend would count as dead.`;
    add(["tooOld", "fetch"], message, `Set tooOld to ${shown(2 * fetch)} or more, or lower fetch.`);
  }
  if (lifetime + lookSeconds(publishCheck) > keptSeconds) {
    const message = `lifetime is ${shown(lifetime)} and publishCheck ${shown(publishCheck)}: a descriptor would be published again after more than the ${shown(keptSeconds)} that directories keep it, and the site be gone for a while.`;
    add(["lifetime", "publishCheck"], message, "Set lifetime to 2h or less.");
  }
  return problems;
}

/** The longest time between two looks: a part of it is added by chance, so that balancers do not march in step (host/rounds.py). */
const lookSeconds = (publishCheck: number): number => Math.ceil(publishCheck * 1.1);
