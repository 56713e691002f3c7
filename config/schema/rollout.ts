// How a change goes over the machines: in which order, which of them the world sees, what is kept for the way back.
import { z } from "zod";
import { whole } from "./check";
import { duration } from "./network";

/** The waves in which workers get a change; `pause` in seconds once parsed. */
export const rolloutSchema = z
  .strictObject({
    canary: whole(0, 50, "", {
      description: "Workers that get a change first; the others wait until these have proved it. 0: none.",
      unit: "workers",
      examples: [1],
    }).prefault(1),
    waveSize: whole(1, 50, "", {
      description: "Workers at a time after that. A release that fails stops the waves after it.",
      unit: "workers",
      examples: [2],
    }).prefault(2),
    pause: duration("0s", "1h", "0s", {
      description:
        "How long the hosts of a wave are watched after a change before the next wave; a unit that fails in this time takes its host back.",
      examples: ["1m"],
    }),
  })
  .meta({
    description: "How a change goes over the workers: in waves, the canary first.",
    examples: [{ canary: 1, waveSize: 2, pause: "1m" }],
  });

/** Names of machines out of those that there are; that each of them is there is for config/rules/choices.ts. */
function chosen(empty: { message: string; next: string }, meta: { description: string; examples: string[][] }) {
  return z
    .array(z.string().meta({ description: "Name of a machine.", examples: meta.examples[0] ?? [] }))
    .check((context) => {
      if (context.value.length > 0) return;
      const { message, next } = empty;
      context.issues.push({ code: "custom", message, input: context.value, params: { next } });
    })
    .meta({ ...meta, unit: "names", minItems: 1 });
}

export const publishing = chosen(
  {
    message: "Without a balancer that publishes every site would be gone.",
    next: "Name at least one, or remove `publishing`: then every balancer publishes.",
  },
  {
    description:
      "Names of the balancers that publish; the others stand by: deployed and checked, not publishing. Absent: every balancer.",
    examples: [["balancer1"]],
  },
);

export const listed = chosen(
  {
    message: "Without a listed worker no site has a backend.",
    next: "Name at least one, or remove `listed`: then every worker is listed.",
  },
  {
    description:
      "Names of the workers whose backends are published; the others run, proved but not published. At most 120 backends of a project are published at once, with `publisher: onionbalance` ten. Absent: every machine that runs backends.",
    examples: [["worker1", "worker2"]],
  },
);

export const drainTimeout = duration("0s", "1h", "2m", {
  description:
    "How long, after retireGrace, connections that are still open on a leaving backend are waited for before it is stopped.",
  examples: ["2m"],
});

export const rollbackWindow = duration("0s", "720h", "24h", {
  description:
    "How long a balancer that stopped publishing keeps Onionbalance's files and the site keys. Within it one edit of `publishing` moves back at once; after it a timer on the machine removes the keys.",
  examples: ["24h"],
});
