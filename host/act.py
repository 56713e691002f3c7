"""Starts, stops or restarts what was released here, by an operator's hand. The plan is not changed by it: the next `pulumi up --refresh` finds what does not run, and starts it."""
from report import Failure, run
from health import Watch, is_running, wait_healthy
from machine import lock, unlock
from release import old_markers
from takeover import take_over
from tree import Tree

ACT_LOCK_SECONDS = 60
# A proxy stands before the tor that hands it visitors, and a tor before the Onionbalance that talks to it; they are stopped the other way round.
RANKS = ("nginx", "tor", "active")
ACT_SECONDS = 300


def acted_on(projects, only=(), without=()):
    """
    (service, marker of its nginx) of the worker's projects that are named, or of everything here when none is; in the order in which they start.
    Of the tors of backends `only` those that are named, and nothing else; or all `without` them.
    """
    found = []
    for role in ("worker", "balancer", "publisher"):
        tree = Tree(role)
        plan = tree.plan() or {}
        markers = old_markers(tree, tree.current())
        named = {unit for each in plan.get("proof") or [] if each["project"] in projects for unit in (each["unit"], *(one["unit"] for one in each["backends"]))}
        backends = {one["unit"]: one["name"] for each in plan.get("proof") or [] for one in each["backends"]}
        for service in plan.get("services", []):
            unit, name = service["unit"], backends.get(service["unit"])
            if not service.get("standby") and (not projects or unit in named) and (not only or name in only) and (name is None or name not in without):
                found.append((service, markers.get(service["health"].get("socket"))))
    return sorted(found, key=lambda pair: RANKS.index(pair[0]["health"]["kind"]))


def start_one(report, service, marker):
    if is_running(service["unit"]):
        return False
    watch = Watch(service, marker, "start")
    run(["systemctl", "reset-failed", service["unit"]], check=False)
    run(["systemctl", "start", service["unit"]], timeout=ACT_SECONDS, check=False)
    wait_healthy(report, [watch], ACT_SECONDS)
    report.say("started %s" % service["unit"])
    return True


def stop_one(report, service):
    if not is_running(service["unit"]):
        return False
    run(["systemctl", "stop", service["unit"]], timeout=ACT_SECONDS)
    report.say("stopped %s" % service["unit"])
    return True


def restart_one(report, service, marker):
    """An nginx hands its sockets to the new one: nobody is turned away."""
    if is_running(service["unit"]) and service["health"]["kind"] == "nginx" and take_over(service):
        report.say("renewed %s, its sockets open" % service["unit"])
    else:
        run(["systemctl", "restart", service["unit"]], timeout=ACT_SECONDS, check=False)
    wait_healthy(report, [Watch(service, marker, "restart")], ACT_SECONDS)
    report.say("restarted %s: it is healthy" % service["unit"])


def act_main(report, payload):
    action, projects = payload["action"], payload["projects"]
    held = lock(report, "a %s by hand" % action, ACT_LOCK_SECONDS, payload["stack"])
    try:
        services = acted_on(projects, payload.get("only", ()), payload.get("without", ()))
        if not services:
            raise Failure("there is nothing of %s on this host." % (", ".join(projects) if projects else "softmap"))
        if action == "stop":
            done = sum(stop_one(report, service) for service, _ in reversed(services))
        elif action == "start":
            done = sum(start_one(report, service, marker) for service, marker in services)
        else:
            done = len(services)
            for service, marker in services:
                restart_one(report, service, marker)
        word = {"stop": "stopped", "start": "started", "restart": "restarted"}[action]
        rest = len(services) - done
        report.say("%d unit%s %s%s" % (done, "" if done == 1 else "s", word, ", %d already %s" % (rest, {"stop": "stood", "start": "ran"}.get(action, "")) if rest else ""))
    finally:
        unlock(held)
