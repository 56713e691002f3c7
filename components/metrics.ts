import * as pulumi from "@pulumi/pulumi";
import { metricsFile, releaseProgram, type Service } from "../host/program";
import { metricsFiles, units } from "../plan/names";
import { Component } from "./component";
import { hashOf } from "./hash";
import { hostStep, installationOn } from "./hostStep";
import type { Host, Monitoring } from "./hosts/host";
import { releaseDefaults } from "./releaseDefaults";
import { renderer } from "./renderer";
import { ownerOf, probeOf, removeMetrics } from "./retirement";
import type { PlannedFile } from "./unitFiles";

/** Arguments of {@link Metrics}. */
export interface MetricsArgs {
  /** The machines, each with what its steps wait for. */
  readonly hosts: readonly Host[];
  readonly monitoring: Monitoring;
}

/**
 * The exporter on each machine: a role of its own, so that a change of it touches no tor and no nginx, and its end takes it away again.
 * Nothing waits for it: a machine whose exporter does not come up serves all the same.
 */
export class Metrics extends Component {
  constructor(name: string, { hosts, monitoring }: MetricsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Metrics", name, [], opts);
    const files = this.renderFiles(monitoring);
    for (const host of hosts) {
      const program = this.releaseOn(host, files);
      const installation = installationOn(this, host, {
        wants: hashOf(program),
        probe: probeOf(host, name, ["metrics"]),
        leave: removeMetrics(host, name),
      });
      hostStep(
        this.childName(`${host.name}-release`),
        { host, program, installation },
        { parent: this, dependsOn: [...(host.after ?? [])] },
      );
    }
    this.registerOutputs({});
  }

  private renderFiles({ port, from }: Monitoring): PlannedFile[] {
    const render = renderer(this);
    return [
      { path: metricsFiles.program, text: metricsFile() },
      { path: metricsFiles.collectUnit, text: render("unit-collect", "unit-metrics-collect", {}) },
      { path: metricsFiles.unit, text: render("unit", "unit-metrics", { port, from: [...from] }) },
    ];
  }

  private releaseOn(host: Host, files: readonly PlannedFile[]): pulumi.Output<string> {
    return pulumi.output({ files, instance: host.instance }).apply((known) =>
      releaseProgram({
        ...releaseDefaults(),
        role: "metrics",
        owner: ownerOf(this.name, host),
        host: host.name,
        instance: known.instance ?? "",
        packages: [],
        users: [],
        dirs: [],
        files: known.files,
        state: [],
        services,
      }),
    );
  }
}

// Neither has anything to lose: a reload would be no better than a restart.
const services: readonly Service[] = [units.metricsCollect, units.metrics].map((unit) => ({
  unit,
  reloadOn: [],
  restartOn: [metricsFiles.program],
  health: { kind: "active" },
}));
