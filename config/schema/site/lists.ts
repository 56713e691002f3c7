// Lists of what is refused: politely (403 with a text), or by ending the request.
import { z } from "zod";
import { type Fault, text, whole } from "../check";
import { regex } from "../regex";
import { setting } from "../setting";
import { bodyFault, lineFault, list, pathFault } from "../values";

const exact = (check: (value: string) => Fault | undefined, example: string) =>
  text(check, { description: "The whole text; capitals count.", examples: [example] });

/** What of a request is looked at: in words, a text of it and a regular expression. */
interface Subject {
  readonly what: string;
  readonly check: (value: string) => Fault | undefined;
  readonly text: string;
  readonly regex: string;
}

const host: Subject = {
  what: "the host, as the visitor asks for it (the onion one)",
  check: lineFault,
  text: "admin.example.onion",
  regex: "^admin[.]",
};
const origin: Subject = {
  what: "the Origin header",
  check: lineFault,
  text: "https://evil.example",
  regex: "evil[.]example$",
};
const path: Subject = { what: "the path, decoded", check: pathFault, text: "/wp-login.php", regex: "^/admin(/|$)" };
const location: Subject = { ...path, what: "the path, decoded; Onionspray's older name for blockPath" };
const referer: Subject = {
  what: "the Referer header",
  check: lineFault,
  text: "https://evil.example/",
  regex: "evil[.]example/",
};
const userAgent: Subject = { what: "the User-Agent header", check: lineFault, text: "BadBot/1.0", regex: "badbot" };

const does = {
  block: (what: string) => `Requests that have one of these are refused politely, 403 with blockErr: ${what}.`,
  blacklist: (what: string) => `Requests that have one of these get nginxActionAbort: ${what}.`,
  whitelist: (what: string) => `Where it is not empty, requests that have none of these get nginxActionAbort: ${what}.`,
};
type Kind = keyof typeof does;

function texts(kind: Kind, { what, check, text: example }: Subject) {
  return setting(
    list(exact(check, example), { description: does[kind](what), unit: "texts", examples: [[example]] }),
    [],
  );
}

function expressions(kind: Kind, { what, regex: example }: Subject) {
  return setting(
    list(regex, { description: does[kind](what), unit: "regular expressions", examples: [[example]] }),
    [],
  );
}

const name = text(lineFault, { description: "Name of the argument.", examples: ["action"] });
const argument = "an argument of the query, by its name and";

function params(kind: Kind) {
  const entry = { name: "action", value: "delete" };
  const param = z
    .strictObject({ name, value: exact(lineFault, entry.value) })
    .meta({ title: "QueryArgument", description: "An argument of the query, by its value.", examples: [entry] });
  return setting(list(param, { description: does[kind](`${argument} its whole value`), examples: [[entry]] }), []);
}

function paramExpressions(kind: Kind) {
  const entry = { name: "action", value: "^delete" };
  const param = z.strictObject({ name, value: regex }).meta({
    title: "QueryArgumentRegex",
    description: "An argument of the query, by a regular expression for its value.",
    examples: [entry],
  });
  const description = does[kind](`${argument} a regular expression for its value`);
  return setting(list(param, { description, examples: [[entry]] }), []);
}

export const lists = {
  blockHost: texts("block", host),
  blockHostRe: expressions("block", host),
  blockOrigin: texts("block", origin),
  blockOriginRe: expressions("block", origin),
  blockReferer: texts("block", referer),
  blockRefererRe: expressions("block", referer),
  blockUserAgent: texts("block", userAgent),
  blockUserAgentRe: expressions("block", userAgent),
  blockPath: texts("block", path),
  blockPathRe: expressions("block", path),
  blockLocation: texts("block", location),
  blockLocationRe: expressions("block", location),
  blockParam: params("block"),
  blockParamRe: paramExpressions("block"),
  blockErr: setting(
    text(bodyFault, {
      description: "The text of a polite refusal.",
      examples: ["Please use our site on the web for this."],
    }),
    "This action is not supported over Onion yet, sorry.",
  ),
  userAgentBlacklist: texts("blacklist", userAgent),
  userAgentBlacklistRe: expressions("blacklist", userAgent),
  refererBlacklist: texts("blacklist", referer),
  refererBlacklistRe: expressions("blacklist", referer),
  originBlacklist: texts("blacklist", origin),
  originBlacklistRe: expressions("blacklist", origin),
  hostBlacklist: texts("blacklist", host),
  hostBlacklistRe: expressions("blacklist", host),
  pathBlacklist: texts("blacklist", path),
  pathBlacklistRe: expressions("blacklist", path),
  paramBlacklist: params("blacklist"),
  paramBlacklistRe: paramExpressions("blacklist"),
  userAgentWhitelist: texts("whitelist", userAgent),
  userAgentWhitelistRe: expressions("whitelist", userAgent),
  refererWhitelist: texts("whitelist", referer),
  refererWhitelistRe: expressions("whitelist", referer),
  originWhitelist: texts("whitelist", origin),
  originWhitelistRe: expressions("whitelist", origin),
  hostWhitelist: texts("whitelist", host),
  hostWhitelistRe: expressions("whitelist", host),
  pathWhitelist: texts("whitelist", path),
  pathWhitelistRe: expressions("whitelist", path),
  paramWhitelist: params("whitelist"),
  paramWhitelistRe: paramExpressions("whitelist"),
  nginxActionAbort: setting(
    whole(400, 599, "it is the status of a refusal", {
      description:
        "Status of what blacklists, whitelists and the cookie lock refuse. 444 closes the connection instead.",
      unit: "HTTP status",
      examples: [403, 444],
    }),
    500,
  ),
};
