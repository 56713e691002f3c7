"""Stops and removes what is no longer planned. Only things named softmap, only below our own paths; what is gone already is no error."""
import glob
import os
import pwd
import grp
import shutil
import sys
from report import Failure, run
from drain import drain
from files import read, remove, remove_tree
from health import wait_healthy
from machine import lock, nginx_facts, unlock
from masks import put_back
from release import old_markers, verify
from services import Applied, Change
from store import PROGRAMS
from tree import BASE, FACTS, UNITS, Tree, contents_of, paths_of
from watched import watched

STATE = "/var/lib/softmap"
RUN = "/run/softmap"
USERS = ["softmap-tor", "softmap-nginx", "softmap-onionbalance", "softmap-watchdog"]

# What each role has on a host: its units' files, the folders of state directories with the unit that each is of, and all state of its own.
ROLES = {
    "base": {
        "units": ["softmap-firewall.path", "softmap-firewall.service", "softmap-firewall-reload.service", "softmap-base.service", "softmap-renew.service", "softmap-renew.timer"],
        "children": {},
        # Copies for the machine's own programs: plan/names.ts, baseFiles.
        "own": [
            "/run/softmap/base.notes",
            "/etc/sysctl.d/60-softmap.conf",
            "/etc/systemd/journald.conf.d/60-softmap.conf",
            "/etc/apt/apt.conf.d/52softmap",
            "/etc/needrestart/conf.d/softmap.conf",
            "/etc/apparmor.d/softmap-tor",
            "/etc/apparmor.d/softmap-nginx",
            "/etc/apparmor.d/softmap-onionbalance",
        ],
    },
    "worker": {
        "units": ["softmap-tor@.service", "softmap-nginx@.service"],
        "children": {STATE + "/tor": "softmap-tor@%s.service", STATE + "/nginx": "softmap-nginx@%s.service"},
        "own": [STATE + "/tor", STATE + "/nginx", RUN + "/tor", RUN + "/nginx"],
    },
    "balancer": {
        "units": ["softmap-balancer-tor.service", "softmap-prober-tor.service"],
        "children": {},
        "own": [STATE + "/balancer-tor", RUN + "/balancer-tor", STATE + "/prober-tor", RUN + "/prober-tor"],
    },
    "publisher": {
        "units": ["softmap-onionbalance.service", "softmap-watchdog.service", "softmap-purge.service", "softmap-purge.timer"],
        "children": {},
        "own": [STATE + "/onionbalance", STATE + "/leave-out", RUN + "/onionbalance", RUN + "/watchdog"],
    },
    # Nothing outside of its release: what the collector writes is in a runtime directory, which goes with its unit.
    "metrics": {"units": ["softmap-metrics.service", "softmap-metrics-collect.service"], "children": {}, "own": [RUN + "/metrics"]},
}


def instances(role):
    """Units of a role that run or are enabled, instance by instance."""
    found = set()
    for unit in ROLES[role]["units"]:
        pattern = unit.replace("@.", "@*.")
        shown = run(["systemctl", "list-units", "--all", "--plain", "--no-legend", pattern], check=False).text
        found |= {line.split()[0] for line in shown.splitlines() if line.split() and line.split()[0].startswith("softmap-")}
        found |= {os.path.basename(path) for path in glob.glob("%s/*.wants/%s" % (UNITS, pattern))}
    return sorted(found)


def leaving(found, keep, everything):
    """The units that go."""
    return [unit for unit in found if everything or unit not in keep]


def leftover_dirs(role, keep_dirs, keep_units, everything):
    """State directories that go: those whose unit is not kept, and that nobody asked to keep or to keep something in."""
    if everything:
        return [path for path in ROLES[role]["own"] if os.path.lexists(path)]
    found = []
    for folder, unit in sorted(ROLES[role]["children"].items()):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if unit % name not in keep_units and not any(kept == path or kept.startswith(path + "/") for kept in keep_dirs):
                found.append(path)
    return found


def stop(report, units):
    """Stops and disables, all at once: none of them is listed any more."""
    if not units:
        return
    run(["systemctl", "disable", "--now", *units], timeout=180, check=False)
    run(["systemctl", "reset-failed", *units], check=False)
    report.say("stopped and disabled %s" % ", ".join(units))


def remove_users(report):
    for name in USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        run(["userdel", name], check=False)
        report.say("removed the user %s" % name)
    for name in USERS:
        try:
            grp.getgrnam(name)
            run(["groupdel", name], check=False)
        except KeyError:
            pass


def clear_role(report, role):
    """The unit files and the release tree; with the last role also the users and what lies around them."""
    gone = [unit for unit in ROLES[role]["units"] if remove(os.path.join(UNITS, unit))]
    if gone:
        run(["systemctl", "daemon-reload"], check=False)
    if remove_tree(os.path.join(BASE, role)):
        report.say("removed %s/%s" % (BASE, role))
    left = [other for other in ROLES if os.path.isdir(os.path.join(BASE, other))]
    if not left:
        remove_tree(PROGRAMS)
        put_back(report)
        remove_users(report)
        for path in (BASE, STATE):
            if os.path.isdir(path) and not os.listdir(path):
                os.rmdir(path)


def owner_of(role):
    """Who released the role last, see release.py. None when nobody said so."""
    text = read(os.path.join(BASE, role, "owner"))
    return text.decode("utf-8", "replace").strip() if text is not None else None


def prune(report, role, payload):
    """
    Drops the files that the serving release carried for what has left now (tree.py, carried), and has the nginxes that read them read anew.
    Nothing else changes hands: a daemon that stays is not touched.
    """
    tree = Tree(role)
    applied = Applied(os.path.join(tree.root, "applied.json"))
    if not applied.release or tree.current() != applied.release:
        return False
    before = tree.contents(applied.release)
    keep = set(payload["keepFiles"])
    kept = [{"path": path, "text": data.decode()} for path, data in before.items() if path in keep or path.startswith("units/")]
    gone = sorted(path for path in before if path not in {each["path"] for each in kept} and path != "nginx/" + FACTS)
    if not gone:
        return False
    proxies = payload["proxies"]
    contents, found, markers = contents_of(kept, proxies, nginx_facts)
    staging = tree.stage(found, contents)
    try:
        verify(proxies, staging)
    except BaseException:
        tree.discard_staging(found)
        raise
    tree.adopt(found)
    tree.describe(found, tree.plan() or {})
    change, old, known = Change(report, applied, markers, 60), applied.release, dict(applied.units)
    tree.switch(found)
    try:
        for each in proxies:
            if watched(each, gone):
                fingerprint = {path: hash_ for path, hash_ in (applied.get(each["unit"]) or {}).items() if path not in gone}
                change.act(each, "reload")
                wait_healthy(report, [change.watch(each, "reload")], 60)
                applied.learn({each["unit"]: {**fingerprint, "facts": markers[each["health"]["socket"]]}})
                report.say("reloaded %s without %s" % (each["unit"], ", ".join(path for path in watched(each, gone))))
    except Failure as failure:
        tree.switch(old)
        problems = change.undo(old_markers(tree, old), known)
        tree.discard(found)
        back = " But on the way back: %s" % " ".join(problems) if problems else ""
        raise Failure("%s The release before is in place again (%s).%s Next: mend what is named above, then run `pulumi up` again." % (failure, old, back))
    applied.release = found
    applied.save()
    tree.touch(found)
    if paths_of(tree.description(old)) == paths_of(tree.plan()):
        tree.discard(old)  # the same plan with files too many: no release that a rollback could mean
    return True


def forget_units(role, units):
    """What was stopped for good is no longer known to run on anything."""
    applied = Applied(os.path.join(BASE, role, "applied.json"))
    for unit in units:
        applied.forget(unit)


def unload_profiles(paths):
    """A profile stays in the kernel without its file; programs that run under it go on without."""
    ours = [path for path in paths if path.startswith("/etc/apparmor.d/")]
    if ours and os.path.isdir("/sys/kernel/security/apparmor") and shutil.which("apparmor_parser", path="/usr/sbin:/sbin"):
        run(["apparmor_parser", "-R", *ours], check=False)


def without_base(report):
    """The machine's programs read their files anew, without ours."""
    run(["systemctl", "try-restart", "systemd-journald.service"], check=False)
    report.say("the kernel keeps its limits until the next boot; packages stay")


def retire_role(report, role, payload, everything):
    """Whether there was anything to do."""
    owner = owner_of(role)
    if everything and owner not in (None, payload["owner"]):
        # A renamed machine or component: the new one has released here already, and now the old one's resource goes.
        report.say("the %s here belongs to %s now: left alone" % (role, owner))
        return False
    units = leaving(instances(role), payload["keepServices"], everything)
    tors = [unit for unit in units if unit.startswith("softmap-tor@")]
    if tors:
        drain(report, tors, payload.get("drainSeconds", 0))
    held = lock(report, "retiring", 900, payload.get("stack"))
    try:
        stop(report, units)
        dirs = leftover_dirs(role, payload["keepStateDirs"], payload["keepServices"], everything)
        unload_profiles(dirs)
        for path in dirs:
            remove_tree(path)
            report.say("removed %s" % path)
        if everything:
            clear_role(report, role)
            if role == "base":
                without_base(report)
            return True
        forget_units(role, units)
        return prune(report, role, payload) or bool(units or dirs)
    finally:
        unlock(held)


def retire_main(report, payload):
    everything = payload.get("everything") or "everything" in sys.argv[1:]
    done = [role for role in payload["roles"] if retire_role(report, role, payload, everything)]
    whole = " everything of the %s" % " and the ".join(done) if everything and done else ""
    report.say("%s%s (%.1f s)" % ("retired" if done else "nothing to retire", whole, report.seconds()))
