import {
  CDN,
  NET,
  O,
  OCDN,
  ONET,
  OTLS,
  TLS,
  WWW,
  answer,
  head,
  html,
  onionOf,
  type Case,
  type Group,
  type Wanted,
} from "./case";

const KEEPS = "keeps.example.com";
const NOCSP = "nocsp.example.com";
const KEEPS_TLS = "keeps-tls.example.com";

type Value = string | readonly string[];
type Row = readonly [header: string, from: Value, to: Wanted];
const link = `https://${WWW}/a`;
const linkTo = `http://${O}/a`;

// Plain http, no settings.
const rows: readonly Row[] = [
  [
    "Content-Security-Policy",
    `default-src 'self' ${WWW} *.${WWW} https://${CDN}`,
    `default-src 'self' ${O} *.${O} http://${OCDN}`,
  ],
  ["Content-Security-Policy", [`img-src ${WWW}`, `font-src ${NET}`], [`img-src ${O}`, `font-src ${ONET}`]],
  ["Content-Security-Policy", "upgrade-insecure-requests; default-src 'self'", "default-src 'self'"],
  ["Content-Security-Policy", `default-src ${WWW}; Upgrade-Insecure-Requests`, new RegExp(`^default-src ${O};? *$`)],
  ["Content-Security-Policy", "block-all-mixed-content; img-src *", "img-src *"],
  ["Content-Security-Policy", `connect-src wss://${WWW}`, `connect-src ws://${O}`],
  ["Content-Security-Policy-Report-Only", `report-uri ${link}`, `report-uri ${linkTo}`],
  ["Access-Control-Allow-Origin", `https://${WWW}`, `http://${O}`],
  ["Access-Control-Allow-Origin", "*", "*"],
  ["Access-Control-Allow-Origin", "https://elsewhere.invalid", "https://elsewhere.invalid"],
  ["Content-Location", link, linkTo],
  ["Feature-Policy", `camera https://${WWW}`, `camera http://${O}`],
  ["Permissions-Policy", `camera=(self "https://${WWW}")`, `camera=(self "http://${O}")`],
  ["Link", `<${link}>; rel=canonical`, `<${linkTo}>; rel=canonical`],
  [
    "Link",
    [`<${link}>; rel=preload`, `<https://${NET}/>; rel=next`],
    [`<${linkTo}>; rel=preload`, `<http://${ONET}/>; rel=next`],
  ],
  ["Link", `<${link}>; rel=a, <${link}>; rel=b`, `<${linkTo}>; rel=a, <${linkTo}>; rel=b`],
  ["Refresh", `5; url=${link}`, `5; url=${linkTo}`],
  ["Timing-Allow-Origin", `https://${WWW}, https://${TLS}`, `http://${O}, https://${OTLS}`],
  ["Report-To", `{"endpoints":[{"url":"https:\\/\\/${WWW}\\/r"}]}`, `{"endpoints":[{"url":"http:\\/\\/${O}\\/r"}]}`],
  ["Reporting-Endpoints", `main="${link}"`, `main="${linkTo}"`],
  ["SourceMap", link, linkTo],
  ["X-SourceMap", link, linkTo],
  ["X-Pingback", link, linkTo],
  ["Speculation-Rules", link, linkTo],
  ["X-Frame-Options", `ALLOW-FROM https://${WWW}`, `ALLOW-FROM http://${O}`],
  ["X-Frame-Options", "SAMEORIGIN", "SAMEORIGIN"],
  ...[
    "Strict-Transport-Security",
    "Public-Key-Pins",
    "Public-Key-Pins-Report-Only",
    "Alt-Svc",
    "Onion-Location",
    "Expect-CT",
    "NEL",
    "Age",
    "Server",
    "Via",
    "X-Powered-By",
    "X-Request-Id",
    "X-Runtime",
    "X-Varnish",
    "X-NA",
    "X-From-Nginx",
    // Of the page as it was.
    "Content-MD5",
    "Digest",
    "Repr-Digest",
    "Content-Digest",
    "Accept-Ranges",
  ].map((name): Row => [name, "5", null]),
  ["Via", ["1.1 a", "1.1 b"], null],
  ["X-Custom", `about ${WWW}`, `about ${WWW}`],
  ["X-Twice", ["one", "two"], ["one", "two"]],
  ["Cache-Control", "max-age=5, private", "max-age=5, private"],
  ["Last-Modified", "Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT"],
  ["Expires", "Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 GMT"],
  ["Vary", "Cookie", "Cookie"],
  ["Content-Language", "de", "de"],
  ["X-Content-Type-Options", "nosniff", "nosniff"],
  ["WWW-Authenticate", 'Basic realm="x"', 'Basic realm="x"'],
  ["Content-Disposition", 'attachment; filename="a.html"', 'attachment; filename="a.html"'],
];

const rowCase =
  (site: string, type: string, more = "") =>
  ([name, from, to]: Row): Case => ({
    name: `${name}: ${JSON.stringify(from).slice(0, 60)} ${to === null ? "goes" : ""}${more}`,
    site,
    origin: answer("200 OK", { "Content-Type": type, [name]: from }, "{}"),
    get: { headers: { [name]: to }, body: "{}" },
  });

const K = onionOf(KEEPS_TLS);
const withTls: readonly Row[] = [
  ["Strict-Transport-Security", "max-age=31536000", "max-age=31536000"],
  [
    "Content-Security-Policy",
    "upgrade-insecure-requests; default-src 'self'",
    "upgrade-insecure-requests; default-src 'self'",
  ],
  ["Content-Security-Policy", "block-all-mixed-content", "block-all-mixed-content"],
  [
    "Content-Security-Policy",
    `default-src https://${KEEPS_TLS} http://${KEEPS_TLS}`,
    `default-src https://${K} https://${K}`,
  ],
  ["Public-Key-Pins", "pin-sha256=x", "pin-sha256=x"],
  ["Link", `<http://${KEEPS_TLS}/>`, `<https://${K}/>`],
];

/** Headers that are about the bytes stay where the bytes stay. */
const ofBytes: readonly Row[] = ["Content-MD5", "Digest", "Repr-Digest", "Content-Digest", "Accept-Ranges"].map(
  (name): Row => [name, "5", "5"],
);

const hundred = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`X-H${at}`, "x"]));

export const responseHeaders: Group = {
  title: "response headers",
  sites: [
    { domain: KEEPS, suppressHeaderHpkp: false, suppressHeaderHsts: false },
    { domain: KEEPS_TLS, onionTls: "selfSigned", suppressHeaderHsts: false, suppressHeaderHpkp: false },
    { domain: NOCSP, suppressHeaderCsp: true },
  ],
  cases: [
    ...rows.map(rowCase(WWW, "application/json")),
    ...rows.filter(([, , to]) => typeof to === "string").map(rowCase(WWW, "image/png", " of an image")),
    ...ofBytes.map(rowCase(WWW, "image/png", " of an image")),
    ...withTls.map(rowCase(KEEPS_TLS, "text/html", ", with TLS and suppressing nothing")),
    rowCase(KEEPS, "text/html", ", not suppressed")(["Public-Key-Pins", "pin-sha256=x", "pin-sha256=x"]),
    rowCase(NOCSP, "text/html", ", suppressed")(["Content-Security-Policy", "default-src 'self'", null]),
    rowCase(NOCSP, "text/html", ", suppressed")(["Content-Security-Policy", ["a", "b"], null]),
    rowCase(NOCSP, "text/html", ", suppressed")(["Content-Security-Policy-Report-Only", "default-src 'self'", null]),
    rowCase(TLS, "text/html", ", suppressed with TLS")(["Strict-Transport-Security", "max-age=5", null]),
    {
      name: "T13: more than 100 headers, all of them looked at",
      origin: answer(
        "200 OK",
        { ...hundred, "Content-Type": "text/html", Link: `<${link}>`, Via: "x", Location: link },
        WWW,
      ),
      get: { headers: { Link: `<${linkTo}>`, Via: null, Location: linkTo, "X-H149": "x" }, body: O },
    },
    {
      name: "T13: more than 100 headers, refused without one of them",
      origin: [
        head("200 OK", {
          ...hundred,
          "Content-Type": "text/html",
          "Content-Encoding": "br",
          Link: link,
          "Content-Length": "0",
        }),
      ],
      get: { status: 502, headers: { Link: null, "X-H0": null, "X-H149": null, "Content-Encoding": null } },
    },
    {
      name: "upgrade-insecure-requests goes from a page over plain http",
      origin: html(
        `<meta http-equiv="Content-Security-Policy" content="upgrade-insecure-requests; img-src ${WWW}; block-all-mixed-content">`,
      ),
      get: { body: new RegExp(`content=";? ?img-src ${O}; ?">`) },
    },
    {
      name: "upgrade-insecure-requests stays in a page over TLS",
      site: TLS,
      origin: html('<meta content="upgrade-insecure-requests">'),
      get: { body: '<meta content="upgrade-insecure-requests">' },
    },
    {
      name: "upgrade-insecure-requests stays in a script",
      origin: html("'upgrade-insecure-requests'", { "Content-Type": "text/javascript" }),
      get: { body: "'upgrade-insecure-requests'" },
    },
  ],
};
