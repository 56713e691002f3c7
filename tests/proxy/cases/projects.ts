import { html, onionOf, type Case, type Group } from "./case";

const HOME = "home.example.com";
const MAILS = "mails.example.com";
const SRI = "sri.example.com";
const MORE = "moretypes.example.com";
const H = onionOf(HOME);
const M = onionOf(MAILS);
const S = onionOf(SRI);
const FRIEND = onionOf("friend.example.net");
const FRIEND_CDN = onionOf("cdn.friend.example.net");

const maps = (name: string, from: string, to: string): Case => ({
  name: `foreignMaps and preserve: ${name}`,
  project: "maps",
  site: HOME,
  origin: html(from),
  get: { body: to },
});

const mails = (name: string, from: string, to: string): Case => ({
  name: `onionifyEmails: ${name}`,
  project: "mails",
  site: MAILS,
  origin: html(from),
  get: { body: to },
});

const sri = (name: string, from: string, to: string | RegExp, type = "text/html"): Case => ({
  name: `kludgeDisableSri: ${name}`,
  site: SRI,
  origin: html(from, { "Content-Type": type }),
  get: { body: to },
});

const typed = (type: string, rewritten: boolean): Case => ({
  name: `extraSubsFilterTypes: ${type}: ${rewritten ? "rewritten" : "as it is"}`,
  site: MORE,
  origin: html(`https://${MORE}/`, { "Content-Type": type }),
  get: { body: rewritten ? `http://${onionOf(MORE)}/` : `https://${MORE}/` },
});

export const projects: Group = {
  title: "projects",
  sites: [
    { domain: SRI, kludgeDisableSri: true },
    { domain: MORE, extraSubsFilterTypes: ["text/plain", "text/markdown"] },
  ],
  projects: [
    {
      project: "maps",
      sites: [{ domain: HOME }],
      foreignMaps: [
        { onion: FRIEND, domain: "friend.example.net" },
        { onion: FRIEND_CDN, domain: "cdn.friend.example.net" },
      ],
      preserve: ["press.home.example.com", "About home.example.com:"],
    },
    { project: "mails", sites: [{ domain: MAILS }], onionifyEmails: true },
  ],
  cases: [
    maps(
      "a foreign link keeps its scheme",
      "https://friend.example.net/a http://friend.example.net/",
      `https://${FRIEND}/a http://${FRIEND}/`,
    ),
    maps(
      "the longer foreign name wins",
      "//cdn.friend.example.net/ //x.friend.example.net/",
      `//${FRIEND_CDN}/ //x.${FRIEND}/`,
    ),
    maps("the own name beside it", `https://${HOME}/ //friend.example.net`, `http://${H}/ //${FRIEND}`),
    maps("escaped", "friend\\.example\\.net", FRIEND.replace(".", "\\.")),
    maps("a preserved text", "see press.home.example.com and home.example.com", `see press.home.example.com and ${H}`),
    maps("a preserved text with blanks", `About home.example.com: home.example.com`, `About home.example.com: ${H}`),
    {
      name: "foreignMaps: headers too",
      project: "maps",
      site: HOME,
      origin: html("", {
        Location: "https://friend.example.net/",
        "Content-Security-Policy": "img-src friend.example.net",
      }),
      get: { headers: { Location: `https://${FRIEND}/`, "Content-Security-Policy": `img-src ${FRIEND}` } },
    },
    {
      name: "foreignMaps: a link of theirs goes up as their domain",
      project: "maps",
      site: HOME,
      send: { path: `/?u=https://${FRIEND}/`, headers: { Referer: `https://${FRIEND}/` } },
      asked: { line: "GET /?u=https://friend.example.net/", headers: { Referer: "https://friend.example.net/" } },
    },
    {
      name: "foreignMaps: their onion is not served here",
      project: "maps",
      site: HOME,
      send: { host: FRIEND },
      get: { status: 421 },
      asked: null,
    },
    {
      name: "a site of another project is not served here",
      project: "maps",
      site: MAILS,
      get: { status: 421 },
      asked: null,
    },
    {
      name: "a site of another project is not rewritten here",
      project: "maps",
      site: HOME,
      origin: html(`https://${MAILS}/`),
      get: { body: `https://${MAILS}/` },
    },
    mails("an e-mail's domain", `a@${MAILS} mailto:b@${MAILS}`, `a@${M} mailto:b@${M}`),
    mails("a link as always", `https://${MAILS}/`, `http://${M}/`),
    sri(
      "integrity is another attribute",
      `<script src="https://${SRI}/a.js" integrity="sha384-abc">`,
      new RegExp(`^<script src="http://${S}/a.js" \\S+integrity="sha384-abc">$`),
    ),
    sri("in single quotes", `<link integrity='sha256-abc'>`, /^<link \S+integrity='sha256-abc'>$/),
    sri("in capitals", `<link INTEGRITY="sha256-abc">`, /^<link \S+integrity="sha256-abc">$/i),
    sri("not in a script", `x.integrity="sha256-abc"`, `x.integrity="sha256-abc"`, "text/javascript"),
    {
      name: "without kludgeDisableSri integrity stays",
      origin: html('<script integrity="sha384-abc">'),
      get: { body: '<script integrity="sha384-abc">' },
    },
    typed("text/plain", true),
    typed("text/plain; charset=utf-8", true),
    typed("text/markdown", true),
    typed("text/csv", false),
    typed("text/html", true),
  ],
};
