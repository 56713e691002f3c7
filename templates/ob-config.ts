import { torrc } from "./quote";
import type { Template } from "./template";

/** tor's ob_config: the frontends that a backend answers for. */
export interface ObConfigModel {
  /** Addresses with .onion. Order means nothing: they are written sorted. */
  readonly frontends: readonly string[];
}

export const obConfig: Template<ObConfigModel> = {
  language: torrc,
  sources: ["ob-config"],
  title: () => "ob_config",
  locals: ({ frontends }) => ({ addresses: [...new Set(frontends)].sort() }),
};
