// Stacks for tests and for the picture in the README.
import { byName } from "../../plan/order";
import type { Survey } from "../desk/survey";
import { healthy, onion } from "../desk/samples";
import { topologyOfSurvey } from "./fromSurvey";
import { svgOf } from "./svg";

/** The demo's stack (Pulumi.dev.yaml), as `npx softmap status --json` has it when all is well: one balancer, two workers, three sites. */
export function demoSurvey(): Survey {
  const survey = healthy();
  const tips = { project: "news", domain: "tips.test", address: onion("x") };
  const sites = [...survey.sites, tips].sort((a, b) => byName(a.domain, b.domain));
  const machines = survey.machines.map((machine) => {
    if (machine.seen === undefined) return machine;
    const { publisher, tors } = machine.seen;
    const [first] = publisher?.sites ?? [];
    return {
      ...machine,
      seen: {
        ...machine.seen,
        tors: tors.map((tor) =>
          tor.backend === null
            ? tor
            : { ...tor, backend: { ...tor.backend, obConfig: sites.map(({ address }) => address) } },
        ),
        publisher:
          publisher && first
            ? {
                ...publisher,
                sites: [...publisher.sites, { ...structuredClone(first), domain: tips.domain, address: tips.address }],
              }
            : publisher,
      },
    };
  });
  return { ...survey, stack: "organization/softmap/dev", sites, machines };
}

/** The picture in the README, docs/map.svg: what `npx softmap map` draws of the demo's stack. */
export const demoPicture = (): string => svgOf(topologyOfSurvey(demoSurvey()));
