"""
How this machine is, for Prometheus. Two processes: one collects, as root, asks the machine's own sockets and writes a file; one hands that file
out to whoever may ask, and can do nothing else. docs/monitoring.md has every name.
"""
import datetime
import http.server
import ipaddress
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from metrics_page import Page
from metrics_sources import Clock, answer_on, certificates_seen, disks_seen, nginx_seen, publisher_seen, read_json, read_text, told_by, tor_seen, units_seen
from metrics_told import WATCHDOG, descriptors_seen, watchdog_seen
from told import WATCHDOG_STATUS

ETC = "/etc/softmap"
TEXT = "/run/softmap/metrics/metrics.prom"
ROLES = ("base", "worker", "balancer", "publisher", "metrics")
PROBER = "softmap-prober-tor.service"
FOLDERS = {"balancer": "tor", "prober": "prober"}  # of their torrcs in a release
EVERY = 10  # seconds; a scrape reads what was found last, so nobody can make the machine work
STALE = 60  # seconds after which what was found is no answer any more


def collected(etc, clock):
    """All of it, as text: every source by itself, so that one that hangs keeps none of the others."""
    page, current = Page(), lambda role, *path: os.path.join(etc, role, "current", *path)
    plans = {role: read_json(os.path.join(etc, role, "plan.json")) for role in ROLES}
    planned = sorted(unit for role in ROLES for unit, runs in read_json(os.path.join(etc, role, "applied.json")).get("services", {}).items() if runs)
    projects = plans["worker"].get("proof") or []
    backends = {each["unit"]: {**each, "project": project["project"]} for project in projects for each in project["backends"]}
    known = read_json(os.path.join(etc, "publisher", "publication.json"))
    work = [lambda: disks_seen(page), lambda: certificates_seen(page, current("worker")), lambda: page.add("softmap_clock_synchronised", clock.synchronised())]
    if planned:
        work.append(lambda: units_seen(page, planned, told_by("systemctl", "show", "-p", "Id,ActiveState,NRestarts", *planned)))
    for service in plans["worker"].get("services", []):
        daemon = service["unit"].partition("@")[2].removesuffix(".service")
        if service["health"]["kind"] == "tor":
            work.append(lambda service=service, daemon=daemon: tor_seen(page, service, current("worker", "tor", daemon, "torrc"), daemon, backends.get(service["unit"])))
        if service["health"]["kind"] == "nginx":
            path = os.path.join(os.path.dirname(service["health"]["socket"]), "status.sock")
            work.append(lambda project=daemon, path=path: nginx_seen(page, project, path))
    for service in plans["balancer"].get("services", []):
        name = "prober" if service["unit"] == PROBER else "balancer"
        if not service.get("standby"):
            work.append(lambda service=service, name=name: tor_seen(page, service, current("balancer", FOLDERS[name], "torrc"), name, None))
    if known:
        publishes = "softmap-onionbalance.service" in planned
        page.add("softmap_onionbalance_publishing", publishes)
        if publishes:
            utc = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            work.append(lambda: publisher_seen(page, known, answer_on(known["statusSocket"], b""), utc))
            work.append(lambda: descriptors_seen(page, known, read_text(known.get("publisherStatus", "")), time.time()))
        if WATCHDOG in planned:
            work.append(lambda: watchdog_seen(page, known, read_text(WATCHDOG_STATUS), time.time()))
    with ThreadPoolExecutor(8) as pool:
        failures = [error for error in (done.exception() for done in [pool.submit(each) for each in work]) if error]
    for error in failures:
        print("a source was not read: %r" % error, file=sys.stderr)
    page.add("softmap_collection_failures", len(failures))
    for role in ROLES:
        try:
            page.add("softmap_release_info", 1, role=role, release=os.path.basename(os.readlink(current(role))))
        except OSError:
            pass
    page.add("softmap_collected_timestamp_seconds", time.time())
    return page.text()


def put(path, text):
    with open(path + ".new", "w", encoding="utf-8") as handle:
        handle.write(text)
    os.replace(path + ".new", path)


def collect(etc=ETC, path=TEXT):
    clock = Clock()
    while True:
        started = time.monotonic()
        put(path, collected(etc, clock))
        time.sleep(max(1, EVERY - (time.monotonic() - started)))


def may_ask(address, networks):
    """Whether an address is this machine's own or in one of the networks."""
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or any(found in network for network in networks)


class Exporter(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, networks, path=TEXT):
        self.networks, self.path = networks, path
        # Both families on one socket, where the machine has both.
        self.address_family = socket.AF_INET6 if networks and socket.has_dualstack_ipv6() else socket.AF_INET
        super().__init__(("127.0.0.1" if not networks else "::" if self.address_family == socket.AF_INET6 else "", port), Answer)

    def server_bind(self):
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "softmap", self.socket.getsockname()[1]  # not by a look-up of its name

    def verify_request(self, request, client):
        return may_ask(client[0], self.networks)

    def handle_error(self, request, client):
        pass  # a client that went away, or that there is no thread for


class Answer(http.server.BaseHTTPRequestHandler):
    timeout = 5
    server_version, sys_version = "softmap", ""

    def do_GET(self):
        if self.path.split("?")[0] != "/metrics":
            return self.answer(404, "What this machine tells is at /metrics.\n")
        try:
            fresh = time.time() - os.stat(self.server.path).st_mtime < STALE
        except OSError:
            fresh = False
        if not fresh:
            return self.answer(503, "Nothing was collected lately. Next: journalctl -u softmap-metrics-collect on this machine.\n")
        self.answer(200, read_text(self.server.path))

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # who asks is not written down


def metrics_main(words=None):
    """`collect`, or `serve port=PORT [from=NETWORK,...]`."""
    what, *rest = sys.argv[1:] if words is None else words
    given = dict(word.split("=", 1) for word in rest)
    if what == "collect":
        collect()
    networks = [ipaddress.ip_network(each) for each in given.get("from", "").split(",") if each]
    Exporter(int(given["port"]), networks).serve_forever()
