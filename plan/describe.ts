import { count } from "../config/words";
import { describeBudget } from "./budget";
import type { Plan, PlannedHost, PlannedProject } from "./plan";

/** The plan as a short text for people: hosts, projects with their backends and introduction points, what waits for what. */
export function describePlan(plan: Plan): string {
  const balancers = plan.hosts.filter(({ balancer }) => balancer).length;
  const workers = plan.hosts.filter(({ worker }) => worker).length;
  const head = [
    count(plan.hosts.length, "host"),
    `${count(balancers, "balancer")} and ${count(workers, "worker")}`,
    count(plan.projects.length, "project"),
    count(plan.projects.flatMap(({ domains }) => domains).length, "site"),
    count(plan.backends.length, "backend"),
  ].join(", ");
  return [
    `${head}.`,
    table(
      ["HOST", "RUNS", "BACKENDS"],
      plan.hosts.map((host) => hostRow(plan, host)),
    ),
    table(["PROJECT", "SITES", "BACKENDS", "IN EACH DESCRIPTOR"], plan.projects.map(projectRow)),
    order(plan),
  ].join("\n\n");
}

function hostRow(plan: Plan, { name, balancer, worker }: PlannedHost): string[] {
  const runs = [...(balancer ? ["balancer"] : []), ...(worker ? ["worker"] : [])].join(" and ");
  const own = plan.backends.filter((backend) => backend.worker === name);
  return [name, runs, own.length === 0 ? "-" : own.map((backend) => backend.daemon).join(" ")];
}

function projectRow({ name, domains, backends, budget }: PlannedProject): string[] {
  const sum = `${count(budget.workers, "worker")} x ${count(budget.daemons, "daemon")} = ${backends.length}`;
  const shown = domains.length > 3 ? [...domains.slice(0, 3), `and ${domains.length - 3} more`] : domains;
  return [name, shown.join(" "), sum, describeBudget(budget)];
}

function order({ hosts, steps }: Plan): string {
  const waves = (["release", "publish", "retire"] as const).map((kind) => {
    const on = hosts.filter(({ name }) => steps.some((step) => step.kind === kind && step.host === name));
    return `${kind} (${on.map(({ name }) => name).join(", ")})`;
  });
  return `Order: ${waves.join(", then ")}. Each waits for all before it; retire removes only what left the plan.`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return all.map(line).join("\n");
}
