// tor daemons of a project, and limits for each visitor's circuit.
import { whole } from "../check";
import { bare, setting } from "../setting";
import { choice, flag } from "../values";

const mostPerSecond = 2_147_483_647; // INT32_MAX, what tor takes

export const tor = {
  torSingleOnion: setting(
    flag("Whether the backends' addresses of the machines are no secret: one hop instead of three, faster.", true),
    false,
  ),
  torSyslog: setting(
    choice(["err", "warn", "notice", "info"], {
      description: "What tor reports of itself, from this level on.",
      examples: ["warn"],
    }),
    "notice",
  ),
  torIntroDosDefense: setting(
    flag("Whether introduction points limit how many visitors they let through to a backend.", true),
    false,
  ),
  torIntroDosRatePerSec: bare(
    whole(1, mostPerSecond, "", {
      description:
        "Introductions per second that a point lets through; tor's own default is 25. Needs torIntroDosDefense.",
      unit: "introductions per second",
      examples: [25],
    }),
  ),
  torIntroDosBurstPerSec: bare(
    // hs_dos.c takes a token and then asks whether one is left: of a burst of 1 nobody gets in.
    whole(2, mostPerSecond, "tor keeps one of them back, so that 1 would let nobody in", {
      description: "How many at once; tor's own default is 200. Needs torIntroDosDefense.",
      unit: "introductions per second",
      examples: [200],
    }),
  ),
  torMaxStreams: bare(
    whole(0, 65535, "tor takes no other number", {
      description: "Connections at a time over one visitor's circuit. 0 or absent: any number.",
      unit: "streams",
      examples: [100],
    }),
  ),
  torMaxStreamsCloseCircuit: setting(
    flag(
      "Whether the circuit of who has more is closed, instead of the one stream refused. Needs torMaxStreams.",
      true,
    ),
    false,
  ),
  torExportCircuitId: setting(
    flag("Whether tor tells nginx which connections come over one circuit: for limits and logs, not who it is.", true),
    false,
  ),
};

export const limits = {
  circuitRequestRate: bare(
    whole(1, 100_000, "", {
      description: "Requests per second over one circuit; the others get 429. Needs torExportCircuitId.",
      unit: "requests per second",
      examples: [20],
    }),
  ),
  circuitRequestBurst: bare(
    whole(0, 100_000, "", {
      description: "Requests above the rate that are still answered. Needs circuitRequestRate.",
      unit: "requests",
      examples: [60],
    }),
  ),
  circuitConnections: bare(
    whole(1, 65535, "", {
      description: "Requests at a time over one circuit; the others get 429. Needs torExportCircuitId.",
      unit: "connections",
      examples: [30],
    }),
  ),
};
