// "Theirs" on a host of the lab: a deployment in Onionspray's layout, from Debian's own packages, started as its operator starts it.
import assert from "node:assert/strict";
import { execOn, readNetwork, type Lab } from "../../lab/lab";
import type { OnionKeys } from "../../onion/keys";

/** Where it lies, and whose it is. */
export const theirs = { user: "spray", home: "/home/spray/onionspray" } as const;
const { user, home } = theirs;
const project = `${home}/projects/news`;
const backend = `${project}/hs-1`;
const balancer = `${home}/onionbalance`;
const onionbalance = `${home}/opt/bin/onionbalance`;

/** Runs a command on the host as root; it must succeed. */
export async function onHost(lab: Lab, host: string, argv: readonly string[], input?: string): Promise<string> {
  const ran = await execOn(lab, host, argv, input === undefined ? {} : { input });
  assert.equal(ran.code, 0, `${argv.join(" ")}: ${ran.text}${ran.stderr}`);
  return ran.text;
}

const asTheirs = (script: string) => ["runuser", "-u", user, "--", "sh", "-c", script];

/** A file of theirs, of their user. */
async function put(lab: Lab, host: string, path: string, text: string | Uint8Array): Promise<void> {
  const base64 = Buffer.from(text).toString("base64");
  await onHost(lab, host, asTheirs(`umask 077; mkdir -p "$(dirname ${path})" && base64 -d > ${path}`), base64);
}

function torrc(folder: string, network: readonly string[], more: readonly string[]): string {
  return [
    ...network,
    `DataDirectory ${folder}`,
    `ControlPort unix:${folder}/tor-control.sock`,
    "CookieAuthentication 1",
    `PidFile ${folder}/tor.pid`,
    `Log notice file ${folder}/tor.log`,
    "SafeLogging 1",
    "RunAsDaemon 1",
    ...more,
    "",
  ].join("\n");
}

function nginxConf(domain: string, address: string, resolver: string): string {
  return `
pid ${project}/nginx.pid;
error_log ${project}/log/nginx-error.log error;
worker_processes 1;
events { worker_connections 512; }
http {
  access_log off;
  resolver ${resolver} ipv6=off;
  client_body_temp_path ${project}/tmp-body;
  proxy_temp_path ${project}/tmp-proxy;
  fastcgi_temp_path ${project}/tmp-fastcgi;
  uwsgi_temp_path ${project}/tmp-uwsgi;
  scgi_temp_path ${project}/tmp-scgi;
  server {
    listen unix:${backend}/port-80.sock;
    server_name ${address};
    location / {
      proxy_pass https://${domain}$request_uri;
      proxy_ssl_server_name on;
      proxy_set_header Host ${domain};
      add_header X-Softmap-Backend theirs always;
    }
  }
}
`;
}

/**
 * The user, the folders, the key, one backend's tor, their nginx, the balancer, and what starts them: nothing runs yet. One backend, because Debian's
 * Onionbalance takes two points on one relay where there are several, which the lab's six relays make certain: a client that has such a descriptor tries one of
 * the two for ever once its backend has another point (templates/onionbalance-launch.ejs, choose), whoever publishes what by then.
 */
export async function installTheirs(lab: Lab, host: string, domain: string, keys: OnionKeys): Promise<void> {
  const { torrc: network } = readNetwork(lab);
  const address = keys.address.replace(".onion", "");
  await onHost(lab, host, ["useradd", "--create-home", user]);
  const folders = `${backend} ${project}/log`;
  await onHost(lab, host, asTheirs(`umask 077; mkdir -p ${folders} ${balancer} ${home}/secrets`));
  await put(lab, host, `${home}/secrets/${address}.v3sec.key`, keys.secretFile);
  await put(lab, host, `${project}/softmap.conf`, "");
  const resolver = (await onHost(lab, host, ["awk", "/^nameserver/ {print $2; exit}", "/etc/resolv.conf"])).trim();
  await put(lab, host, `${project}/nginx.conf`, nginxConf(domain, keys.address, resolver));
  const service = [
    "SocksPort 0",
    `HiddenServiceDir ${backend}`,
    `HiddenServicePort 80 unix:${backend}/port-80.sock`,
    "HiddenServiceOnionBalanceInstance 1",
  ];
  await put(lab, host, `${backend}/tor.conf`, torrc(backend, network, service));
  await put(lab, host, `${backend}/ob_config`, `MasterOnionAddress ${keys.address}\n`);
  await put(lab, host, `${balancer}/tor.conf`, torrc(balancer, network, ["SocksPort 127.0.0.1:9055"]));
  // Their own Onionbalance, as a tool that builds it has it: the lab's Tor network needs this option.
  await put(lab, host, onionbalance, '#!/bin/sh\nexec /usr/sbin/onionbalance --is-testnet "$@"\n');
  await onHost(lab, host, ["chmod", "700", onionbalance]);
  await put(lab, host, `${home}/start.sh`, startScript(address));
  const unit = `[Unit]\nAfter=network.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nUser=${user}\nExecStart=/bin/sh ${home}/start.sh\n[Install]\nWantedBy=multi-user.target\n`;
  await onHost(lab, host, ["tee", "/etc/systemd/system/onionspray.service"], unit);
  await onHost(lab, host, ["systemctl", "enable", "onionspray.service"]);
  await onHost(lab, host, ["mkdir", "-p", "/etc/cron.d"]);
  const cron = `# theirs\n17 3 * * 0 ${user} /bin/sh ${home}/start.sh\n`;
  await onHost(lab, host, ["tee", "/etc/cron.d/onionspray"], cron);
}

/** What their own start does: the backend's tor, nginx, then Onionbalance with the backends' addresses. */
function startScript(address: string): string {
  return `set -e
cd ${home}
tor --quiet -f ${backend}/tor.conf
nginx -c ${project}/nginx.conf
tor --quiet -f ${balancer}/tor.conf
{
  echo "status-socket-location: ${balancer}/ob-status.sock"
  echo "services:"
  echo "- key: ${home}/secrets/${address}.v3sec.key"
  echo "  instances:"
  echo "  - address: $(cut -d. -f1 ${backend}/hostname)"
} > ${balancer}/config.yaml
# Onionbalance ends at once where its tor has no consensus yet: theirs waits a minute.
until grep -q "Bootstrapped 100%" ${balancer}/tor.log; do sleep .2; done
${onionbalance} -s ${balancer}/tor-control.sock -c ${balancer}/config.yaml > ${balancer}/onionbalance.log 2>&1 &
echo $! > ${balancer}/ob.pid
`;
}

/** Starts it by hand, as its operator does. */
export async function startTheirs(lab: Lab, host: string): Promise<void> {
  await onHost(lab, host, ["systemd-run", "--scope", "--quiet", `--uid=${user}`, "--", "/bin/sh", `${home}/start.sh`]);
}

/** Commands of theirs that run: tor, nginx, onionbalance. */
export async function theirProcesses(lab: Lab, host: string): Promise<string[]> {
  const ran = await execOn(lab, host, ["ps", "-u", user, "-o", "comm="]);
  return ran.text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => ["tor", "nginx", "onionbalance"].includes(line) || line.startsWith("python"))
    .sort();
}

/** What theirs said last: its Onionbalance and its tors. */
export async function theirLastWords(lab: Lab, host: string): Promise<string> {
  const logs = [`${balancer}/onionbalance.log`, `${balancer}/config.yaml`, `${balancer}/tor.log`, `${backend}/tor.log`];
  return (await execOn(lab, host, ["tail", "-n", "20", ...logs])).text;
}
