import type { Derived } from "../../../lab/lab";

/** Real sites, each with a database: WordPress (PHP, MariaDB) and Redmine (Ruby on Rails, SQLite). And a browser to look at them. */
export const sitesImage: Derived = {
  name: "sites",
  packages: [
    ...["wordpress", "wordpress-theme-twentytwentyone", "mariadb-server", "php-fpm", "php-mysql", "php-xml", "php-gd"],
    ...["redmine", "redmine-sqlite", "puma"],
    ...["chromium", "chromium-driver", "python3-selenium"],
  ],
  // its postinst makes no database: it would have to be told where MariaDB is, which does not run
  answers: ["redmine redmine/instances/default/dbconfig-install boolean false"],
  disabled: ["mariadb.service", "php8.2-fpm.service"],
  // an empty database does not depend on the lab
  finish: `
mkdir -p /var/lib/redmine/default/db
cat >/etc/redmine/default/database.yml <<END
production:
  adapter: sqlite3
  database: /var/lib/redmine/default/db/redmine.sqlite3
  timeout: 10000
END
chown -R www-data: /var/lib/redmine/default/db /etc/redmine/default
cd /usr/share/redmine
export RAILS_ENV=production REDMINE_LANG=en SCHEMA=/dev/null
# one after the other: a process that has just made the tables loads nothing into them
for task in db:migrate redmine:load_default_data; do
  setpriv --reuid=www-data --regid=www-data --clear-groups bundle exec rake -q $task >/tmp/task || { tail /tmp/task >&2; exit 1; }
done
`,
};
