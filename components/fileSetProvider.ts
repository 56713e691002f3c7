// The dynamic provider behind FileSet; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";

interface Digest {
  readonly digest: string;
}

/** No `read` and no `delete`: a digest is nowhere but in the state. */
export const fileSetProvider: pulumi.dynamic.ResourceProvider = {
  async diff(_id: string, old: Digest, wanted: Digest) {
    return { changes: old.digest !== wanted.digest };
  },

  async create({ digest }: Digest) {
    return { id: "file-set", outs: { digest } };
  },

  async update(_id: string, _old: Digest, { digest }: Digest) {
    return { outs: { digest } };
  },
};
