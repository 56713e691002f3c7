// Headers: what the proxy takes away from answers, and adds to requests.
import { z } from "zod";
import { type Fault, text } from "../check";
import { bare, setting } from "../setting";
import { flag, headerValueFault, lineFault, originFault, urlFault } from "../values";

/** Headers that the proxy itself writes, by their names in small letters, and what there is instead. */
const owned: Readonly<Record<string, string>> = Object.fromEntries<string>([
  ...[
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ].map((name): [string, string] => [name, "Remove it."]),
  ["origin", "Use injectOrigin."],
  ["referer", "Use injectReferer."],
  ["x-from-onion", "Use xFromOnionValue."],
  ["x-onion-circuitid", "Use nginxXOnionCircuitId."],
]);

/** What is wrong with the name of a header that is to be added to requests. */
export function headerNameFault(name: string): Fault | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
    const bare = name.trim().replace(/:.*$/, "").replaceAll(/\s+/g, "-");
    return {
      message: "A header's name is made of letters, digits and hyphens.",
      next: /^[A-Za-z0-9-]+$/.test(bare) ? `Write ${bare}.` : "Write it like X-Proxy.",
    };
  }
  const next = owned[name.toLowerCase()];
  return next === undefined ? undefined : { message: "The proxy writes this header itself.", next };
}

/** What is wrong with a value that is sent: an empty one is no header at all. */
function sentValueFault(value: string): Fault | undefined {
  return lineFault(value) ?? headerValueFault(value);
}

const headerName = text(headerNameFault, {
  description: "Name of a header.",
  examples: ["X-Proxy"],
  pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
});
const headerValue = text(sentValueFault, { description: "Value of a header.", examples: ["softmap"] });

export const headers = {
  suppressHeaderCsp: setting(
    flag("Whether Content-Security-Policy and its Report-Only are removed, instead of rewritten.", true),
    false,
  ),
  suppressHeaderHsts: setting(
    flag("Whether Strict-Transport-Security is removed. Without https on the onion it does nothing.", false),
    true,
  ),
  suppressHeaderHpkp: setting(
    flag("Whether Public-Key-Pins and its Report-Only are removed: they are of the web certificate's keys.", false),
    true,
  ),
  xFromOnionValue: setting(
    text(headerValueFault, {
      description:
        "Value of the request header X-From-Onion, by which the site knows the proxy. Empty: it is not sent.",
      examples: ["1", ""],
    }),
    "1",
  ),
  injectHeadersUpstream: setting(
    z.record(headerName, headerValue).meta({
      description: "Headers that every request to the site gets, e.g. one that lets the proxy through its firewall.",
      unit: "name: value",
      examples: [{ "X-Proxy": "softmap" }],
    }),
    {},
  ),
  injectOrigin: bare(
    text(originFault, {
      description: "Origin of every request that has one, instead of the visitor's with the onion rewritten.",
      examples: ["https://www.example.org"],
    }),
  ),
  injectReferer: bare(
    text(urlFault, {
      description: "Referer of every request that has one, instead of the visitor's with the onion rewritten.",
      examples: ["https://www.example.org/"],
    }),
  ),
};
