import { siteKeyFile } from "../plan/names";
import { onionName, yaml } from "./quote";
import type { Template } from "./template";

/** Onionbalance's config.yaml: every frontend with its key and its backends. */
export interface OnionbalanceModel {
  readonly services: readonly {
    /** The frontend's address, with .onion. */
    readonly address: string;
    readonly domain: string;
    readonly backends: readonly { readonly address: string; readonly name: string }[];
  }[];
}

export const onionbalance: Template<OnionbalanceModel> = {
  language: yaml,
  sources: ["onionbalance"],
  title: () => "Onionbalance's config.yaml",
  locals: ({ services }) => ({
    services: services.map(({ address, domain, backends }) => ({
      domain,
      key: siteKeyFile(onionName(address)),
      instances: backends.map(({ address: backend, name }) => ({ address: onionName(backend), name })),
    })),
  }),
};
