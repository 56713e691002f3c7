// Requests that the proxy answers itself: redirects, its own pages, the cookie lock, whole methods.
import { z } from "zod";
import { type Fault, text } from "../check";
import { regex } from "../regex";
import { bare, setting } from "../setting";
import { bodyFault, choice, flag, list, ownPathFault, urlFault } from "../values";

const match = regex;
const code = choice([301, 302, 303, 307, 308], {
  description: "Status of the answer: 301 and 308 are kept by browsers, 307 and 308 keep the method.",
  examples: [307],
});
const target = (fault: (url: string) => Fault | undefined, description: string) =>
  text(fault, { description, examples: ["https://join.example.org"], pattern: "^[Hh][Tt][Tt][Pp][Ss]?://" });

/** What is wrong with a target that the request's own path and query are appended to. */
export function prefixFault(url: string): Fault | undefined {
  const fault = urlFault(url);
  if (fault) return fault;
  if (/[?#]/.test(url)) {
    return {
      message: "The request's path is appended to it, so it has no query and no fragment.",
      next: "Remove what begins with ? or #, or use the fixed form of the redirect.",
    };
  }
  if (!url.endsWith("/")) return undefined;
  return {
    message: "The request's path is appended to it, and begins with / itself.",
    next: `Write ${url.replace(/\/+$/, "")}.`,
  };
}

function redirects(what: string, fixed: boolean) {
  const fault = fixed ? urlFault : prefixFault;
  const appended = fixed ? "" : "; the request's path and query are appended";
  const to = target(
    fault,
    "Where to, an absolute URL; the request's path and query are appended unless the redirect is a fixed one.",
  );
  const example = fixed
    ? { match: "^/old(/|$)", code: 307, to: "https://www.example.org/new" }
    : { match: "^join[.]", code: 307, to: "https://join.example.org" };
  const entry = z
    .strictObject({ match, code, to })
    .meta({ title: "Redirect", description: "A redirect; the first that matches counts.", examples: [example] });
  return setting(
    list(entry, {
      description: `Redirects by the request's ${what}${appended}. The target is sent as it is, never rewritten.`,
      examples: [[example]],
    }),
    [],
  );
}

const body = (description: string, example: string) => text(bodyFault, { description, examples: [example] });
const ownPath = (description: string, example: string) =>
  text(ownPathFault, { description, examples: [example], pattern: "^/" });

export const requests = {
  redirectHost: redirects("host, the onion one", false),
  redirectPath: redirects("path", false),
  redirectFixedHost: redirects("host, the onion one", true),
  redirectFixedPath: redirects("path", true),
  cookieLock: bare(
    ownPath(
      "A path that opens the site: who has not been there in the last seven days gets nginxActionAbort for everything else.",
      "/enter-with-4711",
    ),
  ),
  nginxHelloOnion: setting(
    flag("Whether /hello-onion/ is answered by the worker itself, to see that the way to it works.", false),
    true,
  ),
  sslProof: setting(
    list(
      z
        .strictObject({
          path: ownPath("What the path begins with.", "/.well-known/pki-validation/"),
          text: body("The answer.", "4d0a..."),
        })
        .meta({
          title: "Proof",
          description: "A proof: what begins with this path has this answer.",
          examples: [{ path: "/.well-known/pki-validation/x.txt", text: "4d0a..." }],
        }),
      {
        description:
          "Answers that prove to a certificate authority whose address it is, on http and https, before any redirect.",
        examples: [[{ path: "/.well-known/pki-validation/x.txt", text: "4d0a..." }]],
      },
    ),
    [],
  ),
  hardcodedEndpoint: setting(
    list(
      z.strictObject({ path: regex, text: body("The answer.", "User-agent: *\nDisallow: /") }).meta({
        title: "Endpoint",
        description: "An answer of the worker itself.",
        examples: [{ path: "^/robots[.]txt$", text: "User-agent: *\nDisallow: /" }],
      }),
      {
        description: "Answers that the worker gives itself, by the request's path, as text.",
        examples: [[{ path: "^/robots[.]txt$", text: "User-agent: *\nDisallow: /" }]],
      },
    ),
    [],
  ),
  suppressMethodsExceptGet: setting(
    flag("Whether every method but GET and HEAD is answered with 405: a site to read, not to write.", true),
    false,
  ),
  suppressTor2web: setting(
    flag("Whether requests that come by a tor2web gateway (X-Tor2Web) are refused: it reads along.", false),
    true,
  ),
};
