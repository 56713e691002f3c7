"""What a machine says of itself to the operator's desk, as one line of JSON: cli/desk/survey.ts names every field. It changes nothing and waits for no lock."""
import fcntl
import json
import os
import platform
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure, run
from files import read
from machine import LOCK, asked_time, holder_of, parse_os_release
from probe import drift_of
from retire import ROLES, instances, owner_of
from services import Applied, enabled_of
from survey_publisher import publisher_seen
from survey_sites import certificates, proxy_seen
from survey_tor import tor_seen
from told import file_systems, parse_shown, project_of
from tree import Tree

PACKAGES = ("tor", "nginx", "onionbalance")
MOST_QUESTIONS = 8
UNIT_KINDS = (("softmap-tor@client.", "client tor"), ("softmap-tor@", "tor"), ("softmap-nginx@", "nginx"), ("softmap-balancer-tor.", "balancer tor"), ("softmap-prober-tor.", "prober tor"), ("softmap-onionbalance.", "onionbalance"), ("softmap-watchdog.", "watchdog"))
SHOWN = "Id,ActiveState,SubState,NRestarts,ActiveEnterTimestampMonotonic,MemoryCurrent,MainPID"


def disks():
    found = []
    for place, usage in file_systems():
        inodes = os.statvfs(place)
        count = {"inodesTotal": inodes.f_files or None, "inodesFree": inodes.f_favail if inodes.f_files else None}
        found.append({"place": place, "totalMb": usage.total // 1_000_000, "freeMb": usage.free // 1_000_000, **count})
    return found


def memory(text):
    """Of /proc/meminfo: what could be had without taking it from anybody is free."""
    rows = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    kb = lambda name: int((rows.get(name) or "0").split()[0])
    return {"total": kb("MemTotal") // 1024, "free": kb("MemAvailable") // 1024}


def synchronised():
    """What systemd knows of the clock; None where it cannot say: a container has that of its host."""
    if run(["systemd-detect-virt", "-q", "--container"], check=False).returncode == 0:
        return None
    answer = run(["timedatectl", "show", "-p", "NTPSynchronized", "--value"], check=False).text.strip()
    return {"yes": True, "no": False}.get(answer)


def versions():
    shown = run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n", *PACKAGES], check=False).text
    rows = (line.split() for line in shown.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}


def system_seen(asked):
    system = (read("/etc/os-release") or b"").decode("utf-8", "replace")
    facts = parse_os_release(system)
    return {
        "os": facts.get("PRETTY_NAME") or facts.get("ID") or "unknown",
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "load": os.getloadavg()[0],
        "memoryMb": memory((read("/proc/meminfo") or b"").decode()),
        "uptime": int(float((read("/proc/uptime") or b"0").split()[0])),
        "clockAhead": 0 if asked is None else round(time.time() - asked),
        "clockSynchronised": synchronised(),
        "disks": disks(),
        "packages": versions(),
    }


def lock_seen(path=LOCK):
    """Who holds the machine; None when nobody does: the note of a holder that has gone may still be there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        note = holder_of(handle)
        return {**{key: str(note.get(key, "unknown")) for key in ("by", "from", "what", "since")}, "process": int(note.get("process", 0))}
    finally:
        os.close(handle)


def role_seen(role):
    tree = Tree(role)
    release = tree.current()
    age = None if release is None else int(time.time() - os.lstat(tree.current_link).st_mtime)
    proved = Applied(os.path.join(tree.root, "applied.json")).release
    return {"role": role, "owner": owner_of(role) or "nobody", "release": release, "proved": proved, "age": age}


def kind_of(unit):
    return next((kind for start, kind in UNIT_KINDS if unit.startswith(start)), "base")


def project_in(unit):
    """The project in a worker's unit: softmap-tor@<project>-<n>-<generation>, softmap-nginx@<project>."""
    nginx = re.match(r"softmap-nginx@(.+)\.service\Z", unit)
    return nginx.group(1) if nginx else project_of(unit)


def number(text, none=("", "0", "[not set]", "18446744073709551615")):
    return int(text) if text is not None and text not in none and text.isdigit() else None


def units_seen(roles):
    """Every unit that is planned, and every one of ours that runs without being."""
    planned = {}
    for role in roles:
        applied = Applied(os.path.join(Tree(role).root, "applied.json"))
        planned.update({unit: "run" if wanted else "stand by" for unit, wanted in applied.services.items()})
        if role == "worker":
            planned.update({unit: "leaving" for unit in instances(role) if unit not in applied.services})
    if not planned:
        return []
    shown = parse_shown(run(["systemctl", "show", "-p", SHOWN, *sorted(planned)], check=False).text)
    enabled = enabled_of(sorted(planned))
    monotonic = time.clock_gettime(time.CLOCK_MONOTONIC)
    return [unit_seen(unit, planned[unit], shown.get(unit, {}), unit in enabled, monotonic) for unit in sorted(planned)]


def resident(pid):
    """MiB of a process alone, where the kernel does not count for the unit."""
    rows = dict(line.split(":", 1) for line in (read("/proc/%s/status" % pid) or b"").decode("utf-8", "replace").splitlines() if ":" in line)
    return int(rows["VmRSS"].split()[0]) // 1024 if "VmRSS" in rows else None


def unit_seen(unit, planned, state, enabled, monotonic):
    entered = number(state.get("ActiveEnterTimestampMonotonic"))
    active = state.get("ActiveState", "unknown")
    memory_bytes, pid = number(state.get("MemoryCurrent")), number(state.get("MainPID"))
    return {
        "unit": unit,
        "kind": kind_of(unit),
        "project": project_in(unit),
        "planned": planned,
        "state": active,
        "sub": state.get("SubState", "unknown"),
        "enabled": enabled,
        "restarts": number(state.get("NRestarts")) or 0,
        "age": int(monotonic - entered / 1e6) if entered is not None and active == "active" else None,
        "memoryMb": memory_bytes // (1 << 20) if memory_bytes is not None else resident(pid) if pid is not None else None,
        "pid": pid,
    }


def survey_of(payload, asked):
    roles = [role for role in ROLES if os.path.isdir(os.path.join(Tree(role).root, "releases"))]
    plans = {role: Tree(role).plan() or {} for role in roles}
    units = units_seen(roles)
    tors = [service for role in ("worker", "balancer") for service in plans.get(role, {}).get("services", []) if service["health"]["kind"] == "tor" and not service.get("standby")]
    projects = plans.get("worker", {}).get("proof") or []
    with ThreadPoolExecutor(MOST_QUESTIONS) as pool:
        drift = pool.submit(lambda: [finding for role in roles for finding in drift_of(role)])
        tor_answers = pool.map(lambda service: tor_seen(service, projects), tors)
        proxies = pool.map(lambda project: proxy_seen(project, payload["ask"]), projects)
        publisher = pool.submit(publisher_seen, payload["quick"]) if "publisher" in roles else None
        return {
            "system": system_seen(asked),
            "lock": lock_seen(),
            "roles": [role_seen(role) for role in roles],
            "units": units,
            "tors": list(tor_answers),
            "proxies": list(proxies),
            "certificates": certificates(projects),
            "publisher": publisher.result() if publisher else None,
            "drift": drift.result(),
        }


def survey_main(report, payload):
    """Prints one JSON line."""
    if not os.path.isdir("/run/systemd/system"):
        raise Failure("systemd is not what runs this machine. Next: see what it is.")
    report.raw(json.dumps(survey_of(payload, asked_time(sys.argv[1:]))))
