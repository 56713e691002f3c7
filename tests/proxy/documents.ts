// Random documents: names and their look-alikes, the many ways to write what stands around them, and whatever else.
import fc from "fast-check";

/** The names that a matcher has to know for them. */
export const NAMES = ["example.org", "shop.example.org", "t.co"] as const;
/** Texts that it has to leave alone. */
export const KEPT = ["press.example.org", "info@example.org", "example.org/kept/"];

const slash = ["/", "\\/", "\\\\/", "\\\\\\/", "%2F", "%252f", "\\u002f", "\\x2F"];
const colon = [":", "%3A", "%253a", "\\u003A", "\\x3a"];
const dot = [".", "\\.", "\\\\.", "\\\\\\.", "%2e", "%252E", "\\u002E", "\\\\\\\\."];
/** A piece of a document, a byte a character. */
export const part = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...NAMES, "press.example.org"), fc.constantFrom(...dot))
      .map(([n, d]) => n.split(".").join(d)),
  },
  fc.constantFrom(
    "notexample.org",
    "EXAMPLE.org",
    "example.organic",
    "info@example.org",
    "example.org/kept/",
    "exam",
    'integrity="sha',
  ),
  fc
    .tuple(
      fc.constantFrom("https", "http", "wss", "WS", "HTTPS", "xhttps"),
      fc.constantFrom(...colon),
      fc.constantFrom(...slash),
      fc.constantFrom(...slash),
    )
    .map((all) => all.join("")),
  fc.constantFrom(...slash, ...colon, ...dot),
  fc.constantFrom(
    "@",
    "%40",
    "\\u0040",
    "&#64;",
    "&#X40;",
    "&commat;",
    "user@",
    "u:p@",
    "*.",
    "a.b.",
    "{s}.",
    "${x}.",
    "www.",
    "x",
    "-",
    "_",
    "5",
  ),
  fc.constantFrom(
    ":443",
    ":80",
    ":4433",
    "%3A443",
    "\\u003a80",
    "%",
    "%2",
    "%25",
    "\\",
    "\\u",
    "\\u00",
    "\\n",
    "\\t",
    "\\xe9",
    "%61",
    "%2525252525",
    "\n",
    " ",
    '"',
    ",",
    "<",
    "é",
    "\0",
  ),
  fc.string({ maxLength: 3 }).map((text) => Buffer.from(text).toString("latin1")),
  fc.constantFrom("a".repeat(130), "a.".repeat(190), "\\u0061".repeat(70)),
);
/** Where a document is cut. */
export const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
