// Where the numbers of a monitored machine come from: every tor's own MetricsPort.
import { createHash } from "node:crypto";

/** Where Prometheus finds a machine unless the config says otherwise. */
export const defaultMetricsPort = 9552;

/**
 * A part of loopback that is ours by custom: every tor has an address and a port of its own there. tor has no unix socket for its MetricsPort
 * (0.4.9: "Port out of range"), and it asks nobody for a password: the firewall lets root alone come here.
 */
export const metricsNetwork = "127.128.0.0/9";

/** By what the balancer's tor is called here; no backend's daemon can have the name: theirs end in a generation. */
export const balancerDaemon = "balancer";

/**
 * Where a tor tells what it counts, from its daemon's name: a place that stays when others come and go. A tor that cannot have its port ends,
 * also when it is only reloaded, so two must never have the same: 33 bits of a hash, and the port is below those that the kernel gives away
 * (ip_local_port_range, from 32768 on).
 * @example torMetrics("news-1-3fa9") // "127.201.44.9:21117"
 */
export function torMetrics(daemon: string): string {
  const hash = createHash("sha256").update(daemon).digest();
  const [first = 0, second = 0, third = 0] = hash;
  // 127.255.255.255 is loopback's broadcast address: nobody can listen there.
  const address = `127.${128 + (first & 0x7f)}.${second}.${Math.min(third, 254)}`;
  return `${address}:${21_000 + (hash.readUInt16BE(3) & 0x3ff)}`;
}
