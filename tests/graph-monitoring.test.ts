// Monitored machines in the resource graph: an exporter on each, of a role of its own; and nothing of it, nowhere, where they are not monitored.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { checks } from "../cli/doctor/checks";
import { LocalHost, SoftmapProject, Workers, type BaseArgs } from "../components";
import { metricsFile } from "../host/program";
import { torMetrics } from "../plan/metrics";
import { metricsFiles, metricsText, units } from "../plan/names";
import { AwsGraph } from "./awsKit";
import { payloadIn } from "./graphKit";
import { mockEngine, type Registered } from "./mocks";

/** A program with one machine that runs one project. */
async function program(args: BaseArgs): Promise<readonly Registered[]> {
  const engine = await mockEngine();
  const host = new LocalHost("here", { base: true, firewall: true, ...args });
  const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org" }], softmapTorWorkers: 2 });
  new Workers("workers", { hosts: host.workers, projects: [news] });
  await engine.settled();
  return engine.resources;
}

const named = (resources: readonly Registered[], name: string) =>
  resources.find((one) => one.name === name) ?? assert.fail(`${name} is missing`);
const textsOf = (resources: readonly Registered[]) =>
  Object.fromEntries(
    resources.flatMap(({ type, name, inputs }) =>
      // Each run of the mock engine makes keys of its own.
      type.endsWith(":RenderedConfig") ? [[name, String(inputs["text"]).replaceAll(/[a-z2-7]{56}\b/g, "ADDRESS")]] : [],
    ),
  );

describe("a monitored machine", () => {
  let off: readonly Registered[];
  let on: readonly Registered[];
  before(async () => {
    off = await program({});
    on = await program({ monitoring: { port: 9552, from: ["10.0.0.0/8"] } });
  });

  test("not monitored, nothing says so: the same resources, the same files", () => {
    assert.deepEqual(
      off.map(({ name }) => name).filter((name) => /metrics|monitor/.test(name)),
      [],
    );
    for (const [name, text] of Object.entries(textsOf(off)))
      assert.doesNotMatch(text, /9552|MetricsPort|stub_status/, name);
  });

  test("the same backends with the same keys and units: no new generation, and no restart", () => {
    const kept = (resources: readonly Registered[]) =>
      resources.flatMap(({ type, name }) => (type.endsWith(":OnionKey") ? [name] : [])).sort();
    assert.deepEqual(kept(on), kept(off));
    const [without, withIt] = [textsOf(off), textsOf(on)];
    const changed = Object.keys(without).filter((name) => without[name] !== withIt[name]);
    assert.deepEqual(changed.map((name) => name.replace(/-[0-9a-f]{4}-/, "-")).sort(), [
      "here-base-firewall",
      "workers-news-1-torrc",
      "workers-news-2-torrc",
      "workers-news-nginx",
    ]);
    const services = (resources: readonly Registered[]) =>
      payloadIn(named(resources, "workers-here-release").inputs["stdin"]).services;
    assert.deepEqual(services(on), services(off));
  });

  test("each tor counts at a place of its own", () => {
    const texts = Object.entries(textsOf(on)).filter(([name]) => name.endsWith("-torrc"));
    assert.equal(texts.length, 2);
    for (const [name, text] of texts) {
      const daemon = name.slice("workers-".length, -"-torrc".length);
      assert.ok(text.includes(`\nMetricsPort ${torMetrics(daemon)}\n`), text);
    }
  });

  test("the exporter is a role of its own, waits for the base, holds no key, and its end takes it away", () => {
    const step = named(on, "here-metrics-here-release");
    const { role, owner, files = [], state, services = [], users, packages } = payloadIn(step.inputs["stdin"]);
    assert.deepEqual([role, owner, state, users, packages], ["metrics", "here-metrics on here", [], [], []]);
    assert.deepEqual(files.map(({ path }) => path).sort(), Object.values(metricsFiles).sort());
    assert.deepEqual(
      services.map(({ unit, restartOn }) => [unit, restartOn]),
      [
        [units.metricsCollect, [metricsFiles.program]],
        [units.metrics, [metricsFiles.program]],
      ],
    );
    assert.ok(step.waitsFor.includes("here-here-base"), step.waitsFor.join());
    assert.deepEqual(payloadIn(named(on, "here-metrics-here").inputs["leave"]).roles, ["metrics"]);
    const waiting = on.filter(({ waitsFor }) => waitsFor.some((name) => name.startsWith("here-metrics")));
    assert.deepEqual(
      waiting.map(({ name }) => name).filter((name) => !name.startsWith("here-metrics")),
      [],
      "nothing else waits for it",
    );
  });

  test("what is wrong with it is told before anything is made", async () => {
    await mockEngine();
    const wrong = { port: 9552, from: ["0.0.0.0/0"] };
    assert.throws(() => new LocalHost("here", { monitoring: wrong }), pulumi.RunError);
    assert.throws(
      () => new LocalHost("here", { openPorts: [9552], monitoring: { port: 9552, from: [] } }),
      /openPorts of hosts lets everybody in/,
    );
  });
});

const python = (script: string, input: string): string => {
  const { status, stdout, stderr } = spawnSync("python3", ["-I", "-c", script], { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
};

describe("monitored machines in AWS", () => {
  test("who may fetch the machines' numbers: their networks alone, and nobody where none is named", async () => {
    const from = ["10.20.0.0/16", "2001:db8:7::/48", "10.20.0.0/16"];
    const graph = await AwsGraph.of({ monitoring: { port: 9552, from }, base: false });
    assert.deepEqual(graph.names("IngressRule"), [
      "metrics-from-10-20-0-0-16",
      "metrics-from-2001-db8-7---48",
      "ssh-from-203-0-113-0-24",
    ]);
    const { cidrIpv4, ipProtocol, fromPort, toPort } = graph.named("hosts-metrics-from-10-20-0-0-16").inputs;
    assert.deepEqual([cidrIpv4, ipProtocol, fromPort, toPort], ["10.20.0.0/16", "tcp", 9552, 9552]);
    const loopback = await AwsGraph.of({ monitoring: { port: 9552, from: [] }, base: false });
    assert.deepEqual(loopback.names("IngressRule"), ["ssh-from-203-0-113-0-24"]);
    await assert.rejects(
      AwsGraph.of({ monitoring: { port: 9552, from: ["0.0.0.0/0"] }, base: false }),
      /This is everybody: the whole Internet would read/,
    );
  });
});

/** Every family of the exporter, by host/metrics_page.py. */
const families = Object.keys(
  JSON.parse(
    python("import json, sys; scope = {}; exec(sys.stdin.read(), scope); print(json.dumps(scope['FAMILIES']))", page()),
  ) as object,
);

function page(): string {
  return readFileSync("host/metrics_page.py", "utf8");
}

/** Names of metrics in an expression of Prometheus. */
const metricsIn = (expr: string): string[] => expr.match(/\b(?:softmap|tor)_[a-z0-9_]+/g) ?? [];
/** What a tor counts is its own; these are passed on (host/metrics_sources.py). */
const known = (name: string): boolean => families.includes(name) || /^tor_(hs|bug|relay_traffic)_/.test(name);

describe("what is shipped for Prometheus", () => {
  test("the program on the machine compiles, and knows the file that its units share", () => {
    python("import sys; compile(sys.stdin.read(), 'metrics.py', 'exec')", metricsFile());
    assert.ok(readFileSync("host/metrics.py", "utf8").includes(`TEXT = "${metricsText}"`));
  });

  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly labels: { readonly severity: string };
    readonly annotations: Readonly<Record<"summary" | "description" | "runbook", string>>;
  }
  const { groups } = parse(readFileSync("monitoring/alerts.yml", "utf8")) as { groups: { rules: Rule[] }[] };
  const rules = groups.flatMap(({ rules: all }) => all);

  test("each alert asks for what is told, and names a page of the doctor", () => {
    assert.ok(rules.length > 10);
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
    const pages = checks.map(({ name }) => `docs/doctor/${name}.md`);
    for (const { alert, expr, labels, annotations } of rules) {
      assert.match(alert, /^Softmap[A-Z]/);
      for (const name of metricsIn(expr)) assert.ok(known(name), `${alert}: ${name}`);
      assert.match(labels.severity, /^(critical|warning)$/, alert);
      assert.ok(pages.includes(annotations.runbook), `${alert}: ${annotations.runbook}`);
      assert.ok(annotations.summary.length > 10 && annotations.description.length > 10, alert);
    }
  });

  test("each alert has a test of promtool that it fires", () => {
    const text = readFileSync("monitoring/alerts.test.yml", "utf8");
    for (const { alert } of rules) assert.ok(text.includes(alert), alert);
  });

  test("the dashboard's queries ask for what is told", () => {
    const dashboard = JSON.parse(readFileSync("monitoring/grafana.json", "utf8")) as {
      readonly panels: readonly { title: string; targets?: readonly { expr: string }[] }[];
    };
    const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    assert.ok(queries.length > 10);
    for (const expr of queries) {
      assert.ok(/\bup\b|ALERTS/.test(expr) || metricsIn(expr).length > 0, expr);
      for (const name of metricsIn(expr)) assert.ok(known(name), `${expr}: ${name}`);
    }
  });

  test("docs/monitoring.md has every name", () => {
    const docs = readFileSync(join("docs", "monitoring.md"), "utf8");
    for (const name of families) assert.ok(docs.includes(`\`${name}\``), name);
    for (const { alert } of rules) assert.ok(docs.includes(`\`${alert}\``), alert);
  });
});
