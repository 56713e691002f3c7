// Whether and for whom the machines tell how they are: config/rules/monitoring.ts has what no single key can tell.
import { z } from "zod";
import { defaultMetricsPort } from "../../plan/metrics";
import { type Fault, text, whole } from "./check";
import { networkFault } from "./cidr";

/** What is wrong with a network that may fetch a machine's numbers. */
export function scrapeFromFault(given: string): Fault | undefined {
  return networkFault(given, {
    message: "This is everybody: the whole Internet would read how each backend is.",
    next: "Name the networks of your Prometheus, e.g. 10.0.0.0/8; or none, and reach it through ssh.",
  });
}

const network = text(scrapeFromFault, { description: "A network in CIDR form.", examples: ["10.0.0.0/8"] });

/** `softmap:monitoring`; absent: nothing of it is on a machine. */
export const monitoringSchema = z
  .strictObject({
    // Below it are the services of the system, and an exporter without privileges cannot have them.
    port: whole(1024, 65535, "the exporter has no privileges", {
      description: "TCP port where every machine tells Prometheus how it is.",
      unit: "port",
      examples: [defaultMetricsPort],
    }).prefault(defaultMetricsPort),
    from: z
      .array(network)
      .prefault([])
      .meta({
        description:
          "Networks that may fetch there: the exporter listens on every address, and it and the firewall turn all others away. None: it listens on loopback alone, and is reached through ssh.",
        examples: [["10.0.0.0/8"], ["203.0.113.9/32", "2001:db8:7::/48"]],
      }),
  })
  .meta({
    description:
      "Whether every machine has an exporter for Prometheus: of tor, nginx, Onionbalance and the machine itself. Absent: none. `{}`: one that is reached through ssh.",
    examples: [{ from: ["10.0.0.0/8"] }, {}],
  });

/** How the machines are monitored, every default filled. */
export type MonitoringConfig = z.output<typeof monitoringSchema>;
