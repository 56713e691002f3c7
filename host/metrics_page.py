"""What a machine tells Prometheus: every name of ours, and the text format 0.0.4."""
import re

# name -> (type, what it is); docs/monitoring.md, the rules and the dashboard are held to it by tests.
FAMILIES = {
    "softmap_collected_timestamp_seconds": ("gauge", "The machine's clock when all of this was found."),
    "softmap_collection_failures": ("gauge", "Sources that could not be read in the last round; the collector's journal says why."),
    "softmap_release_info": ("gauge", "The release of each role that serves; always 1."),
    "softmap_unit_active": ("gauge", "Whether a unit that is planned to run does."),
    "softmap_unit_restarts_total": ("counter", "Restarts that systemd made of itself."),
    "softmap_tor_up": ("gauge", "Whether a tor answers on its control socket."),
    "softmap_tor_metrics_up": ("gauge", "Whether a tor answers on its MetricsPort."),
    "softmap_tor_bootstrap_percent": ("gauge", "How far a tor has come on its way into the network."),
    "softmap_tor_circuits_ready": ("gauge", "Whether a tor has a circuit that works."),
    "softmap_backend_introduction_points": ("gauge", "Introduction circuits that stand: of two descriptors, so twice torIntrosPerDaemon."),
    "softmap_nginx_up": ("gauge", "Whether a project's nginx answers on its status socket."),
    "softmap_nginx_connections": ("gauge", "Connections of a project's nginx by state."),
    "softmap_nginx_connections_accepted_total": ("counter", "Connections that a project's nginx took."),
    "softmap_nginx_connections_handled_total": ("counter", "Connections that a project's nginx served: less than taken means that it is at its limit."),
    "softmap_nginx_requests_total": ("counter", "Requests to a project's nginx."),
    "softmap_onionbalance_publishing": ("gauge", "Whether this balancer is to publish: 0 stands by."),
    "softmap_onionbalance_up": ("gauge", "Whether Onionbalance answers on its status socket."),
    "softmap_site_publish_age_seconds": ("gauge", "Since Onionbalance last tried to upload a site's descriptor; a try, no success."),
    "softmap_site_backends_planned": ("gauge", "Backends that a site is published with."),
    "softmap_site_backends_known": ("gauge", "Of them those whose descriptor Onionbalance has."),
    "softmap_backend_descriptor_age_seconds": ("gauge", "Since Onionbalance got a backend's descriptor."),
    "softmap_backend_offered_points": ("gauge", "Introduction points in a backend's own descriptor as Onionbalance has it."),
    "softmap_publisher_info": ("gauge", "How the publisher deals introduction points to directories, and on which Onionbalance; always 1."),
    "softmap_publisher_status_age_seconds": ("gauge", "Since the publisher last told of itself: every ten seconds."),
    "softmap_publisher_problems": ("gauge", "What the publisher cannot do as it should, and goes on without."),
    "softmap_site_backends_listed": ("gauge", "Backends of a site that the publisher lists."),
    "softmap_site_backends_left_out": ("gauge", "Backends of a site that are left out of its descriptors, by whom: operator or watchdog."),
    "softmap_site_backends_spared": ("gauge", "Backends of a site that are marked and stay listed, because too few would be left."),
    "softmap_backend_left_out": ("gauge", "Whether a backend is left out of the descriptors, and by whom."),
    "softmap_descriptor_directories": ("gauge", "Directories that a descriptor goes to, by what became of the upload; asked: whether clients ask them."),
    "softmap_descriptor_stored_age_seconds": ("gauge", "Since a directory last stored a site's descriptor as it is now."),
    "softmap_watchdog_broken": ("gauge", "Whether the watchdog holds nothing against anybody: it does not trust its own probes, or tells nothing."),
    "softmap_watchdog_status_age_seconds": ("gauge", "Since the watchdog last told of itself: at every round."),
    "softmap_backend_answers": ("gauge", "Whether a backend answers the watchdog; absent while nobody knows."),
    "softmap_backend_probe_seconds": ("gauge", "How long a backend took for its last answer to the watchdog."),
    "softmap_certificate_end_timestamp_seconds": ("gauge", "When the certificate ends that an onion shows."),
    "softmap_disk_free_bytes": ("gauge", "What is free of a file system."),
    "softmap_disk_size_bytes": ("gauge", "How large a file system is."),
    "softmap_clock_synchronised": ("gauge", "Whether something sets the clock by the network; absent where the machine cannot say."),
}


class Page:
    """What is told: families by name, each with its samples. Several threads add to it."""

    def __init__(self):
        self.families = {}

    def add(self, name, value, **labels):
        """A sample of a family of ours; None is not told."""
        kind, text = FAMILIES[name]
        if value is not None:
            self.raw(name, kind, text, name, tuple(labels.items()), value)

    def raw(self, family, kind, text, name, labels, value):
        self.families.setdefault(family, (kind, text, []))[2].append((name, labels, value))

    def text(self):
        lines = []
        for family, (kind, text, samples) in sorted(self.families.copy().items()):
            lines += ["# HELP %s %s" % (family, text), "# TYPE %s %s" % (family, kind)]
            lines += ["%s%s %s" % (name, braces(labels), figure(value)) for name, labels, value in sorted(samples, key=lambda each: each[:2])]
        return "\n".join(lines) + "\n"


def braces(labels):
    pairs = ['%s="%s"' % (key, str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")) for key, value in labels if value]
    return "{%s}" % ",".join(pairs) if pairs else ""


def figure(value):
    return value if isinstance(value, str) else str(int(value)) if float(value).is_integer() else "%.3f" % value


def parse_labels(text):
    """`a="x",b="y"` -> [("a", "x"), ...]."""
    return [(key, re.sub(r"\\(.)", lambda found: "\n" if found.group(1) == "n" else found.group(1), value)) for key, value in re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"', text)]


def parse_exposition(text):
    """Prometheus's text format: yields (family, type, help, name, labels, value as text)."""
    kinds, helps = {}, {}
    for line in text.splitlines():
        words = line.split(" ", 3)
        if line.startswith("# TYPE ") and len(words) == 4:
            kinds[words[2]] = words[3]
        elif line.startswith("# HELP ") and len(words) == 4:
            helps[words[2]] = words[3]
        else:
            found = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$", line)
            if found:
                name = found.group(1)
                family = next((each for each in (name, re.sub(r"_(bucket|sum|count)$", "", name)) if each in kinds), name)
                yield family, kinds.get(family, "untyped"), helps.get(family, ""), name, parse_labels(found.group(2) or ""), found.group(3)
