// The dynamic providers behind FileSet and Gate; the state has their names alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";

type Props = Readonly<Record<string, unknown>>;

/** A provider of one property that is nowhere but in the state: another value is a change. No `read` and no `delete`. */
function held(id: string, property: string): pulumi.dynamic.ResourceProvider {
  const outs = (props: Props): Props => ({ [property]: props[property] });
  return {
    async diff(_id: string, old: Props, wanted: Props) {
      return { changes: JSON.stringify(old[property]) !== JSON.stringify(wanted[property]) };
    },

    async create(props: Props) {
      return { id, outs: outs(props) };
    },

    async update(_id: string, _old: Props, props: Props) {
      return { outs: outs(props) };
    },
  };
}

export const fileSetProvider = held("file-set", "digest");
export const gateProvider = held("gate", "of");
