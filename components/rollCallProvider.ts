// The dynamic provider behind RollCall; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";

/** A host that did not answer. */
export interface SilentHost {
  /** The host's name. */
  readonly host: string;
  /** What should have been done there is of this component. */
  readonly component: string;
  /** Why it counts as dead, see Installation. */
  readonly why: string;
}

interface Call {
  readonly silent: readonly SilentHost[];
}

function report(silent: readonly SilentHost[]): string {
  const hosts = new Set(silent.map(({ host }) => host));
  const many = hosts.size > 1;
  const them = many ? "them" : "it";
  const lines = silent.map(({ host, component, why }) => `  ${host}: ${why}. Nothing was done there for ${component}.`);
  return [
    `${many ? `${hosts.size} hosts` : [...hosts].join("")} did not answer and ${many ? "were" : "was"} left out; all others are done.`,
    ...lines,
    `  Next: start ${them} and run \`pulumi up\` again, or remove ${them} from balancers and workers in the config.`,
  ].join("\n");
}

/** Of an error at create and update the dynamic provider's host sends the message alone. */
async function answer({ silent }: Call): Promise<{ outs: Call }> {
  if (silent.length > 0) throw new Error(report(silent));
  return { outs: { silent } };
}

/** One object for all roll calls. It fails where resources are made, so never in a preview. */
export const rollCallProvider: pulumi.dynamic.ResourceProvider = {
  async diff(_id: string, old: Call, wanted: Call) {
    // What is not known yet is no list and no change: else every preview of anything would have this one, and `up` rarely.
    if (!Array.isArray(wanted.silent)) return { changes: false };
    return { changes: wanted.silent.length > 0 || JSON.stringify(old.silent) !== JSON.stringify(wanted.silent) };
  },

  async create(call: Call) {
    return { id: "roll-call", ...(await answer(call)) };
  },

  async update(_id: string, _old: Call, wanted: Call) {
    return answer(wanted);
  },
};
