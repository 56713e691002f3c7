// What no single key of `monitoring` can tell: who else has its port.
import { defaultMetricsPort } from "../../plan/metrics";
import { isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { type Raw, kinds } from "./machines";

/** Problems of the exporter's port beside sshd's and those that the firewall lets everybody in to. */
export function monitoringRules(raw: Raw): Problem[] {
  if (!isRecord(raw["monitoring"])) return [];
  const port = valueAt(raw, ["monitoring", "port"]) ?? defaultMetricsPort;
  if (typeof port !== "number") return [];
  const at = (message: string, next: string) => problemAt(raw, ["monitoring", "port"], { message, next });
  const open = valueAt(raw, ["hosts", "openPorts"]);
  const opened = Array.isArray(open) && open.includes(port);
  return [
    ...sshOn(raw, port).map((name) =>
      at(`sshd of ${name} listens on port ${port} already.`, `Choose another, e.g. ${free(port)}.`),
    ),
    ...(opened
      ? [
          at(
            `openPorts of hosts lets everybody in to port ${port}.`,
            "Remove it there: `from` says who may fetch the numbers.",
          ),
        ]
      : []),
  ];
}

const free = (port: number): number => (port === defaultMetricsPort ? port + 1 : defaultMetricsPort);

/** Names of the machines whose sshd has the port. */
function sshOn(raw: Raw, port: number): string[] {
  return kinds.flatMap((kind) => {
    const given = raw[kind];
    return (Array.isArray(given) ? given : []).flatMap((machine: unknown, i) => {
      if (valueAt(machine, ["port"]) !== port) return [];
      const name = valueAt(machine, ["name"]);
      return [typeof name === "string" ? name : `${kind}[${i}]`];
    });
  });
}
