import { siteKeyFile } from "../plan/names";
import { onionName, yaml } from "./quote";
import type { Template } from "./template";

/** Onionbalance's config.yaml: every frontend with its key and its backends. */
export interface OnionbalanceModel {
  /** Sites that share backends. These are written once and meant by all: 100 sites with 60 backends were a text of 660 kB. */
  readonly projects: readonly {
    readonly sites: readonly {
      /** The frontend's address, with .onion. */
      readonly address: string;
      readonly domain: string;
    }[];
    readonly backends: readonly { readonly address: string; readonly name: string }[];
  }[];
}

export const onionbalance: Template<OnionbalanceModel> = {
  language: yaml,
  sources: ["onionbalance"],
  title: () => "Onionbalance's config.yaml",
  locals: ({ projects }) => ({
    projects: projects.map(({ sites, backends }, at) => ({
      number: at + 1,
      sites: sites.map(({ address, domain }) => ({ domain, key: siteKeyFile(onionName(address)) })),
      instances: backends.map(({ address, name }) => ({ address: onionName(address), name })),
    })),
  }),
};
