import type { Derived } from "../../lab/lab";

/** The operator's monitoring machine: Prometheus, with promtool, and onionprobe. Neither starts by itself. */
export const monitoringImage: Derived = {
  name: "monitoring",
  packages: ["prometheus", "onionprobe", "curl"],
  disabled: ["prometheus.service", "onionprobe.service"],
};
