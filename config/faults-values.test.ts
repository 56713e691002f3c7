// What a report says of faults in the values of settings, word for word.
import { type Fault, lab, onion, project, site, testFaults, withSite } from "./samples";

const withProject = (settings: Record<string, unknown>): Record<string, unknown> =>
  lab({ projects: [project(settings)] });

const faults: Fault[] = [
  [
    "a regular expression that does not compile",
    withProject({ blockPathRe: ["^/a(b", "x**"] }),
    [
      'project news: blockPathRe[0] = "^/a(b" | This is not a regular expression: unterminated group, at character 4 ((b). | Correct it there; a character that is meant as such has a backslash in front.',
      'project news: blockPathRe[1] = "x**" | This is not a regular expression: nothing to repeat, at character 3 (*). | Correct it there; a character that is meant as such has a backslash in front.',
    ],
  ],
  [
    "regular expressions that match everything",
    withProject({ blockHostRe: ["", "a*", ".*"] }),
    [
      'project news: blockHostRe[0] = "" | The text is empty. | Write it, or remove the entry.',
      'project news: blockHostRe[1] = "a*" | It matches everything. | Say what it must contain, e.g. ^/admin(/|$).',
      'project news: blockHostRe[2] = ".*" | It matches everything. | Say what it must contain, e.g. ^/admin(/|$).',
    ],
  ],
  [
    "a regular expression with a line break, and with half a character",
    withProject({ blockPathRe: ["a\nb", "\ud800"] }),
    [
      'project news: blockPathRe[0] = "a\\nb" | There is a line break or another control character in it. | Remove it.',
      'project news: blockPathRe[1] = "\\ud800" | It is not Unicode: half a character is in it. | Correct it.',
    ],
  ],
  [
    "regular expressions that PCRE reads otherwise",
    withProject({ blockPathRe: ["[]", "\\u0041", "\\c1"] }),
    [
      'project news: blockPathRe[0] = "[]" | There is an empty class [] in it. | Write the characters into it, or (?!) for what never matches.',
      'project news: blockPathRe[1] = "\\\\u0041" | There is an escape unknown to PCRE in it. | Write \\x{20ac} for a character by its number.',
      'project news: blockPathRe[2] = "\\\\c1" | There is \\c without its letter in it. | Write the character itself, or \\x and its number.',
    ],
  ],
  [
    "texts to be left alone that are a row of Onionspray's, and expressions",
    withProject({ preserve: ["save,example\\.org,i,example.org", "press\\.example\\.org", ".*@example.org", ""] }),
    [
      'project news: preserve[0] = "save,example\\\\.org,i,example.org" | There is a comma in it: an entry is one text, not token,regex,flags,replacement. | Make each text an entry of its own, e.g. [press@example.org, news@example.org].',
      'project news: preserve[1] = "press\\\\.example\\\\.org" | This looks like a regular expression: a text is left alone exactly as it stands here. | Write press.example.org.',
      'project news: preserve[2] = ".*@example.org" | This looks like a regular expression: a text is left alone exactly as it stands here. | Write each text out, as an entry of its own.',
      'project news: preserve[3] = "" | The text is empty. | Write it, or remove the entry.',
    ],
  ],
  [
    "a foreign map of the stack's own site",
    lab({ projects: [project({ sites: [{ ...site, onion }], foreignMaps: [{ onion, domain: "www.example.org" }] })] }),
    [
      "project news: foreignMaps[0].onion = \"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion\" | This is the address of www.example.org, a site of this stack's own: a foreign map is for somebody else's site. | Remove the entry: links to own sites are rewritten anyway.",
      "project news: foreignMaps[0].domain = \"www.example.org\" | This is a site of this stack's own: a foreign map is for somebody else's site. | Remove the entry: links to own sites are rewritten anyway.",
    ],
  ],
  [
    "two foreign maps of one site",
    withProject({
      foreignMaps: [
        { onion, domain: "a.example.net" },
        { onion, domain: "a.example.net" },
      ],
    }),
    [
      'project news: foreignMaps[1].onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | There are two foreign maps with this address. | Remove one of them.',
      'project news: foreignMaps[1].domain = "a.example.net" | There are two foreign maps with this domain. | Remove one of them.',
    ],
  ],
  [
    "a foreign map without its domain",
    withProject({ foreignMaps: [{ onion, domian: "a.example.net" }] }),
    ["project news: foreignMaps[0].domian | There is no such key in an entry of foreignMaps. | Did you mean domain?"],
  ],
  [
    "headers that cannot be",
    withProject({ injectHeadersUpstream: { "X Proxy": "a", "X-Proxy:": "b", Ü: "c" } }),
    [
      "project news: injectHeadersUpstream.X Proxy | A header's name is made of letters, digits and hyphens. | Write X-Proxy.",
      "project news: injectHeadersUpstream.X-Proxy: | A header's name is made of letters, digits and hyphens. | Write X-Proxy.",
      "project news: injectHeadersUpstream.Ü | A header's name is made of letters, digits and hyphens. | Write it like X-Proxy.",
    ],
  ],
  [
    "headers of the proxy's own",
    withProject({
      injectHeadersUpstream: {
        host: "a",
        "Accept-Encoding": "br",
        Origin: "https://a.example",
        Referer: "https://a.example/",
        "X-From-Onion": "2",
        "X-Onion-CircuitID": "1",
      },
    }),
    [
      "project news: injectHeadersUpstream.host | The proxy writes this header itself. | Remove it.",
      "project news: injectHeadersUpstream.Accept-Encoding | The proxy writes this header itself. | Remove it.",
      "project news: injectHeadersUpstream.Origin | The proxy writes this header itself. | Use injectOrigin.",
      "project news: injectHeadersUpstream.Referer | The proxy writes this header itself. | Use injectReferer.",
      "project news: injectHeadersUpstream.X-From-Onion | The proxy writes this header itself. | Use xFromOnionValue.",
      "project news: injectHeadersUpstream.X-Onion-CircuitID | The proxy writes this header itself. | Use nginxXOnionCircuitId.",
    ],
  ],
  [
    "values of headers that cannot be",
    withProject({ injectHeadersUpstream: { "X-A": "a\r\nb", "X-B": "", "X-C": " c" }, xFromOnionValue: "1\n" }),
    [
      'project news: xFromOnionValue = "1\\n" | There is a line break or another control character in it. | Remove it.',
      'project news: injectHeadersUpstream.X-A = "a\\r\\nb" | There is a line break or another control character in it. | Remove it.',
      'project news: injectHeadersUpstream.X-B = "" | The text is empty. | Write it, or remove the entry.',
      'project news: injectHeadersUpstream.X-C = " c" | It begins or ends with a blank. | Remove the blank.',
    ],
  ],
  [
    "one header twice",
    withProject({ injectHeadersUpstream: { "X-Proxy": "a", "x-proxy": "b" } }),
    [
      'project news: injectHeadersUpstream.x-proxy = "b" | This is the same header as X-Proxy: capitals do not matter. | Remove one of them.',
    ],
  ],
  [
    "an origin with a path, and a referer that is a path",
    withSite({ injectOrigin: "https://www.example.org/", injectReferer: "/a" }),
    [
      'project news: sites[0].injectOrigin = "https://www.example.org/" | An origin is a scheme and a host only. | Write https://www.example.org.',
      'project news: sites[0].injectReferer = "/a" | This is not an absolute URL. | Write it with its scheme, e.g. https://www.example.org.',
    ],
  ],
  [
    "redirects to what is no absolute URL",
    withProject({
      redirectFixedPath: [
        { match: "^/a", code: 307, to: "/b" },
        { match: "^/b", code: 307, to: "ftp://a.example" },
      ],
    }),
    [
      'project news: redirectFixedPath[0].to = "/b" | This is not an absolute URL. | Write it with its scheme, e.g. https://www.example.org.',
      'project news: redirectFixedPath[1].to = "ftp://a.example" | This is not an absolute URL. | Write it with its scheme, e.g. https://www.example.org.',
    ],
  ],
  [
    "redirects to URLs that nobody can be sent to",
    withProject({
      redirectFixedPath: [
        { match: "^/a", code: 307, to: "https://a:b@a.example" },
        { match: "^/b", code: 307, to: "https://a.example/ä" },
      ],
    }),
    [
      'project news: redirectFixedPath[0].to = "https://a:b@a.example" | There is a login in the URL. | Remove what stands before the @.',
      'project news: redirectFixedPath[1].to = "https://a.example/ä" | There is a character in it that a URL cannot have. | Write https://a.example/%C3%A4',
    ],
  ],
  [
    "redirects whose path is appended to what cannot have one",
    withProject({
      redirectPath: [
        { match: "^/a", code: 307, to: "https://a.example/" },
        { match: "^/b", code: 307, to: "https://a.example/?a=b" },
      ],
    }),
    [
      'project news: redirectPath[0].to = "https://a.example/" | The request\'s path is appended to it, and begins with / itself. | Write https://a.example.',
      'project news: redirectPath[1].to = "https://a.example/?a=b" | The request\'s path is appended to it, so it has no query and no fragment. | Remove what begins with ? or #, or use the fixed form of the redirect.',
    ],
  ],
  [
    "a redirect with another status, and without one",
    withProject({
      redirectHost: [
        { match: "^a[.]", code: 200, to: "https://a.example" },
        { match: "^b[.]", to: "https://a.example" },
      ],
    }),
    [
      "project news: redirectHost[0].code = 200 | It must be 301, 302, 303, 307 or 308. | Give it, e.g. 307.",
      "project news: redirectHost[1].code | It is missing. | Give it, e.g. 307.",
    ],
  ],
  [
    "an unknown key of a redirect",
    withProject({ redirectHost: [{ match: "^a[.]", code: 307, to: "https://a.example", form: 1 }] }),
    [
      "project news: redirectHost[0].form | There is no such key in an entry of redirectHost. | Remove it; the keys there are match, code, to.",
    ],
  ],
  [
    "paths without their slash",
    withProject({ blockPath: ["admin", "https://www.example.org/admin"], cookieLock: "enter" }),
    [
      'project news: cookieLock = "enter" | A path begins with /. | Write /enter.',
      'project news: blockPath[0] = "admin" | A path begins with /. | Write /admin.',
      'project news: blockPath[1] = "https://www.example.org/admin" | A path begins with /. | Write /admin.',
    ],
  ],
  [
    "a lock on everything, and one with a query",
    lab({ projects: [project({ cookieLock: "/", sites: [{ ...site, cookieLock: "/a?b" }] })] }),
    [
      'project news: sites[0].cookieLock = "/a?b" | A path here has the characters of a URL\'s path only, without ? and #. | Write it as it stands in the address bar, e.g. /.well-known/pki-validation/.',
      'project news: cookieLock = "/" | This is the whole site. | Choose a path of its own, e.g. /enter.',
    ],
  ],
  [
    "a proof that is not text",
    withProject({ sslProof: [{ path: "/a", text: "a\u0000" }], hardcodedEndpoint: [{ path: "a*", text: "" }] }),
    [
      'project news: sslProof[0].text = "a\\u0000" | There is a line break or another control character in it. | Remove it.',
      'project news: hardcodedEndpoint[0].path = "a*" | It matches everything. | Say what it must contain, e.g. ^/admin(/|$).',
      'project news: hardcodedEndpoint[0].text = "" | The text is empty. | Write it, or remove the entry.',
    ],
  ],
  [
    "MIME types that are none",
    withProject({ extraSubsFilterTypes: ["text/vtt; charset=utf-8", "Text/VTT", "text/*", "vtt"] }),
    [
      'project news: extraSubsFilterTypes[0] = "text/vtt; charset=utf-8" | A type stands here without parameters. | Write text/vtt.',
      'project news: extraSubsFilterTypes[1] = "Text/VTT" | A type is written in small letters. | Write text/vtt.',
      'project news: extraSubsFilterTypes[2] = "text/*" | This is not a MIME type: type/subtype, no wildcards. | Write e.g. text/vtt.',
      'project news: extraSubsFilterTypes[3] = "vtt" | This is not a MIME type: type/subtype, no wildcards. | Write e.g. text/vtt.',
    ],
  ],
  [
    "sizes that are none",
    withProject({ nginxBlockSize: "16kb", nginxClientMaxBodySize: "0", nginxCacheSize: "1g" }),
    [
      'project news: nginxCacheSize = "1g" | A size is a whole number of bytes, or of k or m. | Write it like 256m.',
      'project news: nginxBlockSize = "16kb" | A size is a whole number of bytes, or of k or m. | Write it like 16k.',
      'project news: nginxClientMaxBodySize = "0" | It must be from 1k to 10240m. | Choose a size there, e.g. 100m.',
    ],
  ],
  [
    "a number for a size",
    withProject({ nginxTmpfileSize: 64 }),
    ['project news: nginxTmpfileSize = 64 | It must be text, but is a number. | Give it, e.g. "64m".'],
  ],
];

testFaults(faults);
