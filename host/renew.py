"""
Restarts what still runs a program that an update has replaced: one unit at a time, each healthy before the next. A timer runs it daily.
Of a project's tors one a round: a restarted tor has other introduction points, and Onionbalance needs the time between two rounds to publish them.
"""
import os
import re
import sys
import time
from report import run
from health import Watch, is_running, unit_state, wait_healthy
from machine import lock, unlock
from release import old_markers
from takeover import take_over
from told import project_of
from tree import Tree

ROLES = ("worker", "balancer", "publisher")
# A file that was replaced is still mapped under its name, with this behind it (proc(5), maps).
GONE = re.compile(r" (/usr/\S+|/lib\S+|/bin/\S+|/sbin/\S+) \(deleted\)$")
# Modules of Python are not mapped: what is newer than the process counts as replaced.
MODULES = "/usr/lib/python3/dist-packages"
PYTHON = tuple("%s/%s" % (MODULES, name) for name in ("onionbalance", "stem", "cryptography", "yaml", "setproctitle"))
PROC, CGROUPS = "/proc", ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd")
FREE_SECONDS = 1800  # a deployment may wait for others in its turn


def replaced_maps(text):
    """Programs and libraries in a process's maps that are not on the disk any more."""
    return sorted({found.group(1) for found in map(GONE.search, text.splitlines()) if found})


def replaced_in(pid, proc=PROC):
    try:
        with open("%s/%s/maps" % (proc, pid)) as maps:
            return replaced_maps(maps.read())
    except OSError:  # it has ended, and what comes in its place runs what is there
        return []


def started(pid, proc=PROC):
    """When a process was started: the 22nd word of its stat, ticks since the boot (proc(5)); the 2nd, its name, may have blanks."""
    with open("%s/%s/stat" % (proc, pid)) as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")


def newer_than(pid, folders=PYTHON, proc=PROC):
    """Whether a folder has a module that is newer than the process."""
    try:
        since = started(pid, proc)
        paths = [os.path.join(root, name) for folder in folders for root, _, names in os.walk(folder) for name in names if name.endswith(".py")]
        return any(os.stat(path).st_ctime > since for path in paths)
    except OSError:
        return False


def processes(state, roots=CGROUPS):
    """All of a unit: nginx's workers may have loaded what its master has not."""
    found = {state.get("MainPID", "0")}
    for root in roots:
        try:
            with open("%s%s/cgroup.procs" % (root, state["ControlGroup"])) as procs:
                found |= set(procs.read().split())
        except (OSError, KeyError):
            pass
    return sorted(found - {"0", ""})


def why_renew(service):
    """What of a service's programs was replaced, or None."""
    state = unit_state(service["unit"])
    pids = processes(state)
    gone = sorted({path for pid in pids for path in replaced_in(pid)})
    if gone:
        return ", ".join(gone[:3])
    if service["health"]["kind"] == "active" and any(newer_than(pid) for pid in pids):
        return "modules of Onionbalance"
    return None


def planned():
    """Every service that was released here and runs, with the marker that its nginx must answer; and the plan that it is in."""
    for role in ROLES:
        tree = Tree(role)
        plan = tree.plan() or {}
        markers = old_markers(tree, tree.current())
        for service in plan.get("services", []):
            if not service.get("standby") and is_running(service["unit"]):
                yield service, markers.get(service["health"].get("socket")), plan


def due(done):
    """What is to be restarted and was not yet, as (service, marker, plan, why)."""
    for service, marker, plan in list(planned()):
        why = None if service["unit"] in done else why_renew(service)
        if why is not None:
            yield service, marker, plan, why


def round_of(report, done):
    """Restarts what is due, of each project's tors the first. Whether there is more for another round."""
    projects, more = set(), False
    for service, marker, plan, why in list(due(done)):
        unit = service["unit"]
        project = project_of(unit)
        if project in projects:
            more = True
            continue
        if project:
            projects.add(project)
        done.add(unit)  # never twice: one that has such a file again is not mended by a restart
        how = "renewed %s, its sockets open" if service["health"]["kind"] == "nginx" and take_over(service) else "restarted %s"
        if how == "restarted %s":
            run(["systemctl", "restart", unit], timeout=plan.get("timeoutSeconds", 300) + 90, check=False)
        # The next one only when this one serves again: a site may have no other backend.
        wait_healthy(report, [Watch(service, marker, "restart")], plan.get("timeoutSeconds", 300))
        report.say("%s: an update has replaced %s" % (how % unit, why))
    return more


def settle_seconds(words):
    """The time between two rounds, from the word settle=SECONDS."""
    return next((int(word[7:]) for word in words if word.startswith("settle=")), 180)


def renew(report, stack, settle):
    done = set()
    while True:
        # Not held between two rounds: a deployment need not wait for them.
        held = lock(report, "the renewal after updates", FREE_SECONDS, stack, plan=False)
        try:
            more = round_of(report, done)
        finally:
            unlock(held)
        if not more:
            break
        report.say("the next tor of a project in %d s, when Onionbalance has published this one's introduction points" % settle)
        time.sleep(settle)
    report.say("units renewed: %d" % len(done) if done else "nothing to restart: every unit runs what is installed")


def renew_main(report):
    stacks = {(Tree(role).plan() or {}).get("stack") for role in ROLES} - {None}
    renew(report, min(stacks, default=None), settle_seconds(sys.argv[1:]))
