// Rules on names of machines that the config chooses: which balancers publish, which workers are listed.
import { type Path, problemAt } from "../place";
import type { Problem } from "../problems";
import { anyOf, nearest } from "../words";
import { type Raw, machinesOf, rawPool } from "./machines";

export type Choice = "publishing" | "listed";

/** Who can be chosen, in words. */
const chosenAre = { publishing: "balancer", listed: "machine that runs backends" } as const;

// A stack may have fifty machines; a few names say what is meant.
const mostShown = 6;

/** Problems of publishing and listed. What cannot be told because the machines are wrong is left out. */
export function choicesRules(raw: Raw): Problem[] {
  return [
    ...choiceRules(raw, "publishing", namesOf(machinesOf(raw, "balancers"))),
    ...choiceRules(raw, "listed", namesOf(rawPool(raw))),
  ];
}

/** The names that a choice of the raw config has, each once; undefined when it is not given, or is not a list of texts. */
export function rawChoice(raw: Raw, choice: Choice): string[] | undefined {
  const given = raw[choice];
  if (!Array.isArray(given) || !given.every((name): name is string => typeof name === "string")) return undefined;
  return [...new Set(given)];
}

/** Problems of one choice among machines; without their names only doubles are told. */
export function choiceRules(raw: Raw, choice: Choice, machines: readonly string[] | undefined): Problem[] {
  const given = raw[choice];
  const seen = new Set<string>();
  return (Array.isArray(given) ? given : []).flatMap((name: unknown, i): Problem[] => {
    if (typeof name !== "string") return [];
    const path: Path = [choice, i];
    if (seen.has(name))
      return [problemAt(raw, path, { message: "The machine is named twice.", next: "Remove one of them." })];
    seen.add(name);
    if (machines === undefined || machines.includes(name)) return [];
    const message = `There is no ${chosenAre[choice]} of this name.`;
    return [problemAt(raw, path, { message, next: nextFor(raw, choice, name, machines) })];
  });
}

function nextFor(raw: Raw, choice: Choice, name: string, machines: readonly string[]): string {
  if (choice === "listed" && namesOf(machinesOf(raw, "balancers"))?.includes(name) === true)
    return `${name} is a balancer only: set workersOnBalancers: true, or remove it here.`;
  const given = rawChoice(raw, choice) ?? [];
  const free = machines.filter((machine) => !given.includes(machine));
  const near = nearest(name, free);
  if (near !== undefined) return `Did you mean ${near}?`;
  const taken = nearest(name, machines);
  if (taken !== undefined) return `${taken} is named already: remove this one.`;
  if (free.length === 0) return "Remove it.";
  const shown = free.length > mostShown ? [...free.slice(0, mostShown), `another of the ${machines.length}`] : free;
  return `Write ${anyOf(shown)}, or remove it.`;
}

/** All names, or undefined when one of the machines has none that can be read. */
function namesOf(machines: readonly { readonly name: string | undefined }[] | undefined): string[] | undefined {
  const names = machines?.map(({ name }) => name);
  return names?.every((name): name is string => name !== undefined) === true ? names : undefined;
}
