import { formatDuration } from "../config/duration";
import { count } from "../config/words";
import { describeBudget } from "./budget";
import type { Plan, PlannedHost, PlannedProject } from "./plan";
import type { PublisherChoice } from "./publisher";

/**
 * The plan as a short text for people: hosts, projects with their backends and introduction points, what waits for what.
 * No generation is in it: who plans without tor's unit text has not the one that hosts will have.
 */
export function describePlan(plan: Plan): string {
  const balancers = plan.hosts.filter(({ balancer }) => balancer).length;
  const workers = plan.hosts.filter(({ worker }) => worker).length;
  const listed = plan.backends.filter(({ listed }) => listed).length;
  const head = [
    count(plan.hosts.length, "host"),
    `${count(balancers, "balancer")} and ${count(workers, "worker")}`,
    count(plan.projects.length, "project"),
    count(plan.projects.flatMap(({ domains }) => domains).length, "site"),
    `${count(plan.backends.length, "backend")}${listed < plan.backends.length ? ` (${listed} listed)` : ""}`,
  ].join(", ");
  return [
    `${head}.`,
    table(
      ["HOST", "RUNS", "BACKENDS"],
      plan.hosts.map((host) => hostRow(plan, host)),
    ),
    table(
      ["PROJECT", "SITES", "BACKENDS", "IN EACH DESCRIPTOR"],
      plan.projects.map((project) => projectRow(plan, project)),
    ),
    describePublisher(plan.publisher),
    table(["STEP", "ON"], stepRows(plan)),
    order(plan),
    ...plan.advice,
    ...(plan.cost === undefined ? [] : [plan.cost]),
  ].join("\n\n");
}

function hostRow(plan: Plan, { name, balancer, publishes, worker, listed }: PlannedHost): string[] {
  const runs = [
    ...(balancer ? [`balancer${publishes ? "" : " (stands by)"}`] : []),
    ...(worker ? [`worker${listed ? "" : " (not listed)"}`] : []),
  ].join(" and ");
  const own = plan.backends.filter((backend) => backend.worker === name);
  return [name, runs, own.length === 0 ? "-" : own.map(({ project, index }) => `${project}-${index}`).join(" ")];
}

function projectRow({ hosts }: Plan, { name, domains, budget }: PlannedProject): string[] {
  const all = hosts.filter(({ worker }) => worker).length === budget.workers;
  const workers = count(budget.workers, all ? "worker" : "listed worker");
  const sum = `${workers} x ${count(budget.daemons, "daemon")} = ${budget.backends}`;
  const shown = domains.length > 3 ? [...domains.slice(0, 3), `and ${domains.length - 3} more`] : domains;
  return [name, shown.join(" "), sum, describeBudget(budget)];
}

const made = { onionbalance: "Onionbalance's own descriptors", distinct: "distinct descriptors" } as const;

/** Which publisher it will be and why, a sentence. */
export function describePublisher({ mode, why }: PublisherChoice): string {
  return `Publisher: ${made[mode]}, because ${why}.`;
}

/** The steps by kind, in their order; the releases of workers by wave. */
function stepRows({ hosts, steps, waves, rollout }: Plan): string[][] {
  const on = (kind: string): string[] =>
    hosts.map(({ name }) => name).filter((name) => steps.some((step) => step.kind === kind && step.host === name));
  const releases = waves.map((wave, i) => [
    `release, wave ${i + 1}${i === 0 && rollout.canary > 0 ? " (canary)" : ""}`,
    wave.join(" "),
  ]);
  const balancers = hosts.flatMap(({ balancer, name }) => (balancer ? name : [])).join(" ");
  const standby = on("standby");
  return [
    ...releases,
    ["release of balancers", balancers],
    ["publish", on("publish").join(" ")],
    ...(standby.length === 0 ? [] : [["stand by", standby.join(" ")]]),
    ["retire", on("retire").join(" ")],
  ];
}

function order({ waves, rollout }: Plan): string {
  const watched = waves.length > 1 && rollout.pause > 0;
  return [
    "Each step waits for those above it; only the release of balancers runs beside the waves.",
    ...(waves.length > 1 ? ["A release that fails stops the waves after it."] : []),
    ...(watched ? [`Each wave is watched for ${formatDuration(rollout.pause)} before the next.`] : []),
    "Retire removes only what left the plan.",
  ].join(" ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return all.map(line).join("\n");
}
