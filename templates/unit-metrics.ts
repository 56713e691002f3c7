import { currentFile, metricsFiles, metricsText } from "../plan/names";
import type { ScrapeModel } from "./base";
import { network, systemd } from "./quote";
import type { Template } from "./template";
import type { UnitModel } from "./units";

const program = currentFile("metrics", metricsFiles.program);

/** softmap-metrics-collect.service, on every monitored machine. */
export const unitMetricsCollect: Template<UnitModel> = {
  language: systemd,
  sources: ["unit-metrics-collect", "sandbox"],
  title: () => "unit of the metrics' collector",
  // systemd wants RuntimeDirectory= relative to /run.
  locals: () => ({ program, runtime: metricsText.slice("/run/".length, metricsText.lastIndexOf("/")) }),
};

/** softmap-metrics.service, the exporter that Prometheus asks. */
export const unitMetrics: Template<ScrapeModel> = {
  language: systemd,
  sources: ["unit-metrics", "sandbox"],
  title: () => "unit of the metrics' exporter",
  locals: ({ port, from }) => ({
    program,
    port: `port=${port}`,
    from: from.length > 0 ? `from=${from.map(network).join(",")}` : undefined,
    allowed: () => ["localhost", ...from.map(network)].join(" "),
  }),
};
