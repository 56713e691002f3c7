// Who makes the sites' descriptors, how often, and how backends are probed. Defaults depend on the network: plan/publisher.ts fills them.
import { z } from "zod";
import { publisherModes } from "../../plan/publisher";
import { whole } from "./check";
import { seconds } from "./network";

/** `softmap:publisher`; absent: as many backends as there are decide. */
export const publisherSchema = z.enum(publisherModes).meta({
  description:
    "Who makes the sites' descriptors. `onionbalance`: Onionbalance, one for all directories, at most ten backends a site. `distinct`: above ten backends each directory has a descriptor of its own with a part of them, at most 120. Absent: distinct when a project has more than ten listed backends.",
  examples: ["distinct"],
});

/** `softmap:timers`; what is absent has the network's default. */
export const timersSchema = z
  .strictObject({
    fetch: seconds("5s", "1h", "2m", {
      description: "How often the backends' descriptors are fetched: one circuit a backend. Absent: 2m; in a lab 10s.",
      examples: ["2m"],
    }).optional(),
    publishCheck: seconds("1s", "30m", "30s", {
      description:
        "How often the publisher looks whether there is something to publish; the look alone sends nothing. Absent: 30s; in a lab 5s.",
      examples: ["30s"],
    }).optional(),
    firstPublish: seconds("1s", "10m", "15s", {
      description: "How long it waits between the first fetch and the first publication. Absent: 15s; in a lab 8s.",
      examples: ["15s"],
    }).optional(),
    republish: seconds("0s", "6h", "5m", {
      description:
        "The least time between two publications because backends changed introduction points; for backends that come, go or would be lost nobody waits. Absent: 5m; in a lab 0s.",
      examples: ["5m"],
    }).optional(),
    lifetime: seconds("10s", "3h", "1h", {
      description:
        "How old a descriptor gets before it is published again though nothing changed; directories keep it for three hours. Absent: 1h; in a lab 1m.",
      examples: ["1h"],
    }).optional(),
    tooOld: seconds("10s", "3h", "1h", {
      description:
        "How long a backend stays listed whose descriptor cannot be fetched any more. Absent: 1h; in a lab 1m.",
      examples: ["1h"],
    }).optional(),
  })
  .meta({
    description: "How often a balancer looks at its backends and publishes. What is absent suits the network.",
    examples: [{ fetch: "2m", publishCheck: "30s", republish: "5m" }],
  });

/** `softmap:watchdog`; absent: it runs beside distinct descriptors, with the network's defaults. */
export const watchdogSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .meta({
        description:
          "Whether each publishing balancer probes every backend through Tor and leaves dead ones out. Absent: with distinct descriptors true, else false.",
        examples: [true],
      }),
    every: seconds("2s", "1h", "1m", {
      description: "How often each backend is probed: one rendezvous. Absent: 1m; in a lab 5s.",
      examples: ["1m"],
    }).optional(),
    timeout: seconds("1s", "2m", "20s", {
      description: "How long a backend may take to answer. Absent: 20s; in a lab 6s.",
      examples: ["20s"],
    }).optional(),
    failures: whole(1, 10, "", {
      description: "Probes in a row that fail before a backend is left out. Absent: 3; in a lab 2.",
      unit: "probes",
      examples: [3],
    }).optional(),
    floor: whole(0, 100, "it is a part of a site's backends", {
      description:
        "The part of a site's backends, rounded up, that stays listed whatever the probes say; never none. Absent: 50.",
      unit: "percent",
      examples: [50],
    }).optional(),
  })
  .meta({
    description: "Probes of the backends: whoever does not answer is left out of the descriptors until it does.",
    examples: [{ enabled: true, every: "1m" }],
  });
