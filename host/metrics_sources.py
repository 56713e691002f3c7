"""Where a machine's numbers come from: the sockets of its tors, nginxes and Onionbalance, systemd, its disks. No address of a backend, nothing of a reader."""
import glob
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
from control import Control, ControlError, bootstrap_state
from metrics_page import parse_exposition
from told import age_of, certificate_end, file_systems, introduction_circuits, parse_shown

PATIENCE = 3  # seconds for a socket of the machine's own
MOST_BYTES = 1 << 20
CLOCK_EVERY = 60
# Of what a tor counts: its onion service, its traffic, its bugs. All else is for relays.
TOR_FAMILIES = ("tor_hs_", "tor_bug_", "tor_relay_traffic_", "tor_relay_load_oom_")
NGINX_STATES = ("reading", "writing", "waiting")


def tor_numbers(page, text, labels):
    """What a tor counts, with whose it is in front. The address that it adds is the backend's own, which is nobody's business."""
    for family, kind, what, name, its, value in parse_exposition(text):
        if family.startswith(TOR_FAMILIES):
            page.raw(family, kind, what, name, (*labels, *(each for each in its if each[0] != "onion")), value)


def metrics_port(torrc):
    """(address, port) of the MetricsPort in a torrc, or None."""
    found = re.search(r"^MetricsPort ([0-9.]+):(\d+)$", torrc, re.M)
    return (found.group(1), int(found.group(2))) if found else None


def fetch_port(address, port):
    link = http.client.HTTPConnection(address, port, timeout=PATIENCE)
    try:
        link.request("GET", "/metrics")
        answer = link.getresponse()
        return answer.read(MOST_BYTES).decode("utf-8", "replace") if answer.status == 200 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        link.close()


def tor_seen(page, service, torrc, daemon, backend):
    """`backend` is its entry in the worker's plan, with its project; None of a balancer's tor."""
    project, name = (backend["project"], backend["name"]) if backend else ("", "")
    labels = {"project": project, "daemon": daemon, "backend": name}
    try:
        with Control(service["health"]["control"], PATIENCE) as control:
            page.add("softmap_tor_bootstrap_percent", bootstrap_state(control.info("status/bootstrap-phase"))[0], **labels)
            page.add("softmap_tor_circuits_ready", control.info("status/circuit-established") == "1", **labels)
            if backend:
                points = introduction_circuits(control.info("circuit-status"), backend["address"].removesuffix(".onion"))
                page.add("softmap_backend_introduction_points", points, **labels)
        page.add("softmap_tor_up", 1, **labels)
    except (ControlError, OSError):
        page.add("softmap_tor_up", 0, **labels)
    port = metrics_port(read_text(torrc))
    if port:
        text = fetch_port(*port)
        page.add("softmap_tor_metrics_up", text != "", **labels)
        tor_numbers(page, text, tuple(labels.items()))


# --- nginx


def parse_stub_status(text):
    """ngx_http_stub_status_module's four lines: (active, accepted, handled, requests, state -> connections). None when it is something else."""
    found = re.match(r"Active connections: (\d+) \nserver accepts handled requests\n (\d+) (\d+) (\d+) \nReading: (\d+) Writing: (\d+) Waiting: (\d+)", text)
    if not found:
        return None
    numbers = [int(each) for each in found.groups()]
    return (*numbers[:4], dict(zip(NGINX_STATES, numbers[4:])))


def answer_on(path, request=b"GET / HTTP/1.0\r\nHost: status\r\n\r\n"):
    """All that comes from a unix socket; "" when nothing does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stream:
            stream.settimeout(PATIENCE)
            stream.connect(path)
            stream.sendall(request)
            text = b""
            while len(text) < MOST_BYTES:
                more = stream.recv(65536)
                if not more:
                    break
                text += more
            return text.decode("utf-8", "replace")
    except OSError:
        return ""


def nginx_seen(page, project, path):
    found = parse_stub_status(answer_on(path).partition("\r\n\r\n")[2])
    page.add("softmap_nginx_up", found is not None, project=project)
    if found:
        active, accepted, handled, requests, states = found
        for state, count in {"active": active, **states}.items():
            page.add("softmap_nginx_connections", count, project=project, state=state)
        page.add("softmap_nginx_connections_accepted_total", accepted, project=project)
        page.add("softmap_nginx_connections_handled_total", handled, project=project)
        page.add("softmap_nginx_requests_total", requests, project=project)


# --- Onionbalance


def bare(address):
    """Without .onion; 0.2.2 writes it twice in places."""
    return address.removesuffix(".onion").removesuffix(".onion")


def publisher_seen(page, known, text, now):
    """`known` is the last publication on this balancer, `text` what the status socket said; onionbalance/hs_v3/status.py has its fields."""
    try:
        told = {bare(service["onionAddress"]): service for service in json.loads(text)["services"]}
    except (ValueError, KeyError, TypeError):
        told = None
    page.add("softmap_onionbalance_up", told is not None)
    received, offered = {}, {}
    for site in known.get("frontends", []):
        service = (told or {}).get(bare(site["address"]), {})
        names = {bare(each["address"]): each["name"] for each in site["backends"]}
        page.add("softmap_site_backends_planned", len(names), site=site["domain"])
        if told is None:
            continue
        for which in ("First", "Second"):
            page.add("softmap_site_publish_age_seconds", age_of(service.get("publishAttempt%sDescriptor" % which), now), site=site["domain"], descriptor=which.lower())
        has = 0
        for one in service.get("instances", []):
            name = names.get(bare(one["onionAddress"]))
            age = age_of(one.get("descriptorReceived") or one.get("received"), now)
            if name:
                has += age is not None
                received[name], offered[name] = age, one.get("introPointsNum")
        page.add("softmap_site_backends_known", has, site=site["domain"])
    for name in received:
        page.add("softmap_backend_descriptor_age_seconds", received[name], backend=name)
        page.add("softmap_backend_offered_points", offered[name], backend=name)


# --- the machine


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError:
        return ""


def read_json(path):
    try:
        return json.loads(read_text(path))
    except ValueError:
        return {}


def told_by(*argv):
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, timeout=20).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""


def units_seen(page, planned, shown):
    """`planned` are the units that are to run, `shown` what `systemctl show` says of them."""
    states = parse_shown(shown)
    for unit in planned:
        state = states.get(unit, {})
        page.add("softmap_unit_active", state.get("ActiveState") in ("active", "reloading"), unit=unit)
        restarts = state.get("NRestarts", "")
        page.add("softmap_unit_restarts_total", int(restarts) if restarts.isdigit() else None, unit=unit)


def disks_seen(page):
    for place, usage in file_systems():
        page.add("softmap_disk_free_bytes", usage.free, place=place)
        page.add("softmap_disk_size_bytes", usage.total, place=place)


def certificates_seen(page, root):
    for path in glob.glob(os.path.join(root, "nginx", "*", "*.crt")):
        domain = os.path.basename(path)[: -len(".crt")]
        if domain.endswith((".upstream", ".authorities")):  # not what an onion shows: plan/names.ts
            continue
        try:
            end = certificate_end(path)
        except (OSError, ValueError, KeyError, ssl.SSLError):
            continue
        page.add("softmap_certificate_end_timestamp_seconds", end, project=os.path.basename(os.path.dirname(path)), domain=domain)


class Clock:
    """Whether something sets the clock. Asking starts a service of systemd's, so it is done once a minute; a container has its host's clock."""

    def __init__(self):
        self.asked, self.known = None, None
        self.container = told_by("systemd-detect-virt", "--container").strip() not in ("", "none")

    def synchronised(self):
        if not self.container and (self.asked is None or time.monotonic() - self.asked >= CLOCK_EVERY):
            self.asked = time.monotonic()
            self.known = {"yes": 1, "no": 0}.get(told_by("timedatectl", "show", "-p", "NTPSynchronized", "--value").strip())
        return self.known
