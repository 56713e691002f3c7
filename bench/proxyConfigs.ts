/** The nginx configs beside ours, one worker process each; their TLS to the origin is as strict as ours. */
const PEM = "/etc/ssl/certs/ca-certificates.crt";

/** A site: its domain and its onion. */
export type Named = readonly [domain: string, onion: string];

export interface Contestant {
  readonly name: string;
  readonly port: number;
  /** How many of the sites it rewrites. */
  readonly sites: number;
  /** Rules of subs_filter. */
  readonly rules: readonly string[];
  /** Onionspray's form: the origin's name in a variable, so a TLS handshake for every request. */
  readonly variable: boolean;
  /** It takes a second and more for a page of 10 MB. */
  readonly slow: boolean;
}

/** What the goals speak of. */
export const KEPT = "plain, keepalive";
export const VARIABLE = "plain, variable";
export const REGEX = "subs_filter regex";
export const REGEX_VARIABLE = "subs_filter regex, variable";

/** Plain proxy_pass, and subs_filter with the rules of the first 1 and of all sites. Ports from 8100 on. */
export function besides(names: readonly Named[]): Contestant[] {
  const some = [1, names.length].flatMap((sites) => {
    const [fixed, regex] = [fixedRules(names.slice(0, sites)), regexRules(names.slice(0, sites))];
    return [
      { name: `subs_filter fixed, ${sites}`, sites, rules: fixed, variable: false, slow: false },
      { name: `${REGEX}, ${sites}`, sites, rules: regex, variable: false, slow: sites > 1 },
      { name: `${REGEX_VARIABLE}, ${sites}`, sites, rules: regex, variable: true, slow: sites > 1 },
    ];
  });
  const plain = { sites: 0, rules: [], slow: false };
  const all = [{ ...plain, name: KEPT, variable: false }, { ...plain, name: VARIABLE, variable: true }, ...some];
  return all.map((each, n) => ({ ...each, port: 8100 + n }));
}

/** EOTK's form: regardless of case, a boundary on both sides; a second rule for dots with backslashes. */
function regexRules(names: readonly Named[]): string[] {
  return names.flatMap(([domain, onion]) =>
    [domain.replaceAll(".", "\\\\."), domain.replaceAll(".", "\\\\\\\\\\\\.")].map(
      (from) => `subs_filter "(?<![-_0-9a-zA-Z])${from}\\\\b" "${onion}" gir;`,
    ),
  );
}

function fixedRules(names: readonly Named[]): string[] {
  return names.map(([domain, onion]) => `subs_filter "${domain}" "${onion}" gi;`);
}

/** https with the pages. */
export function originConfig(folder: string): string {
  return `daemon on; worker_processes 1; user root; pid /run/origin.pid; error_log stderr error;
events { worker_connections 2048; }
http {
  access_log off; types { text/html html; } sendfile on; keepalive_requests 1000000; ssl_session_cache shared:s:1m;
  ssl_certificate ${folder}/origin.crt; ssl_certificate_key ${folder}/origin.key;
  server { listen 127.0.0.1:443 ssl; server_name _; root ${folder}/www; }
}
`;
}

/** All in one nginx, a port each. Buffers as ours. */
export function besideConfig(all: readonly Contestant[]): string {
  return `daemon on; worker_processes 1; pid /run/beside.pid; error_log stderr error;
load_module /usr/lib/nginx/modules/ngx_http_subs_filter_module.so;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000; proxy_http_version 1.1; resolver 127.0.0.1:5353 ipv6=off valid=30s;
  proxy_buffer_size 16k; proxy_buffers 8 16k; proxy_busy_buffers_size 32k; proxy_max_temp_file_size 64m;
  proxy_ssl_server_name on; proxy_ssl_name www.example.org;
  proxy_ssl_verify on; proxy_ssl_verify_depth 3; proxy_ssl_trusted_certificate ${PEM};
  proxy_set_header Connection ""; proxy_set_header Host www.example.org; proxy_set_header Accept-Encoding identity;
  upstream kept { server 127.0.0.1:443; keepalive 32; }
${all.map(server).join("\n")}
}
`;
}

function server({ port, rules, variable }: Contestant): string {
  const pass = `location / { proxy_pass https://${variable ? "$name$request_uri" : "kept"}; }`;
  return ["  server {", `listen 127.0.0.1:${port};`, ...rules, "set $name www.example.org;", pass, "}"].join("\n");
}
