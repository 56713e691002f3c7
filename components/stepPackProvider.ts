// The dynamic provider behind StepPack. It travels in the state: see onionKeyProvider.ts.
import type * as pulumi from "@pulumi/pulumi";

interface Wanted {
  readonly pack: string;
  readonly program: string;
}

/** Where the process of the dynamic providers keeps what `check` was given, by the pack's name; installationProvider.ts takes it from there. */
export interface PackKeeper {
  softmapPacks?: Record<string, string>;
}

/**
 * `check` keeps the program for this process and drops it: some 100 kB that neither the state nor a diff should have. All dynamic resources of an
 * update are in one process, and the engine checks each resource before it makes or changes any that waits for it.
 */
export const stepPackProvider: pulumi.dynamic.ResourceProvider = {
  async check(_olds: unknown, { pack, program }: Wanted) {
    const keeper = globalThis as PackKeeper;
    keeper.softmapPacks = { ...keeper.softmapPacks, [pack]: program };
    return { inputs: { pack } };
  },

  async diff(_id: string, old: { pack: string }, wanted: { pack: string }) {
    return { changes: old.pack !== wanted.pack };
  },

  async create({ pack }: { pack: string }) {
    return { id: "step-pack", outs: { pack } };
  },

  async update(_id: string, _old: unknown, { pack }: { pack: string }) {
    return { outs: { pack } };
  },
};
