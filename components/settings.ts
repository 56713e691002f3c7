// Settings of projects and sites as arguments. Made from config/schema/site/ by `npm run docs`: change them there.
import type { Input } from "@pulumi/pulumi";

/** A redirect; the first that matches counts. */
export interface Redirect {
  /** A regular expression, found anywhere in the text unless it has ^ and $; capitals do not matter. */
  readonly match: string;
  /** Status of the answer: 301 and 308 are kept by browsers, 307 and 308 keep the method. */
  readonly code: 301 | 302 | 303 | 307 | 308;
  /** Where to, an absolute URL; the request's path and query are appended unless the redirect is a fixed one. */
  readonly to: string;
}

/** A proof: what begins with this path has this answer. */
export interface Proof {
  /** What the path begins with. */
  readonly path: string;
  /** The answer. */
  readonly text: string;
}

/** An answer of the worker itself. */
export interface Endpoint {
  /** A regular expression, found anywhere in the text unless it has ^ and $; capitals do not matter. */
  readonly path: string;
  /** The answer. */
  readonly text: string;
}

/** An argument of the query, by its value. */
export interface QueryArgument {
  /** Name of the argument. */
  readonly name: string;
  /** The whole text; capitals count. */
  readonly value: string;
}

/** An argument of the query, by a regular expression for its value. */
export interface QueryArgumentRegex {
  /** Name of the argument. */
  readonly name: string;
  /** A regular expression, found anywhere in the text unless it has ^ and $; capitals do not matter. */
  readonly value: string;
}

/** Somebody else's site: its onion address and its domain. */
export interface ForeignMap {
  /** Its onion address. */
  readonly onion: string;
  /** Its domain on the web. */
  readonly domain: string;
}

/** What a site may have, and a project for all its sites; the site's own counts, a list replaces the project's. */
export interface SiteSettingsArgs {
  /** MIME types whose bodies are rewritten too, besides html, css, JavaScript, json, xml, svg, event streams and playlists. Unit: MIME types. @default [] @example ["text/vtt","text/markdown"] */
  readonly extraSubsFilterTypes?: readonly string[] | undefined;
  /** Whether integrity attributes in html are renamed to _integrity. A rewritten script has another hash than the page says; without this a browser does not run it. @default false @example true */
  readonly kludgeDisableSri?: boolean | undefined;
  /** Whether onion addresses in request bodies (forms, JSON, XML, text) become domains on their way to the site. @default false @example true */
  readonly deonionifyPostBodies?: boolean | undefined;
  /** Whether Content-Security-Policy and its Report-Only are removed, instead of rewritten. @default false @example true */
  readonly suppressHeaderCsp?: boolean | undefined;
  /** Whether Strict-Transport-Security is removed. Without https on the onion it does nothing. @default true @example false */
  readonly suppressHeaderHsts?: boolean | undefined;
  /** Whether Public-Key-Pins and its Report-Only are removed: they are of the web certificate's keys. @default true @example false */
  readonly suppressHeaderHpkp?: boolean | undefined;
  /** Value of the request header X-From-Onion, by which the site knows the proxy. Empty: it is not sent. @default "1" @example "1" */
  readonly xFromOnionValue?: string | undefined;
  /** Headers that every request to the site gets, e.g. one that lets the proxy through its firewall. Unit: name: value. @default {} @example {"X-Proxy":"softmap"} */
  readonly injectHeadersUpstream?: Readonly<Record<string, string>> | undefined;
  /** Origin of every request that has one, instead of the visitor's with the onion rewritten. @default none @example "https://www.example.org" */
  readonly injectOrigin?: string | undefined;
  /** Referer of every request that has one, instead of the visitor's with the onion rewritten. @default none @example "https://www.example.org/" */
  readonly injectReferer?: string | undefined;
  /** Redirects by the request's host, the onion one; the request's path and query are appended. The target is sent as it is, never rewritten. @default [] @example [{"match":"^join[.]","code":307,"to":"https://join.example.org"}] */
  readonly redirectHost?: readonly Redirect[] | undefined;
  /** Redirects by the request's path; the request's path and query are appended. The target is sent as it is, never rewritten. @default [] @example [{"match":"^join[.]","code":307,"to":"https://join.example.org"}] */
  readonly redirectPath?: readonly Redirect[] | undefined;
  /** Redirects by the request's host, the onion one. The target is sent as it is, never rewritten. @default [] @example [{"match":"^/old(/|$)","code":307,"to":"https://www.example.org/new"}] */
  readonly redirectFixedHost?: readonly Redirect[] | undefined;
  /** Redirects by the request's path. The target is sent as it is, never rewritten. @default [] @example [{"match":"^/old(/|$)","code":307,"to":"https://www.example.org/new"}] */
  readonly redirectFixedPath?: readonly Redirect[] | undefined;
  /** A path that opens the site: who has not been there in the last seven days gets nginxActionAbort for everything else. @default none @example "/enter-with-4711" */
  readonly cookieLock?: string | undefined;
  /** Whether /hello-onion/ is answered by the worker itself, to see that the way to it works. @default true @example false */
  readonly nginxHelloOnion?: boolean | undefined;
  /** Answers that prove to a certificate authority whose address it is, on http and https, before any redirect. @default [] @example [{"path":"/.well-known/pki-validation/x.txt","text":"4d0a..."}] */
  readonly sslProof?: readonly Proof[] | undefined;
  /** Answers that the worker gives itself, by the request's path, as text. @default [] @example [{"path":"^/robots[.]txt$","text":"User-agent: *\nDisallow: /"}] */
  readonly hardcodedEndpoint?: readonly Endpoint[] | undefined;
  /** Whether every method but GET and HEAD is answered with 405: a site to read, not to write. @default false @example true */
  readonly suppressMethodsExceptGet?: boolean | undefined;
  /** Whether requests that come by a tor2web gateway (X-Tor2Web) are refused: it reads along. @default true @example false */
  readonly suppressTor2web?: boolean | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the host, as the visitor asks for it (the onion one). Unit: texts. @default [] @example ["admin.example.onion"] */
  readonly blockHost?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the host, as the visitor asks for it (the onion one). Unit: regular expressions. @default [] @example ["^admin[.]"] */
  readonly blockHostRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the Origin header. Unit: texts. @default [] @example ["https://evil.example"] */
  readonly blockOrigin?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the Origin header. Unit: regular expressions. @default [] @example ["evil[.]example$"] */
  readonly blockOriginRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the Referer header. Unit: texts. @default [] @example ["https://evil.example/"] */
  readonly blockReferer?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the Referer header. Unit: regular expressions. @default [] @example ["evil[.]example/"] */
  readonly blockRefererRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the User-Agent header. Unit: texts. @default [] @example ["BadBot/1.0"] */
  readonly blockUserAgent?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the User-Agent header. Unit: regular expressions. @default [] @example ["badbot"] */
  readonly blockUserAgentRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the path, decoded. Unit: texts. @default [] @example ["/wp-login.php"] */
  readonly blockPath?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the path, decoded. Unit: regular expressions. @default [] @example ["^/admin(/|$)"] */
  readonly blockPathRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the path, decoded; Onionspray's older name for blockPath. Unit: texts. @default [] @example ["/wp-login.php"] */
  readonly blockLocation?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: the path, decoded; Onionspray's older name for blockPath. Unit: regular expressions. @default [] @example ["^/admin(/|$)"] */
  readonly blockLocationRe?: readonly string[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: an argument of the query, by its name and its whole value. @default [] @example [{"name":"action","value":"delete"}] */
  readonly blockParam?: readonly QueryArgument[] | undefined;
  /** Requests that have one of these are refused politely, 403 with blockErr: an argument of the query, by its name and a regular expression for its value. @default [] @example [{"name":"action","value":"^delete"}] */
  readonly blockParamRe?: readonly QueryArgumentRegex[] | undefined;
  /** The text of a polite refusal. @default "This action is not supported over Onion yet, sorry." @example "Please use our site on the web for this." */
  readonly blockErr?: string | undefined;
  /** Requests that have one of these get nginxActionAbort: the User-Agent header. Unit: texts. @default [] @example ["BadBot/1.0"] */
  readonly userAgentBlacklist?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the User-Agent header. Unit: regular expressions. @default [] @example ["badbot"] */
  readonly userAgentBlacklistRe?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the Referer header. Unit: texts. @default [] @example ["https://evil.example/"] */
  readonly refererBlacklist?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the Referer header. Unit: regular expressions. @default [] @example ["evil[.]example/"] */
  readonly refererBlacklistRe?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the Origin header. Unit: texts. @default [] @example ["https://evil.example"] */
  readonly originBlacklist?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the Origin header. Unit: regular expressions. @default [] @example ["evil[.]example$"] */
  readonly originBlacklistRe?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the host, as the visitor asks for it (the onion one). Unit: texts. @default [] @example ["admin.example.onion"] */
  readonly hostBlacklist?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the host, as the visitor asks for it (the onion one). Unit: regular expressions. @default [] @example ["^admin[.]"] */
  readonly hostBlacklistRe?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the path, decoded. Unit: texts. @default [] @example ["/wp-login.php"] */
  readonly pathBlacklist?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: the path, decoded. Unit: regular expressions. @default [] @example ["^/admin(/|$)"] */
  readonly pathBlacklistRe?: readonly string[] | undefined;
  /** Requests that have one of these get nginxActionAbort: an argument of the query, by its name and its whole value. @default [] @example [{"name":"action","value":"delete"}] */
  readonly paramBlacklist?: readonly QueryArgument[] | undefined;
  /** Requests that have one of these get nginxActionAbort: an argument of the query, by its name and a regular expression for its value. @default [] @example [{"name":"action","value":"^delete"}] */
  readonly paramBlacklistRe?: readonly QueryArgumentRegex[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the User-Agent header. Unit: texts. @default [] @example ["BadBot/1.0"] */
  readonly userAgentWhitelist?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the User-Agent header. Unit: regular expressions. @default [] @example ["badbot"] */
  readonly userAgentWhitelistRe?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the Referer header. Unit: texts. @default [] @example ["https://evil.example/"] */
  readonly refererWhitelist?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the Referer header. Unit: regular expressions. @default [] @example ["evil[.]example/"] */
  readonly refererWhitelistRe?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the Origin header. Unit: texts. @default [] @example ["https://evil.example"] */
  readonly originWhitelist?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the Origin header. Unit: regular expressions. @default [] @example ["evil[.]example$"] */
  readonly originWhitelistRe?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the host, as the visitor asks for it (the onion one). Unit: texts. @default [] @example ["admin.example.onion"] */
  readonly hostWhitelist?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the host, as the visitor asks for it (the onion one). Unit: regular expressions. @default [] @example ["^admin[.]"] */
  readonly hostWhitelistRe?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the path, decoded. Unit: texts. @default [] @example ["/wp-login.php"] */
  readonly pathWhitelist?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: the path, decoded. Unit: regular expressions. @default [] @example ["^/admin(/|$)"] */
  readonly pathWhitelistRe?: readonly string[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: an argument of the query, by its name and its whole value. @default [] @example [{"name":"action","value":"delete"}] */
  readonly paramWhitelist?: readonly QueryArgument[] | undefined;
  /** Where it is not empty, requests that have none of these get nginxActionAbort: an argument of the query, by its name and a regular expression for its value. @default [] @example [{"name":"action","value":"^delete"}] */
  readonly paramWhitelistRe?: readonly QueryArgumentRegex[] | undefined;
  /** Status of what blacklists, whitelists and the cookie lock refuse. 444 closes the connection instead. Unit: HTTP status. @default 500 @example 403 */
  readonly nginxActionAbort?: number | undefined;
  /** DNS resolvers by which nginx finds the sites. Empty: those of the worker's own /etc/resolv.conf. Unit: addresses. @default [] @example ["10.0.0.2","[2001:db8::2]:5353"] */
  readonly nginxResolver?: readonly string[] | undefined;
  /** How long nginx waits to connect to a site, and between two reads of its answer. Unit: seconds. @default 15 @example 15 */
  readonly nginxTimeout?: number | undefined;
  /** Certificate authorities of the site on the web, instead of the worker's own: for a site with its own CA. Unit: PEM or path. @default none @example "certificates/internal-ca.pem" */
  readonly nginxProxySslTrustedCertificate?: string | undefined;
  /** Client certificate that nginx shows to the site on the web; its key is in upstreamKeys. Unit: PEM or path. @default none @example "certificates/proxy.pem" */
  readonly upstreamCertificate?: string | undefined;
  /** Size of one buffer for a site's answer; its headers must fit into one. Unit: bytes. @default "16k" @example "16k" */
  readonly nginxBlockSize?: string | undefined;
  /** Buffers for each request. Unit: buffers. @default 8 @example 8 */
  readonly nginxBlockCount?: number | undefined;
  /** How much of the buffers may be on its way to the visitor: one at least, all but one at most. Unit: bytes. @default "32k" @example "32k" */
  readonly nginxBlockBusySize?: string | undefined;
  /** How much of an answer waits on the disk for a slow visitor. 0: nothing, the site waits. Unit: bytes. @default "64m" @example "64m" */
  readonly nginxTmpfileSize?: string | undefined;
  /** The largest request body, e.g. an upload. Unit: bytes. @default "100m" @example "100m" */
  readonly nginxClientMaxBodySize?: string | undefined;
  /** How long answers are kept and given to others, unless the site or a cookie forbids it. 0: not at all. Unit: seconds. @default 0 @example 60 */
  readonly nginxCacheSeconds?: number | undefined;
  /** How often something must be asked for before it is kept. Unit: requests. @default 1 @example 2 */
  readonly nginxCacheMinUses?: number | undefined;
  /** MIME types of answers that are not kept. Unit: MIME types. @default [] @example ["application/json"] */
  readonly noCacheContentType?: readonly string[] | undefined;
  /** Domains whose answers are not kept: the site's own, or below it. Unit: domains. @default [] @example ["live.example.org"] */
  readonly noCacheHost?: readonly string[] | undefined;
  /** Whether requests are logged on the workers. truncated: without what tells of the visitor, such as query, referer and user agent. @default "off" @example "truncated" */
  readonly accessLog?: "off" | "truncated" | "full" | undefined;
  /** How a request is logged. @default "text" @example "json" */
  readonly accessLogFormat?: "text" | "json" | undefined;
  /** Whether the site gets the visitor's circuit as X-Onion-CircuitID. Needs torExportCircuitId. @default false @example true */
  readonly nginxXOnionCircuitId?: boolean | undefined;
  /** https on the onion without a certificate authority. selfSigned: browsers other than Tor Browser warn. A site's own word counts more than its project's certificate. @default "off" @example "selfSigned" */
  readonly onionTls?: "off" | "selfSigned" | undefined;
  /** Certificate of the onion address and its chain, then https is served. Its key is in tlsKeys. On a project: one certificate for all its sites. Unit: PEM or path. @default none @example "certificates/www.example.org.pem" */
  readonly certificate?: string | undefined;
  /** Whether http is answered with a redirect to https. Only where there is https on the onion. @default true @example false */
  readonly forceHttps?: boolean | undefined;
  /** How long a self-signed certificate is valid; it is renewed in time. Unit: days. @default 365 @example 90 */
  readonly selfSignedDays?: number | undefined;
  /** Key of `certificate`, in PEM, or the path of its file. A secret. @default none @example config.requireSecret("key") */
  readonly certificateKey?: Input<string> | undefined;
  /** Key of `upstreamCertificate`, in PEM, or the path of its file. A secret. @default none @example config.requireSecret("key") */
  readonly upstreamCertificateKey?: Input<string> | undefined;
}

/** What a project may have: settings of its sites, and those that its sites share. */
export interface ProjectSettingsArgs extends SiteSettingsArgs {
  /** Other people's sites that have an onion address: links to them are rewritten too, never requests. @default [] @example [{"onion":"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion","domain":"www.example.net"}] */
  readonly foreignMaps?: readonly ForeignMap[] | undefined;
  /** Texts in which the domains are left alone, each exactly as written: no regular expressions. Unit: texts. @default [] @example ["press.example.org","pgp.example.org"] */
  readonly preserve?: readonly string[] | undefined;
  /** Whether the domain in an e-mail address is rewritten too. Mail to an onion address arrives nowhere. @default false @example true */
  readonly onionifyEmails?: boolean | undefined;
  /** Worker processes of nginx. auto: one for each core. Unit: processes. @default "auto" @example 4 */
  readonly nginxWorkers?: "auto" | number | undefined;
  /** Open files, and connections, of each of these processes. Unit: files. @default 8192 @example 8192 */
  readonly nginxRlim?: number | undefined;
  /** Disk that the cache takes at most, for all sites. Unit: bytes. @default "256m" @example "256m" */
  readonly nginxCacheSize?: string | undefined;
  /** What nginx reports of itself, from this level on. Below error, lines name what visitors asked for. @default "error" @example "warn" */
  readonly nginxSyslog?: "info" | "notice" | "warn" | "error" | "crit" | "alert" | "emerg" | undefined;
  /** Whether the backends' addresses of the machines are no secret: one hop instead of three, faster. @default false @example true */
  readonly torSingleOnion?: boolean | undefined;
  /** What tor reports of itself, from this level on. @default "notice" @example "warn" */
  readonly torSyslog?: "err" | "warn" | "notice" | "info" | undefined;
  /** Whether introduction points limit how many visitors they let through to a backend. @default false @example true */
  readonly torIntroDosDefense?: boolean | undefined;
  /** Introductions per second that a point lets through; tor's own default is 25. Needs torIntroDosDefense. Unit: introductions per second. @default none @example 25 */
  readonly torIntroDosRatePerSec?: number | undefined;
  /** How many at once; tor's own default is 200. Needs torIntroDosDefense. Unit: introductions per second. @default none @example 200 */
  readonly torIntroDosBurstPerSec?: number | undefined;
  /** Connections at a time over one visitor's circuit. 0 or absent: any number. Unit: streams. @default none @example 100 */
  readonly torMaxStreams?: number | undefined;
  /** Whether the circuit of who has more is closed, instead of the one stream refused. Needs torMaxStreams. @default false @example true */
  readonly torMaxStreamsCloseCircuit?: boolean | undefined;
  /** Whether tor tells nginx which connections come over one circuit: for limits and logs, not who it is. @default false @example true */
  readonly torExportCircuitId?: boolean | undefined;
  /** Requests per second over one circuit; the others get 429. Needs torExportCircuitId. Unit: requests per second. @default none @example 20 */
  readonly circuitRequestRate?: number | undefined;
  /** Requests above the rate that are still answered. Needs circuitRequestRate. Unit: requests. @default none @example 60 */
  readonly circuitRequestBurst?: number | undefined;
  /** Requests at a time over one circuit; the others get 429. Needs torExportCircuitId. Unit: connections. @default none @example 30 */
  readonly circuitConnections?: number | undefined;
}
