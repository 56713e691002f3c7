"""Which service has to be started, restarted or reloaded, and doing it in the order that keeps the sites up."""
import hashlib
import json
import os
from report import Failure, run
from files import read, write
from tree import FACTS
from health import Watch, is_running, runs, unit_state, states_of, wait_healthy
from watched import watched

# A reload is done in a second or it failed; waiting as for a tor that bootstraps would only hide that.
RELOAD_SECONDS = 60


def unit_file(unit):
    """The file of a unit: softmap-tor@.service of softmap-tor@news-1.service."""
    name, at, rest = unit.partition("@")
    return name + "@." + rest.rpartition(".")[2] if at else unit


def digest(data):
    return "absent" if data is None else hashlib.sha256(data).hexdigest()[:16]


def fingerprints(service, contents, state, markers):
    """What a service runs on: path -> hash, for all that it watches, its unit file, and for nginx the host's facts."""
    found = {}
    for path in (*service["reloadOn"], *service["restartOn"]):
        if not path.endswith("/") and path not in contents and path not in state:
            raise Failure("%s watches %s, which is neither in the release nor among the state files." % (service["unit"], path))
    for path in watched(service, {*contents, *state}):
        if os.path.basename(path) != FACTS:  # it differs with every project on the host; the marker says what concerns this one
            found[path] = digest(contents[path] if path in contents else state[path][0])
    unit = "units/" + unit_file(service["unit"])
    if unit in contents:
        found[unit] = digest(contents[unit])
    marker = markers.get(service["health"].get("socket"))
    if marker:
        found["facts"] = marker
    return found


def decide(service, wanted, applied, running):
    """start, stop, restart, reload or None, from what it should run on and what it is known to run on."""
    if service.get("standby"):
        return "stop" if running else None
    if not running:
        return "start"
    if applied is None:
        return "restart"  # it runs, but nobody knows on what: a run was cut before it could say
    changed = {path for path in set(wanted) | set(applied) if wanted.get(path) != applied.get(path)}
    if not changed:
        return None
    harmless = set(watched(service, changed, ["reloadOn"])) - set(watched(service, changed, ["restartOn"])) | {"facts"}
    return "reload" if changed <= harmless else "restart"


def stands(service):
    """Whether what a unit did at its start is still there: systemd calls it active also when somebody else has undone it since."""
    return not service.get("holds") or run(service["holds"], check=False).returncode == 0


def notes_of(service):
    """What a unit has to say to people after its start or reload."""
    return (read(service["notes"]) or b"").decode("utf-8", "replace").splitlines() if service.get("notes") else []


class Applied:
    """Which service is known to run on what, kept over runs and reboots. A service that is being changed is not in it."""

    def __init__(self, path):
        self.path = path
        try:
            known = json.loads(read(path) or b"{}")
        except ValueError:
            known = {}
        # The last release that was proved healthy; `current` may name one that a killed run never proved.
        self.release = known.get("release")
        self.units = known.get("units", {})
        # For the drift probe: files outside the release, and which units must run or must not.
        self.state = known.get("state", {})
        self.services = known.get("services", {})

    def get(self, unit):
        return self.units.get(unit)

    def forget(self, unit):
        if self.units.pop(unit, None) is not None:
            self.save()

    def learn(self, fingerprints):
        self.units.update(fingerprints)
        self.save()

    def doubt(self, paths):
        """Files that were not as they should be: whoever watches them takes them over anew, gently where a reload does it."""
        for fingerprint in self.units.values():
            for path in paths & set(fingerprint):
                fingerprint[path] = "changed by hand"
        if paths:
            self.save()  # a run that is cut right after has mended the files: nothing else would tell

    def proved(self, release, state, services):
        self.release, self.state = release, state
        self.services = {each["unit"]: not each.get("standby") for each in services}
        self.save()

    def save(self):
        known = {"release": self.release, "units": self.units, "state": self.state, "services": self.services}
        write(self.path, json.dumps(known, indent=1, sort_keys=True).encode(), mode=0o600)


def systemctl(*words):
    return run(["systemctl", *words], timeout=120)


def install_units(replaced, contents, directory):
    """Puts the release's units where systemd looks. True when systemd had to read them again."""
    changed = [replaced.put(os.path.join(directory, os.path.basename(path)), data) for path, data in sorted(contents.items()) if path.startswith("units/")]
    if any(changed):
        systemctl("daemon-reload")
    return any(changed)


def enabled_of(units):
    """Those of the units that start at boot. What `show` says of it is of the last reload: systemd looks at the links only when it is asked so."""
    said = run(["systemctl", "is-enabled", *units], check=False).text.splitlines() if units else []
    if len(units) > 1 and (len(said) != len(units) or any(" " in each for each in said)):  # it stops at the first that has no file
        return {unit for unit in units if is_enabled(unit)}
    return {unit for unit, word in zip(units, said) if word == "enabled"}


def is_enabled(unit):
    return unit in enabled_of([unit])


def enable(services):
    """Starts them at boot, but not those that stand by. Returns what was not enabled before."""
    already = enabled_of([each["unit"] for each in services])
    waiting = [each["unit"] for each in services if each.get("standby") and each["unit"] in already]
    if waiting:
        systemctl("disable", *waiting)
    off = [each["unit"] for each in services if not each.get("standby") and each["unit"] not in already]
    if off:
        systemctl("enable", *off)
    return off


class Change:
    """The services of one release being brought onto it. Remembers what it touched, for the way back."""

    def __init__(self, report, applied, markers, seconds):
        self.report, self.applied, self.markers, self.seconds = report, applied, markers, seconds
        self.done = []  # (service, action)

    def watch(self, service, action):
        return Watch(service, self.markers.get(service["health"].get("socket")), action)

    def act(self, service, action):
        unit = service["unit"]
        self.applied.forget(unit)
        self.done.append((service, action))
        if action in ("start", "restart"):
            run(["systemctl", "reset-failed", unit], check=False)
        words = ["systemctl", action, unit]
        if run(words, timeout=self.seconds + 90, check=False).returncode != 0:
            # The reason is in the journal, not in systemctl's answer: the wait below shows it.
            state = unit_state(unit)
            self.report.say("%s did not %s (%s, exit status %s)" % (unit, action, state.get("Result"), state.get("ExecMainStatus")))
            if action == "reload" and service.get("holds"):
                # It has no process that could tell: it stays active with what it had before.
                raise Failure("%s did not reload; it goes on with what it had." % unit)

    def start_all(self, services):
        """New services do not disturb one another: all at once."""
        for service in services:
            self.applied.forget(service["unit"])
            self.done.append((service, "start"))
        units = [service["unit"] for service in services]
        run(["systemctl", "reset-failed", *units], check=False)
        run(["systemctl", "start", "--no-block", *units], check=False)
        wait_healthy(self.report, [self.watch(service, "start") for service in services], self.seconds)

    def apply(self, services, wanted):
        """Brings every service to what is wanted. Returns the actions, unit by unit."""
        known = {each["unit"]: self.applied.get(each["unit"]) if stands(each) else None for each in services}
        states = states_of([each["unit"] for each in services])
        actions = {unit: decide(each, wanted[unit], known[unit], runs(states[unit])) for each in services for unit in [each["unit"]]}
        pick = lambda *kinds: [each for each in services if actions[each["unit"]] in kinds]
        start = self.report.seconds()

        def healthy(touched, note):
            self.applied.learn({each["unit"]: wanted[each["unit"]] for each in touched})
            for each in touched:
                self.report.say("%s %s (%.1f s)" % (note, each["unit"], self.report.seconds() - start))
                for line in notes_of(each):
                    self.report.say(line)

        new = pick("start")
        if new:
            self.start_all(new)
            healthy(new, "started")
        for each in pick("stop"):
            self.act(each, "stop")
            # Onionbalance often has to be killed, and systemd would call it failed for ever after.
            run(["systemctl", "reset-failed", each["unit"]], check=False)
            self.report.say("stopped %s: it stands by" % each["unit"])
        for kind, note in (("reload", "reloaded"), ("restart", "restarted")):
            for each in pick(kind):  # one at a time: the others answer meanwhile
                start = self.report.seconds()
                self.act(each, kind)
                wait_healthy(self.report, [self.watch(each, kind)], min(self.seconds, RELOAD_SECONDS) if kind == "reload" else self.seconds)
                healthy([each], note)
        wait_healthy(self.report, [self.watch(each, None) for each in pick(None) if not each.get("standby")], self.seconds)
        return actions

    def undo(self, markers, before):
        """After the files were put back: every touched service goes back to them. What did not run before stops. Returns what failed."""
        self.markers, failed = markers, []
        for service, action in reversed(self.done):
            unit = service["unit"]
            self.applied.forget(unit)
            try:
                if action == "start":
                    run(["systemctl", "stop", unit], timeout=120, check=False)
                    continue
                if action == "stop":
                    run(["systemctl", "enable", "--now", unit], timeout=120, check=False)
                    continue
                kind = "reload" if action == "reload" and is_running(unit) else "restart"
                run(["systemctl", "reset-failed", unit], check=False)
                run(["systemctl", kind, unit], timeout=self.seconds + 90, check=False)
                # "reload" also for a restart: whether its descriptor goes out is no longer ours to judge.
                wait_healthy(self.report, [self.watch(service, "reload")], self.seconds)
                if unit in before:
                    self.applied.learn({unit: before[unit]})
            except Failure as failure:
                failed.append(str(failure))
        self.done = []
        return failed
