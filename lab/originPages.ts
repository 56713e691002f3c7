/** The test origin's files: pure text, so that a test can see what a rewriting proxy is given. */

/** Every domain has this subdomain too. */
export const SUBDOMAINS = ["cdn"] as const;

/** A site whose certificate the lab's CA has not signed: what a worker must refuse. */
export const UNTRUSTED = "untrusted.test";

export const DEFAULT_DOMAINS = ["www.daily.test", "court.test", "tips.test"] as const;

/**
 * A page of exactly so many bytes: a client that gets all of them was not cut off. nginx's mime.types make it application/octet-stream, which no
 * proxy rewrites; its lines name the domain, so that one that does rewrite it changes its length.
 */
export const BIG_PAGE = { path: "/big.bin", bytes: 1_000_000 } as const;

/** Every name that the origin answers to. */
export function originNames(domains: readonly string[]): string[] {
  return [...domains.flatMap((domain) => [domain, ...SUBDOMAINS.map((sub) => `${sub}.${domain}`)]), UNTRUSTED];
}

/** Static files of one name: path below its folder -> text. */
export function pages(name: string, domains: readonly string[]): Record<string, string> {
  const domain = domains.find((one) => name === one || name.endsWith(`.${one}`)) ?? name;
  const cdn = `cdn.${domain}`;
  const others = domains.filter((one) => one !== domain);
  return {
    "index.html": `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${name}</title>
<link rel="canonical" href="https://${domain}/">
<link rel="stylesheet" href="https://${cdn}/style.css">
<script src="//${cdn}/app.js"></script>
</head>
<body>
<h1 id="origin">origin of ${name}</h1>
<p><a href="https://${domain}/landing">absolute</a> <a href="//${domain}/landing">protocol-relative</a> <a href="/landing">relative</a></p>
<p><a href="https://${cdn}/asset.txt">subdomain</a> <a href="http://${domain}/plain">plain http</a></p>
<ul>
${others.map((other) => `<li><a href="https://${other}/">${other}</a></li>`).join("\n")}
</ul>
<p>Not this site: <a href="https://not${domain}/">not${domain}</a>, <a href="https://${domain}.invalid/">${domain}.invalid</a>, desk@${domain}</p>
<script type="application/json">{"self":"https:\\/\\/${domain}\\/","cdn":"https:\\/\\/${cdn}\\/app.js"}</script>
</body>
</html>
`,
    landing: `<!doctype html><title>landing</title><p id="landing">landing of ${name}</p>\n`,
    "style.css": `@import "https://${cdn}/more.css";\nbody { background: url(https://${cdn}/paper.svg) }\n`,
    "more.css": `h1 { background: url("//${domain}/paper.svg") }\n`,
    "app.js": `export const api = "https://${domain}/data.json";\nexport const escaped = "https:\\/\\/${cdn}\\/";\n`,
    "data.json": `{"self":"https:\\/\\/${domain}\\/data.json","plain":"https://${domain}/","cdn":"https://${cdn}/"}\n`,
    "paper.svg": `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><!-- https://${domain}/ --></svg>\n`,
    "asset.txt": `asset of ${name}, see https://${domain}/\n`,
    [BIG_PAGE.path.slice(1)]: bigPage(name, domain),
    "404.html": `<!doctype html><title>404</title><p>no such page on <a href="https://${domain}/">${domain}</a></p>\n`,
  };
}

/** Numbered lines, ASCII alone, cut at the length: a piece that is missing or comes twice can be seen. */
function bigPage(name: string, domain: string): string {
  const line = (n: number) => `${String(n).padStart(6, "0")} ${name} https://${domain}/\n`;
  return Array.from({ length: Math.ceil(BIG_PAGE.bytes / line(0).length) }, (_, n) => line(n))
    .join("")
    .slice(0, BIG_PAGE.bytes);
}

/** The origin's nginx.conf. `certificates` holds NAME.crt and NAME.key of each domain (with its subdomains), `files` a folder a name. */
export function originConfig(domains: readonly string[], certificates: string, files: string): string {
  const servers = originNames(domains).map((name) => server(name, domains, certificates, files));
  return `daemon off;
user www-data;
worker_processes 1;
pid /run/origin.pid;
error_log stderr warn;
include /etc/nginx/modules-enabled/*.conf;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  charset utf-8;
  # gzip for who accepts it: a proxy that forgets to ask for identity finds out here
  gzip on; gzip_min_length 1; gzip_types text/css application/javascript application/json;
  log_format lab '$host $request_method $request_uri $status';
  access_log /dev/stdout lab;
  server { listen 80 default_server; return 301 https://$host$request_uri; }
  server { listen 443 ssl default_server; ssl_reject_handshake on; }
${servers.join("\n")}
}
`;
}

function server(name: string, domains: readonly string[], certificates: string, files: string): string {
  const domain = domains.find((one) => name === one || name.endsWith(`.${one}`)) ?? name;
  return `  server {
    listen 443 ssl;
    server_name ${name};
    ssl_certificate ${certificates}/${domain}.crt;
    ssl_certificate_key ${certificates}/${domain}.key;
    root ${files}/${name};
    error_page 404 /404.html;
    add_header X-Origin ${name} always;
    location = /landing { default_type text/html; }
    location = /redirect { return 302 https://${domain}/landing?from=redirect; }
    location = /redirect-subdomain { return 302 https://cdn.${domain}/asset.txt; }
    location = /cookie {
      default_type text/plain;
      add_header Set-Cookie "session=lab; Domain=${domain}; Path=/; Secure; HttpOnly";
      add_header Set-Cookie "plain=1; Path=/";
      return 200 "two cookies of ${domain}";
    }
    location = /policy {
      default_type text/plain;
      add_header Content-Security-Policy "default-src https://${domain} https://cdn.${domain}";
      add_header Link "<https://cdn.${domain}/style.css>; rel=preload";
      return 200 "headers that name ${domain}";
    }
    # as text, which no proxy rewrites: what the origin itself saw
    location = /headers.txt { default_type text/plain; content_by_lua_block { ${ECHO} } }
    location = /headers { default_type application/json; content_by_lua_block { ${ECHO} } }
  }`;
}

/** Lua: the request as JSON, `{ method, uri, host, headers: { name: [values] } }`. No JSON library is in nginx's lua, and strings are all it needs. */
const ECHO = String.raw`
      local function quote(s) return '"' .. s:gsub('[%c"\\\128-\255]', function(c) return string.format('\\u%04x', c:byte()) end) .. '"' end
      local names, parts = ngx.req.get_headers(0), {}
      for name, value in pairs(names) do
        local values = {}
        for _, one in ipairs(type(value) == "table" and value or { value }) do values[#values + 1] = quote(one) end
        parts[#parts + 1] = quote(name) .. ":[" .. table.concat(values, ",") .. "]"
      end
      table.sort(parts)
      ngx.say('{"method":', quote(ngx.req.get_method()), ',"uri":', quote(ngx.var.request_uri), ',"host":', quote(ngx.var.host), ',"headers":{', table.concat(parts, ","), '}}')
    `;

/**
 * dnsmasq's settings: the origin's names, the domains that hosts serve (with all their subdomains) and the package mirror's names, nothing else
 * (NXDOMAIN), and nobody is asked further.
 */
export function dnsConfig(
  origin: string,
  names: readonly string[],
  mirror: Readonly<Record<string, readonly string[]>>,
  hosted: Readonly<Record<string, string>> = {},
): string {
  const records = [
    ...names.map((name) => `host-record=${name},${origin}`),
    ...Object.entries(hosted).map(([domain, address]) => `address=/${domain}/${address}`),
    ...Object.entries(mirror).flatMap(([name, all]) => all.map((address) => `host-record=${name},${address}`)),
  ];
  return [
    "no-resolv",
    "no-hosts",
    "no-daemon",
    "log-facility=-",
    `listen-address=${origin}`,
    "bind-interfaces",
    "address=/#/",
    ...records,
    "",
  ].join("\n");
}
