// Findings as text for people.
import { count } from "../../config/words";
import type { Survey } from "../desk/survey";
import { checks } from "./checks";
import { atWork } from "./checks/machines";
import type { Finding } from "./finding";
import { viewOf } from "./view";

/** Findings by severity, each with what follows from it below. */
export function reportText(found: Survey, findings: readonly Finding[]): string {
  const roots = findings.filter((each) => !rootOf(each, findings));
  const red = roots.filter(({ severity }) => severity === "red");
  const amber = roots.filter(({ severity }) => severity === "amber");
  const blocks = [
    ...(red.length > 0 ? [`Red: readers are turned away, or soon will be.\n\n${textsOf(red, findings)}`] : []),
    ...(amber.length > 0 ? [`Amber: to be seen to.\n\n${textsOf(amber, findings)}`] : []),
  ];
  const machines = `${count(found.machines.length, "machine")}, ${count(found.sites.length, "site")}, ${count(checks.length, "check")}`;
  const note = atWork(viewOf(found));
  return [
    `${found.stack}, ${found.taken}: ${machines}`,
    ...(blocks.length > 0 ? blocks : ["Nothing is wrong."]),
    ...(note === undefined ? [] : [note]),
  ].join("\n\n");
}

/** The fault that a finding stands under. */
const rootOf = ({ because }: Finding, findings: readonly Finding[]): Finding | undefined =>
  because === undefined ? undefined : findings.find((other) => other.because === undefined && other.what === because);

function textsOf(roots: readonly Finding[], findings: readonly Finding[]): string {
  return roots
    .map((root) => {
      const after = findings.filter((each) => rootOf(each, findings) === root);
      return [
        `  ${root.what}`,
        `    Next: ${root.next}`,
        `    Page: ${root.page}`,
        ...after.map(({ what }) => `    Follows from it: ${what}`),
      ].join("\n");
    })
    .join("\n\n");
}
