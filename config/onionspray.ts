// What became of each of Onionspray's settings: for the reports on unknown keys and for docs/onionspray-settings.md.

/** What a setting of Onionspray is here. */
export type Fate =
  /** A key of the config; `why` tells what differs. */
  | { readonly kind: "same"; readonly key: string; readonly why?: string }
  /** Something else does its work: `by` is a key of the config, or what always happens. */
  | { readonly kind: "replaced"; readonly by: string; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

/** A setting of Onionspray: its default there, and what it is here. */
export type Row = Fate & { readonly there: string };

/** Settings of Onionspray by name, in one group of its manual. */
export interface Group {
  readonly title: string;
  readonly rows: Readonly<Record<string, Row>>;
}

const none = "none";
const same = (there: string, key: string, why?: string): Row => ({
  kind: "same",
  there,
  key,
  ...(why === undefined ? {} : { why }),
});
const replaced = (there: string, by: string, why: string): Row => ({ kind: "replaced", there, by, why });
const refused = (there: string, why: string): Row => ({ kind: "refused", there, why });

const camel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Lists that have an exact and a regular form. */
function both(names: readonly string[], why?: string): Record<string, Row> {
  const all = names.flatMap((name) => [name, `${name}_re`]);
  return Object.fromEntries(all.map((name) => [name, same(none, camel(name), why)]));
}

function numbered(name: string, row: Row): Record<string, Row> {
  return Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`${name}_${n}`, row]));
}

const noTemplates =
  "There are no templates of the operator's: a release is checked as a whole before it serves, which text pasted into it would undo.";
const noSentinels = "Texts are found and left alone in one pass: nothing is saved and restored by a marker.";
const nonce = refused(
  "random",
  "For templates of one's own. Nothing here is random: the same config gives the same files.",
);
const internal = "Internal to Onionspray's scripts.";
const selfSignedName = "A self-signed certificate has the onion names alone: nobody checks the rest.";

const rewriting: Group = {
  title: "Rewriting and http",
  rows: {
    force_https: same("1", "forceHttps", "Without https on the onion it means nothing: http is served."),
    hard_mode: replaced("1", "the matcher", "Every way in which a domain's dots are escaped is always found."),
    left_tld_re: replaced("\\b", "the matcher", "Boundaries are known to it, %2F and \\u002F among them."),
    preserve_csv: replaced(none, "preserve", "Texts, each an entry, left alone exactly as written; no expressions."),
    preserve_preamble_re: replaced(
      "[>@\\s]",
      "preserve",
      "A text is left alone wherever it stands, e-mail addresses in any case.",
    ),
    preserve_before: refused("random", noSentinels),
    preserve_after: refused("~", noSentinels),
    ...numbered("nonce128", nonce),
    ...numbered("nonce256", nonce),
    foreignmap_csv: replaced(
      none,
      "foreignMaps",
      "It is made of foreignmap lines there; a list here, and headers are rewritten too.",
    ),
    extra_subs_filter_types: same(none, "extraSubsFilterTypes"),
    extra_processing_csv: refused(none, "It does nothing there either: only old templates read it."),
    kludge_disable_sri: same(none, "kludgeDisableSri"),
    deonionify_post_bodies: same("0", "deonionifyPostBodies"),
    drop_unrewritable_content: replaced(
      "1",
      "always",
      "gzip and deflate are unpacked and rewritten; what cannot be is answered with 502, never passed on unrewritten.",
    ),
    x_from_onion_value: same("1", "xFromOnionValue"),
    inject_headers_upstream: same(none, "injectHeadersUpstream", "An object, not words with commas."),
    inject_origin: same(none, "injectOrigin", "Of a site, without the domain in front."),
    inject_referer: same(none, "injectReferer", "Of a site, without the domain in front."),
    suppress_header_csp: same("0", "suppressHeaderCsp"),
    suppress_header_hsts: same("1", "suppressHeaderHsts"),
    suppress_header_hpkp: same("1", "suppressHeaderHpkp"),
    suppress_methods_except_get: same("0", "suppressMethodsExceptGet"),
    suppress_tor2web: same("1", "suppressTor2web"),
    cookie_lock: same(none, "cookieLock"),
    nginx_hello_onion: same("1", "nginxHelloOnion"),
    ssl_proof_csv: same(none, "sslProof", "A list of path and text."),
    hardcoded_endpoint_csv: same(
      none,
      "hardcodedEndpoint",
      "A list of path and text; on http too where it is not redirected.",
    ),
    redirect_host: same(none, "redirectHost"),
    redirect_path: same(none, "redirectPath"),
    redirect_fixed_host: same(none, "redirectFixedHost"),
    redirect_fixed_path: same(none, "redirectFixedPath"),
    debug_trap: refused(none, "It writes what visitors read into a log."),
    debug_csp_sandbox: refused("0", "A setting for work on Onionspray itself."),
    debug_origin_headers: refused("0", "It is broken there, and its output names the origin to visitors."),
  },
};

const blocking: Group = {
  title: "Blocking",
  rows: {
    block_err: same("This action is not supported over Onion yet, sorry.", "blockErr"),
    ...both(["block_host", "block_origin", "block_referer", "block_user_agent", "block_path", "block_location"]),
    ...both(["block_param"], "A list of name and value."),
    ...both(
      ["blacklist", "whitelist"].flatMap((kind) =>
        ["host", "origin", "path", "referer", "user_agent"].map((subject) => `${subject}_${kind}`),
      ),
    ),
    ...both(["param_blacklist", "param_whitelist"], "A list of name and value."),
    nginx_action_abort: same("return 500", "nginxActionAbort", "The status alone; 444 closes the connection."),
  },
};

const nginx: Group = {
  title: "nginx",
  rows: {
    nginx_workers: same("auto", "nginxWorkers"),
    softmap_nginx_workers: replaced("auto", "nginxWorkers", "Every project is a softmap: one setting."),
    nginx_rlim: same("4096", "nginxRlim", "A visitor takes two connections and, with a cache, files."),
    nginx_resolver: same("8.8.8.8", "nginxResolver", "Nobody's resolver is asked unless it is named."),
    nginx_timeout: same("15", "nginxTimeout", "A duration."),
    nginx_block_size: same("8k", "nginxBlockSize", "Headers with a long CSP do not fit into 8k."),
    nginx_block_count: same("8", "nginxBlockCount"),
    nginx_block_busy_size: same("16k", "nginxBlockBusySize", "Two buffers, as there."),
    nginx_tmpfile_size: same("256m", "nginxTmpfileSize", "Less of an answer on the disk for a slow visitor."),
    nginx_hash_bucket_size: replaced("128", "always", "It is large enough for every name."),
    nginx_cache_seconds: same(
      "60",
      "nginxCacheSeconds",
      "Off: whether strangers may share an answer is the operator's to say.",
    ),
    nginx_cache_size: same(
      "256m",
      "nginxCacheSize",
      "Of the disk; there it is the size of the index in memory, and the disk has no limit.",
    ),
    nginx_cache_min_uses: same("1", "nginxCacheMinUses"),
    no_cache_content_type: same(none, "noCacheContentType", "Of the answer; there, by mistake, of the request."),
    no_cache_host: same(none, "noCacheHost"),
    nginx_syslog: same("error", "nginxSyslog"),
    log_separate: replaced(none, "accessLog", "It is a setting of each site too."),
    nginx_modules_dirs: refused(
      none,
      "nginx and its modules are those of Debian; which are loaded is part of the release.",
    ),
    nginx_template: refused("templates.d/nginx.conf.txt", noTemplates),
    nginx_x_onion_circuit_id: same("off", "nginxXOnionCircuitId"),
    nginx_proxy_ssl_trusted_certificate: same(
      none,
      "nginxProxySslTrustedCertificate",
      "Certificates are always verified, without it against the worker's own authorities; there not at all.",
    ),
  },
};

const tor: Group = {
  title: "tor",
  rows: {
    softmap_tor_workers: same(
      "2",
      "softmapTorWorkers",
      "Workers x daemons is at most 120, and no product with the next one.",
    ),
    tor_intros_per_daemon: same(
      "3",
      "torIntrosPerDaemon",
      "More of them bring no more visitors: a site's descriptor has 2 of each backend, or 1 (docs/tuning.md).",
    ),
    tor_single_onion: same("1", "torSingleOnion", "The machines' addresses are not given away unless it is asked for."),
    tor_syslog: same("notice", "torSyslog"),
    tor_template: refused("templates.d/tor.conf.txt", noTemplates),
    tor_worker_prefix: refused("hs", "It names directories; here they are named after project and daemon."),
    onion_version: refused("3", "Every site is v3: Tor has no other version any more."),
    ...Object.fromEntries(
      ["tor_pow_enabled", "tor_pow_queue_rate", "tor_pow_queue_burst"].map((name) => [
        name,
        refused(
          "off",
          "Proof of work does nothing behind Onionbalance: a backend's descriptor asks for it, the site's own descriptor does not, so no client computes one.",
        ),
      ]),
    ),
    tor_intro_dos_defense: same("off", "torIntroDosDefense"),
    tor_intro_dos_rate_per_sec: same("tor's", "torIntroDosRatePerSec"),
    tor_intro_dos_burst_per_sec: same("tor's", "torIntroDosBurstPerSec"),
    tor_max_streams: same("off", "torMaxStreams"),
    tor_max_streams_close_circuit: same("off", "torMaxStreamsCloseCircuit"),
    tor_export_circuit_id: same("off", "torExportCircuitId"),
    MetricsPort: refused(
      "off",
      "A port of the machine that tells of its visitors to everybody on it: tor has no socket for it.",
    ),
  },
};

const tls: Group = {
  title: "TLS",
  rows: {
    ssl_cert_each_onion: replaced("1", "certificate", "On a site: its own; on a project: one for all its sites."),
    ssl_mkcert: refused(
      "0",
      "An authority that one machine trusts is none for visitors; onionTls: selfSigned does as much.",
    ),
    ssl_tool: refused("make-selfsigned-wildcard-ssl-cert.sh", "Certificates are made by the program, or given."),
    cert_common_name: refused(
      "first onion",
      "Names of a certificate are its alternative names; nobody reads the common name.",
    ),
    onionspray_cert_days: replaced("365", "selfSignedDays", "A self-signed certificate is renewed in time."),
    ...Object.fromEntries(
      [
        ["country_name", "AQ"],
        ["state_province_name", "Internet"],
        ["locality_name", "Onion Space"],
        ["organization_name", "TLS Onion Space"],
        ["organization_unit_name", "Onion Service Certificate"],
      ].map(([name = "", there = ""]) => [`onionspray_cert_${name}`, refused(there, selfSignedName)]),
    ),
  },
};

const lines: Group = {
  title: "Lines and files",
  rows: {
    project: replaced(
      "default",
      "projects",
      "A list; each project has settings of its own, where there they are global.",
    ),
    softmap: replaced(none, "sites", "A site: domain, subdomains and, where it has one already, its onion address."),
    hardmap: refused(none, "Every site is balanced; one worker with one daemon is the smallest softmap."),
    foreignmap: replaced(none, "foreignMaps", "A list of onion and domain."),
    "nginx-site-<onion>.onion.conf": refused(none, noTemplates),
    projects_home: refused("projects.d", internal),
    template_tool: refused("expand-template", internal),
    script_names: refused("all scripts", internal),
    script_pause: refused("5", internal),
    cert_prefix: refused("computed", internal),
    log_dir: refused("computed", internal),
    ssl_dir: refused("computed", internal),
  },
};

const fixed: Group = {
  title: "Fixed there",
  rows: {
    client_max_body_size: replaced("4m", "nginxClientMaxBodySize", "Uploads are larger than 4m."),
    ssl_protocols: replaced("TLS 1.0 to 1.2", "always", "TLS 1.2 and 1.3 on the onion: every Tor Browser has them."),
    ssl_session_cache: refused("10m", "A setting that changes nothing that anybody notices."),
    ssl_buffer_size: refused("4k", "A setting that changes nothing that anybody notices."),
    proxy_temp_path: refused(
      "/tmp/nginx-proxy-<project>",
      "Files of nginx lie in directories of its own, not in /tmp.",
    ),
    client_body_temp_path: refused(
      "/tmp/nginx-body-<project>",
      "Files of nginx lie in directories of its own, not in /tmp.",
    ),
    proxy_cache_path: refused(
      "/tmp/nginx-cache-<project>",
      "Files of nginx lie in directories of its own, not in /tmp.",
    ),
  },
};

/** Every setting of Onionspray and of EOTK, which it comes from, by group. */
export const groups: readonly Group[] = [rewriting, blocking, nginx, tor, tls, lines, fixed];

/** The same, by name. */
export const onionspray: Readonly<Record<string, Row>> = Object.assign({}, ...groups.map(({ rows }) => rows)) as Record<
  string,
  Row
>;

/** Settings that Onionspray does not have. */
export const oursAlone: readonly string[] = [
  "backendHeader",
  "onionifyEmails",
  "accessLogFormat",
  "onionTls",
  "upstreamCertificate",
  "circuitRequestRate",
  "circuitRequestBurst",
  "circuitConnections",
];

const fold = (name: string): string => name.toLowerCase().replaceAll(/[_\s-]/g, "");
const folded = new Map(Object.entries(onionspray).map(([name, row]) => [fold(name), row]));

/** What became of a setting, in whatever spelling: `force_https`, `FORCE_HTTPS`, `forceHttps`. */
export function fateOf(name: string): Fate | undefined {
  return folded.get(fold(name));
}
