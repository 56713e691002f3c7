// The operator's monitoring machine in the lab: a real Prometheus with our rules, and onionprobe, which comes to the sites through a tor of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { execOn, readNetwork, type Lab } from "../../lab/lab";

const folder = "/srv/monitoring";

/** Runs a shell script on a host, which must end well; its stdout. */
export async function sh(lab: Lab, host: string, script: string): Promise<string> {
  const ran = await execOn(lab, host, ["sh", "-e", "-s"], { input: script });
  assert.equal(ran.code, 0, `${host}: ${script}\n${ran.text}${ran.stderr}`);
  return ran.text;
}

/** Puts files into the monitoring folder of a host. */
export async function place(lab: Lab, host: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const ran = await execOn(lab, host, ["sh", "-ec", `mkdir -p ${folder}; cat >${folder}/${name}`], { input: text });
    assert.equal(ran.code, 0, ran.stderr);
  }
}

/** What the package ships: the rules, their tests, the example config. */
export const shipped = (name: string): string => readFileSync(join("monitoring", name), "utf8");

/** promtool's opinion on files in the monitoring folder. */
export const promtool = (lab: Lab, host: string, words: string): Promise<string> =>
  sh(lab, host, `cd ${folder}; exec 2>&1; promtool ${words}`);

/** Starts Prometheus with the shipped example config and rules, asking and thinking every two seconds. `targets` is what softmap prints. */
export async function startPrometheus(lab: Lab, host: string, targets: string): Promise<void> {
  const example = parse(shipped("prometheus.example.yml")) as Record<string, unknown>;
  const quick = { ...example, global: { scrape_interval: "2s", scrape_timeout: "2s", evaluation_interval: "2s" } };
  await place(lab, host, {
    "prometheus.yml": stringify(quick),
    "alerts.yml": shipped("alerts.yml"),
    "softmap-targets.yml": targets,
  });
  const args = `--config.file=${folder}/prometheus.yml --storage.tsdb.path=/tmp/prometheus --web.listen-address=127.0.0.1:9090`;
  await sh(lab, host, `systemd-run --quiet --unit=lab-prometheus prometheus ${args}`);
}

/** A sample of an instant query. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** Asks the Prometheus of a host; nothing while it does not answer. */
export async function query(lab: Lab, host: string, expr: string): Promise<Sample[]> {
  const url = "http://127.0.0.1:9090/api/v1/query";
  const ran = await execOn(lab, host, ["curl", "-s", "-m", "5", "--data-urlencode", `query=${expr}`, url]);
  if (ran.code !== 0 || ran.text === "") return [];
  const { status, data } = JSON.parse(ran.text) as { status: string; data: { result: Sample[] } };
  assert.equal(status, "success", ran.text);
  return data.result;
}

/** Alerts that fire: name and host, sorted. */
export async function firing(lab: Lab, host: string): Promise<string[]> {
  const samples = await query(lab, host, 'ALERTS{alertstate="firing"}');
  return samples.map(({ metric }) => [metric["alertname"], metric["host"]].filter(Boolean).join(" ")).sort();
}

/**
 * Starts onionprobe with a config that softmap printed, on a tor of the lab's network instead of one that it starts: that would be on the public
 * one. `certificates` are those that it takes besides none, PEM.
 */
export async function startOnionprobe(lab: Lab, host: string, config: string, certificates: string): Promise<void> {
  const torrc = [
    ...readNetwork(lab).torrc,
    "DataDirectory /var/lib/tor/onionprobe",
    "SocksPort 127.0.0.1:19050",
    "ControlPort 127.0.0.1:19051",
    "User debian-tor",
    "Log notice stdout",
  ];
  await place(lab, host, { torrc: `${torrc.join("\n")}\n`, "onionprobe.yaml": config, "sites.pem": certificates });
  const waits = "--no-launch_tor --interval 2 --sleep 2";
  await sh(
    lab,
    host,
    `systemd-run --quiet --unit=lab-tor tor --defaults-torrc /dev/null -f ${folder}/torrc
systemd-run --quiet --unit=lab-onionprobe -p Restart=always -p RestartSec=2 -E REQUESTS_CA_BUNDLE=${folder}/sites.pem onionprobe -c ${folder}/onionprobe.yaml ${waits}`,
  );
}

/** Numbers of an exporter, as text; "" while it does not answer. */
export async function scraped(lab: Lab, host: string, url: string): Promise<string> {
  return (await execOn(lab, host, ["curl", "-s", "-f", "-m", "5", url])).text;
}
