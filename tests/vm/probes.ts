// Programs of the tests that run on the machine: an origin, and how a connection ends.

/** Shell that starts DNS and an https origin on loopback, as a unit; the certificate and key are files beside it. Every name is 127.0.0.1. */
export const originScript = (certificate: string, key: string, page: string): string => `
set -e
install -d -m 700 /run/origin
cat > /run/origin/crt <<'EOF'
${certificate}EOF
cat > /run/origin/key <<'EOF'
${key}EOF
cat > /run/origin/serve.py <<'EOF'
import http.server, socket, ssl, threading
PAGE = ${JSON.stringify(page)}.encode()
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)
def names():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 53))
    while True:
        asked, who = udp.recvfrom(512)
        end = asked.index(b"\\0", 12) + 5
        a = asked[end - 4:end - 2] == b"\\0\\1"
        answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x7f\\0\\0\\1" if a else b""
        udp.sendto(asked[:2] + b"\\x81\\x80\\0\\1" + (b"\\0\\1" if a else b"\\0\\0") + b"\\0\\0\\0\\0" + asked[12:end] + answer, who)
threading.Thread(target=names, daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/run/origin/crt", "/run/origin/key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
EOF
systemd-run -q --unit=origin python3 -I -u /run/origin/serve.py
for i in $(seq 60); do ss -ltnH sport = :443 | grep -q . && exit 0; sleep 0.5; done
systemctl status --no-pager origin; exit 1
`;

/** Shell that says how a TCP connection of a user ends: an errno's name, "timeout" or "connected". */
export const connects = (user: string, address: string, port: number): string =>
  `setpriv --reuid ${user} --regid nogroup --clear-groups python3 -I -c '
import errno, socket
try:
    socket.create_connection(("${address}", ${port}), 3)
    print("connected")
except TimeoutError:
    print("timeout")
except OSError as error:
    print(errno.errorcode.get(error.errno, str(error)))
'`;

/** Shell that prints, for each process of a unit, its program, its AppArmor label and its mode. */
export const confinement = (unit: string): string => `
for pid in $(cat /sys/fs/cgroup"$(systemctl show -P ControlGroup '${unit}')"/cgroup.procs); do
  printf '%s %s\\n' "$(basename "$(readlink /proc/$pid/exe)")" "$(cat /proc/$pid/attr/apparmor/current)"
done`;

/**
 * Shell that gives a balancer's tor a consensus without relays, as if it had one from its last run: Onionbalance ends at once where there is
 * none. tor hands out what is on its disk and does not look.
 */
export const consensusScript = (folder: string): string => `
now=$(date +%s)
at() { date -u -d "@$((now + $1))" '+%Y-%m-%d %H:%M:%S'; }
cat > ${folder}/cached-microdesc-consensus <<EOF
network-status-version 3 microdesc
vote-status consensus
consensus-method 32
valid-after $(at -600)
fresh-until $(at 3000)
valid-until $(at 9600)
voting-delay 300 300
client-versions
server-versions
known-flags Exit Fast Guard HSDir Running Stable V2Dir Valid
params hsdir_interval=1440
shared-rand-previous-value 9 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
shared-rand-current-value 9 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
directory-footer
EOF
chown --reference=${folder} ${folder}/cached-microdesc-consensus
`;

/** Shell that runs a program as a user under a profile and says what it said; the program failing is no failure. */
export const under = (profile: string, user: string, command: string): string =>
  `setpriv --reuid ${user} --regid ${user} --clear-groups aa-exec -p ${profile} -- ${command} 2>&1; true\n`;
