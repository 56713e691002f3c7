import { join } from "node:path";
import { LabError } from "../errors";
import type { Lab } from "../places";
import type { LabStack } from "../pulumi";
import { run } from "../run";

/** What the operator's desk says of the stack. */
export interface Looked {
  /** `npx softmap status`, its lines. */
  readonly status: readonly string[];
  /** The picture that `npx softmap map` made. */
  readonly map: string;
}

/** Looks at the stack as its operator does: a table, and a picture in the lab's folder. What the desk finds wrong stands in them. @throws LabError when it cannot look */
export async function lookAround(lab: Lab, stack: LabStack): Promise<Looked> {
  const desk = async (...words: readonly string[]): Promise<string> => {
    const argv = [process.execPath, "cli/softmap.js", ...words, "--stack", stack.name];
    const { code, text, stderr } = await run(argv, { env: stack.environment, mayFail: true });
    // 1 is a finding, which is printed.
    if (code > 1 || text === "")
      throw new LabError(`softmap ${words.join(" ")} failed:\n${stderr}`, "npx softmap doctor");
    return text;
  };
  const map = join(lab.dir, "map.html");
  const status = await desk("status");
  await desk("map", "--out", map);
  return { status: status.split("\n"), map };
}
