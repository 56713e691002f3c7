// The dynamic provider behind Gate; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";

interface Gated {
  readonly of: readonly string[];
}

/** No `read` and no `delete`: a gate is nowhere but in the state. */
export const gateProvider: pulumi.dynamic.ResourceProvider = {
  async diff(_id: string, old: Gated, wanted: Gated) {
    return { changes: JSON.stringify(old.of) !== JSON.stringify(wanted.of) };
  },

  async create({ of }: Gated) {
    return { id: "gate", outs: { of } };
  },

  async update(_id: string, _old: Gated, { of }: Gated) {
    return { outs: { of } };
  },
};
