// WordPress and Redmine on a host of the lab, as an operator who has never heard of onions sets them up: TLS, a cookie for https alone, HSTS, a
// policy that names hosts, an asset host.
import assert from "node:assert/strict";
import { certificateOf, execOn, type Lab } from "../../../lab/lab";

/** Both sites' only account. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/** The sites' domains: each has `cdn.` for its uploads or assets. */
export const sites = { wordpress: "www.blog.test", redmine: "tracker.test" } as const;

export const domains: readonly string[] = Object.values(sites);

/** Sets both up and starts them; returns when both answer. */
export async function serveSites(lab: Lab, host: string, account: Account): Promise<void> {
  const ran = await execOn(lab, host, ["sh", "-eu", "-s"], { input: setUp(lab, account), timeout: 120_000 });
  assert.equal(ran.code, 0, `the sites do not start:\n${ran.text.slice(-2000)}\n${ran.stderr.slice(-4000)}`);
}

/** Shell, for stdin: it has the keys and the password. */
function setUp(lab: Lab, account: Account): string {
  const certificates = domains.flatMap((domain) => {
    const { certificate, key } = certificateOf(lab, domain);
    return [put(`/etc/sites/${domain}.crt`, certificate), put(`/etc/sites/${domain}.key`, key)];
  });
  return [
    "umask 077; mkdir -p /etc/sites; chmod 755 /etc/sites",
    ...certificates,
    put("/etc/sites/nginx.conf", nginx),
    put(`/etc/wordpress/config-default.php`, wordpressConfig, "644"),
    put("/usr/share/redmine/config/additional_environment.rb", redmineEnvironment, "644"),
    put("/etc/sites/install.php", wordpressInstall(account), "600"),
    put("/etc/sites/seed.rb", redmineSeed(account), "600"),
    START,
    "",
  ].join("\n");
}

const put = (file: string, text: string, mode = "600") =>
  `cat >${file} <<'END OF ${file}'\n${text.trimEnd()}\nEND OF ${file}\nchmod ${mode} ${file}`;

const START = `
systemctl start mariadb php8.2-fpm
mariadb -e "CREATE DATABASE wordpress; CREATE USER wordpress@localhost IDENTIFIED VIA unix_socket; GRANT ALL ON wordpress.* TO wordpress@localhost"
# MariaDB knows its client by the system's user of the same name
mariadb -e "CREATE USER 'www-data'@localhost IDENTIFIED VIA unix_socket; GRANT ALL ON wordpress.* TO 'www-data'@localhost"
ln -sf /usr/share/wordpress/wp-content/themes/twentytwentyone /var/lib/wordpress/wp-content/themes/
run() { setpriv --reuid=www-data --regid=www-data --clear-groups "$@"; }
run php </etc/sites/install.php
cd /usr/share/redmine
install -d -o www-data -g www-data /run/redmine
RAILS_ENV=production run bundle exec rails runner - </etc/sites/seed.rb
systemd-run -q --unit sites-redmine --uid www-data --gid www-data -p WorkingDirectory=/usr/share/redmine -E RAILS_ENV=production \\
  puma -e production -b unix:///run/redmine/redmine.sock -t 2:4
systemd-run -q --unit sites-nginx nginx -c /etc/sites/nginx.conf
for site in ${domains.join(" ")}; do
  for turn in $(seq 100); do
    code=$(curl -s -o /dev/null -w '%{http_code}' --resolve "$site:443:127.0.0.1" "https://$site/") && [ "$code" = 200 ] && continue 2
    sleep 0.3
  done
  echo "$site answers $code" >&2
  journalctl -q --no-pager -n 40 -u sites-redmine -u sites-nginx -u php8.2-fpm >&2
  exit 1
done
`;

const nginx = `daemon off;
user www-data;
worker_processes 1;
pid /run/sites-nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  client_max_body_size 20m;
  gzip on; gzip_proxied any; gzip_types text/css application/javascript application/json image/svg+xml application/atom+xml application/rss+xml;
  server { listen 80 default_server; return 301 https://$host$request_uri; }
${Object.entries({ [sites.wordpress]: wordpressServer(), [sites.redmine]: redmineServer() })
  .map(
    ([domain, locations]) => `  server {
    listen 443 ssl http2;
    server_name ${domain} cdn.${domain};
    ssl_certificate /etc/sites/${domain}.crt;
    ssl_certificate_key /etc/sites/${domain}.key;
    add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;
${locations}
  }`,
  )
  .join("\n")}
}
`;

function wordpressServer(): string {
  return `    root /usr/share/wordpress;
    index index.php;
    location /wp-content/ { root /var/lib/wordpress; try_files $uri @code; }
    location @code { root /usr/share/wordpress; try_files $uri =404; }
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      try_files $uri =404;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_pass unix:/run/php/php8.2-fpm.sock;
    }`;
}

function redmineServer(): string {
  const cdn = `https://cdn.${sites.redmine}`;
  const policy = [
    `default-src 'self' ${cdn}`,
    `script-src 'self' ${cdn} 'unsafe-inline' 'unsafe-eval'`,
    `style-src 'self' ${cdn} 'unsafe-inline'`,
    `img-src 'self' ${cdn} data:`,
    `form-action https://${sites.redmine}`,
    "upgrade-insecure-requests",
  ].join("; ");
  return `    root /usr/share/redmine/public;
    add_header Content-Security-Policy "${policy}" always;
    add_header Access-Control-Allow-Origin https://${sites.redmine} always;
    location / { try_files $uri @rails; }
    location @rails {
      proxy_pass http://unix:/run/redmine/redmine.sock;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Proto https;
      proxy_cookie_flags ~ secure httponly samesite=lax;
    }`;
}

// no cron and no updates: WordPress would ask itself and wordpress.org
const wordpressConfig = `<?php
define('DB_NAME', 'wordpress');
define('DB_USER', posix_getpwuid(posix_geteuid())['name']);
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost');
define('FORCE_SSL_ADMIN', true);
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
define('COOKIE_DOMAIN', '${sites.wordpress}');
`;

// WordPress has no installer for the shell in Debian. Avatars would come from gravatar.com, pictures of the editor's guide from s.w.org.
const wordpressInstall = ({ user, password }: Account) => `<?php
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = ${JSON.stringify(sites.wordpress)};
$_SERVER['HTTPS'] = 'on';
$_SERVER['REQUEST_URI'] = '/';
require '/usr/share/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('The blog', ${JSON.stringify(user)}, 'desk@press.invalid', true, '', ${JSON.stringify(password)});
update_option('siteurl', 'https://${sites.wordpress}');
update_option('home', 'https://${sites.wordpress}');
update_option('upload_url_path', 'https://cdn.${sites.wordpress}/wp-content/uploads');
update_option('permalink_structure', '/%year%/%postname%/');
update_option('show_avatars', 0);
switch_theme('twentytwentyone');
update_user_meta(1, 'wp_persisted_preferences', ['core/edit-post' => ['welcomeGuide' => false], '_modified' => gmdate('c')]);
`;

const redmineEnvironment = `config.action_controller.asset_host = "https://cdn.${sites.redmine}"\n`;

const redmineSeed = ({ user, password }: Account) => `
Setting.protocol = "https"
Setting.host_name = ${JSON.stringify(sites.redmine)}
Setting.gravatar_enabled = "0"
Setting.text_formatting = "textile"
one = User.find_by(login: "admin")
one.update!(login: ${JSON.stringify(user)}, password: ${JSON.stringify(password)}, must_change_passwd: false, mail: "desk@press.invalid")
project = Project.new(name: "Press", identifier: "press", homepage: "https://${sites.wordpress}/", is_public: true)
project.trackers = Tracker.all
project.save!
`;
