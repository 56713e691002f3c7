// What a picture can be drawn from besides a look at the stack: a saved look, and a config that nobody deployed.
import { parse } from "yaml";
import { z } from "zod";
import { inputFromStackFile } from "../../config/input";
import { parseStackConfig } from "../../config/parse";
import { isRecord } from "../../config/place";
import { ProblemsError } from "../../config/problems";
import { planStack } from "../../plan/plan";
import type { Survey } from "../desk/survey";
import { topologyOfSurvey } from "./fromSurvey";
import { type Topology, topologyOfPlan } from "./topology";

/** A file that nothing can be drawn from. The message says why, and what to do. */
export class SourceError extends Error {}

const text = z.string();
const names = { project: text, address: text };
const list = <T extends z.ZodType>(of: T) => z.array(of);

/** As much of a survey (cli/desk/survey.ts) as a picture looks at. */
const saved = z.looseObject({
  ...{ stack: text, taken: text },
  backends: list(z.looseObject({ ...names, name: text, worker: text })),
  sites: list(z.looseObject({ ...names, domain: text })),
  machines: list(
    z.looseObject({
      name: text,
      error: text.optional(),
      seen: z
        .looseObject({
          roles: list(z.looseObject({ role: text })),
          units: list(z.looseObject({ unit: text, kind: text, project: text.nullable(), planned: text, state: text })),
          tors: list(
            z.looseObject({
              ...{ unit: text, error: text.nullable(), bootstrapped: z.number().nullable(), summary: text.nullable() },
              backend: z.looseObject({ address: text, introductionPoints: z.number() }).nullable(),
            }),
          ),
          proxies: list(
            z.looseObject({
              ...{ project: text, answers: z.boolean() },
              sites: list(z.looseObject({ domain: text, status: z.number().nullable(), error: text.nullable() })),
            }),
          ),
          certificates: list(z.looseObject({ project: text, domain: text, left: z.number() })),
          publisher: z
            .looseObject({
              ...{ standby: z.boolean(), error: text.nullable() },
              sites: list(
                z.looseObject({
                  ...{ domain: text, address: text },
                  backends: list(z.looseObject({ address: text, listed: z.number().nullable() })),
                  published: z
                    .looseObject({ error: text.nullable(), points: z.number(), unknown: z.number() })
                    .nullable(),
                }),
              ),
            })
            .nullable(),
        })
        .optional(),
    }),
  ),
});

/** From what `npx softmap status --json` printed. @throws {SourceError} when it is nothing of that kind */
export function topologyOfSaved(file: string, content: string): Topology {
  const next = "give the file that `npx softmap status --json` was written to.";
  let found: unknown;
  try {
    found = JSON.parse(content);
  } catch {
    throw new SourceError(`${file} is no JSON.\n  Next: ${next}`);
  }
  const checked = saved.safeParse(found);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    throw new SourceError(`${file} is no survey: ${issue?.message ?? "it has another form"}${where}.\n  Next: ${next}`);
  }
  return topologyOfSurvey(checked.data as unknown as Survey);
}

/** From a stack's config file. @throws {SourceError} when it is not right, with every problem of it */
export function topologyOfConfig(file: string, content: string): Topology {
  const next = `npx softmap check ${file} says where.`;
  let found: unknown;
  try {
    found = parse(content);
  } catch (error) {
    throw new SourceError(`${file} is no YAML: ${(error as Error).message.split("\n")[0] ?? ""}\n  Next: ${next}`);
  }
  const config = isRecord(found) ? found["config"] : undefined;
  if (!isRecord(config)) throw new SourceError(`There is no config in ${file}.\n  Next: ${next}`);
  try {
    const { raw, ...names } = inputFromStackFile(config);
    return topologyOfPlan(planStack(parseStackConfig(raw, names)), nameOf(file));
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    throw new SourceError(`${file}: ${error.message}`);
  }
}

/** What a config's stack is called. @example nameOf("stacks/Pulumi.prod.yaml") // "prod" */
const nameOf = (file: string): string => /Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1] ?? file.replace(/^.*\//, "");
