"""The host itself: is it one that we know, is it free, what does a release have to know about it."""
import fcntl
import ipaddress
import json
import os
import shutil
import time
from report import Failure, run
from files import make_dir, read

LOCK = "/run/softmap/host.lock"
FOREIGN_SECONDS = 10  # another operator's step may be in its last moments
# No host's clock is honestly older than this text. Tor refuses a consensus that seems to come from the future.
WRITTEN = 1763856000  # 2025-11-23
# ID and VERSION_ID of os-release: what has the packages in versions that work together.
SYSTEMS = (("debian", "12"), ("debian", "13"), ("ubuntu", "24.04"))
# Its Python 3.12 no longer runs its Onionbalance 0.2.2: the module imp is gone.
WORKERS_ONLY = (("ubuntu", "24.04"),)
CLOCK_SECONDS = 300
ROOM_MB = {"/": 50, "/var": 50, "/etc": 20}


def holder_text(holder):
    return "%s from %s (%s, process %s, since %s)" % tuple(holder.get(key, "unknown") for key in ("by", "from", "what", "process", "since"))


def lock(report, what, seconds, stack=None, path=LOCK, plan=True):
    """
    Holds the host for this process alone. Another step of the same operator and stack is waited for; another operator's is not: two plans must not
    be mixed on one host. Who has no `plan`, as the machine's own renewal, waits for everybody and is waited for. Says who has it, since when, and
    how to go on. The kernel frees it with its process: it is never stale without one.
    """
    make_dir(os.path.dirname(path))
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    mine = {"by": os.environ.get("SOFTMAP_BY") or "root", "from": os.environ.get("SOFTMAP_FROM") or "this machine", "stack": stack or ""}
    end, told, start = time.monotonic() + seconds, -60.0, time.monotonic()
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = holder_of(handle)
            foreign = plan and bool(holder) and holder.get("plan", True) and any(holder.get(key) != value for key, value in mine.items())
            if time.monotonic() > end or (foreign and time.monotonic() - start > min(FOREIGN_SECONDS, seconds)):
                raise Failure(
                    "%s holds this host%s; nothing was changed. Next: ask whether that is still wanted, and run `pulumi up` again when it has ended. If nobody is behind it any more, end it on the host: sudo kill %s"
                    % (holder_text(holder), " for stack %s" % holder["stack"] if holder.get("stack") else "", holder.get("process", "its process"))
                )
            if time.monotonic() - told > 15:
                told = time.monotonic()
                report.say("waiting for %s" % holder_text(holder))
            time.sleep(0.2)
    note = {**mine, "plan": plan, "what": what, "process": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(note).encode(), 0)
    return handle


def holder_of(handle):
    """What the holder wrote of itself; {} in the moment before it has."""
    try:
        return json.loads(os.pread(handle, 2000, 0))
    except ValueError:
        return {}


def unlock(handle):
    os.ftruncate(handle, 0)
    os.close(handle)


def parse_os_release(text):
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key.strip(): value.strip().strip("\"'") for key, value in pairs}


def check_system(os_release, has_apt, booted_by_systemd, roles=()):
    """Problems of the host that no release can mend, each with its next step."""
    facts = parse_os_release(os_release)
    name = facts.get("PRETTY_NAME") or facts.get("ID") or "an unknown system"
    system = (facts.get("ID"), facts.get("VERSION_ID"))
    problems = []
    if not has_apt or system not in SYSTEMS:
        problems.append("it runs %s; softmap needs Debian 12 or 13, or Ubuntu 24.04 for a worker. Next: give it a host with one of them" % name)
    elif system in WORKERS_ONLY and {"balancer", "publisher"} & set(roles):
        problems.append("it runs %s, whose Onionbalance does not run on its own Python 3.12. Next: make it a worker, and give the balancer Debian 12 or 13" % name)
    if not booted_by_systemd:
        problems.append("systemd is not what runs it (no /run/systemd/system). Next: boot it with systemd")
    return problems


def check_clock(now, newest):
    """Tor does not work with a wrong clock, and says so only in its log."""
    floor = max(WRITTEN, newest) - 86400
    if now < floor:
        return ["its clock says %s, earlier than files on its own disk. Next: set it (timedatectl set-ntp true)" % time.strftime("%Y-%m-%d %H:%M", time.gmtime(now))]
    return []


def asked_time(words):
    """The clock of the machine that deploys, from the word now=SECONDS."""
    given = next((word[4:] for word in words if word.startswith("now=")), None)
    return int(given) if given else None


def clock_problem(now, asked):
    """Two clocks that are far apart: Tor works with neither, and nobody here can say which one is right."""
    if asked is None or abs(now - asked) <= CLOCK_SECONDS:
        return []
    here, there = (time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(each)) for each in (now, asked))
    return ["its clock says %s, and that of the machine which runs pulumi %s. Next: set the wrong one, with timedatectl set-ntp true on it" % (here, there)]


def check_room():
    """The first place that has too little room for a release."""
    for place, least in ROOM_MB.items():
        free = shutil.disk_usage(place).free // 1_000_000
        if free < least:
            return ["%s has %d MB free, a release needs %d MB. Next: make room" % (place, free, least)]
    return []


def check_host(role):
    """Raises one Failure with everything that is wrong with this host."""
    system = (read("/etc/os-release") or b"").decode("utf-8", "replace")
    problems = check_system(system, shutil.which("apt-get", path="/usr/bin:/bin") is not None, os.path.isdir("/run/systemd/system"), [role])
    stamps = [os.stat(path).st_mtime for path in ("/var/lib/dpkg/status", "/etc/os-release") if os.path.exists(path)]
    problems += check_clock(time.time(), max(stamps, default=0))
    problems += check_room()
    if problems:
        raise Failure("this host cannot be used: " + "; ".join(problems) + ".")
    if run(["systemctl", "is-system-running"], check=False).text.strip() == "offline":
        raise Failure("systemd does not answer. Next: reboot the host.")


def parse_resolvers(text):
    """The name servers of a resolv.conf, written as nginx wants them."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        try:
            address = ipaddress.ip_address(words[1])
        except ValueError:
            continue  # fe80::1%eth0 and the like: nginx cannot use a scope
        if isinstance(address, ipaddress.IPv6Address) and address.is_link_local:
            continue
        text_form = "[%s]" % address if address.version == 6 else str(address)
        if text_form not in found:
            found.append(text_form)
    return found


def has_ipv6():
    """True when the host has a global IPv6 address: nginx would else try AAAA answers that lead nowhere."""
    lines = (read("/proc/net/if_inet6") or b"").decode().splitlines()
    return any(len(line.split()) == 6 and line.split()[3] == "00" and not line.split()[0].startswith("f") for line in lines)


def nginx_facts():
    """The directives that only the host knows, without the release's marker."""
    resolvers = parse_resolvers((read("/etc/resolv.conf") or b"").decode("utf-8", "replace"))
    if not resolvers:
        return "# /etc/resolv.conf names no usable server\n"
    return "resolver %s valid=30s%s;\n" % (" ".join(resolvers), "" if has_ipv6() else " ipv6=off")

