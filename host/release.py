"""A release: stage, verify, switch, reload, prove; and on failure everything back as it was."""
import os
import time
from concurrent.futures import ThreadPoolExecutor
from report import Failure, run, said
from accounts import identity, make_dirs, make_users
from files import read, remove
from health import wait_healthy
from machine import check_host, lock, nginx_facts, unlock
from packages import install
from proving import prove, statuses, to_prove
from services import Applied, Change, enable, fingerprints, install_units, systemctl
from state import Replaced, forget_certificate_keys, install_state, recorded, wanted_state
from tree import ROLLED_BACK, UNITS, Tree, carried, contents_of, release_id

LOCK_SECONDS = 900


def verify(services, release):
    """Each tool's own opinion on the staged files, as the user that it runs as. tor exits on a reload with a bad file: ask first."""
    def opinion(service):
        argv = [word.replace("{release}", release) for word in service["verify"]]
        user = service.get("verifyAs")
        return argv[0], run(argv, check=False, cwd="/", umask=0o077, **(identity(user) if user else {}))

    asked = [each for each in services if each.get("verify")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        opinions = list(pool.map(opinion, asked))
    for service, (tool, done) in zip(asked, opinions):
        if done.returncode != 0:
            raise Failure("%s: %s refuses its new configuration; nothing was switched. Next: mend what it names, in the stack's config or on this host, then run `pulumi up` again. %s" % (service["unit"], os.path.basename(tool), said(done.text, 20)))


def old_markers(tree, found):
    """What each nginx answered before, read back from the release's own host.conf."""
    if found is None:
        return {}
    text = (read(os.path.join(tree.path(found), "nginx/host.conf")) or b"").decode()
    rows = (line.strip().rstrip(";").split('"') for line in text.splitlines() if line.strip().startswith('"~^unix:'))
    return {row[1][len("~^unix:"):-1].replace("\\", ""): row[3] for row in rows}


def remember(tree, found, payload):
    """What a rollback to this release needs to know of it beside its files: all of the payload that is no text and no key (rollback.py)."""
    kept = {key: value for key, value in payload.items() if key not in ("files", "state")}
    kept["files"] = [{key: value for key, value in each.items() if key != "text"} for each in payload["files"]]
    kept["state"] = [{key: value for key, value in each.items() if key != "base64"} for each in payload["state"]]
    tree.describe(found, kept)


class Release:
    """One payload on one host."""

    def __init__(self, report, payload):
        self.report, self.payload = report, payload
        self.services = payload["services"]
        self.tree = Tree(payload["role"])
        self.replaced = Replaced()

    def prepare(self):
        """Everything that disturbs nothing: packages, users, directories, the leftovers of a killed run."""
        check_host(self.payload["role"])
        install(self.report, self.payload["packages"])
        make_users(self.report, self.payload["users"])
        self.tree.prepare()
        make_dirs(self.payload["dirs"])
        self.applied = Applied(os.path.join(self.tree.root, "applied.json"))
        self.before = dict(self.applied.units)
        proved = self.applied.release
        self.previous = proved if proved and os.path.isdir(self.tree.path(proved)) else None
        old = carried(self.tree.contents(self.previous), self.payload["files"]) if self.previous else {}
        self.contents, self.id, self.markers = contents_of(self.payload["files"], self.services, nginx_facts, old)
        self.state = wanted_state(self.payload)
        self.wanted = {each["unit"]: fingerprints(each, self.contents, self.state, self.markers) for each in self.services}

    def stage(self):
        """The new release on disk, and every tool content with it. On failure nothing of it stays."""
        if self.previous:
            found = self.tree.contents(self.previous)
            if self.previous == self.id and found == self.contents:
                return
            if release_id(found) != self.previous:
                # Somebody changed files by hand, and services may have read them: they take over the right ones again.
                self.applied.doubt({path for path in {*found, *self.contents} if found.get(path) != self.contents.get(path)})
        staging = None
        try:
            staging = self.tree.stage(self.id, self.contents)
            # Files that are not there yet disturb nobody, and tor's own check needs ob_config (hs_ob.c reads it).
            install_state(self.replaced, self.state, only_new=True)
            self.verify_staged(staging)
        except BaseException:
            self.replaced.undo()
            self.tree.discard_staging(self.id)
            raise
        self.tree.adopt(self.id)

    def verify_staged(self, staging):
        """Of those alone that are to run on something else than now: each is some tenths of a second."""
        verify([each for each in self.services if self.wanted[each["unit"]] != self.applied.get(each["unit"])], staging)

    def activate(self):
        """The switch, and the services after it. On failure back to the previous release, reported as a failure."""
        change = Change(self.report, self.applied, self.markers, self.payload["timeoutSeconds"])
        enabled, projects = [], self.payload.get("proof") or []
        try:
            before = statuses(projects) if self.previous else {}
            self.changed_state = install_state(self.replaced, self.state)
            self.applied.doubt(set(self.changed_state))
            self.tree.switch(self.id)
            install_units(self.replaced, self.contents, UNITS)
            enabled = enable(self.services)
            actions = change.apply(self.services, self.wanted)
            prove(self.report, to_prove(projects, actions, before))
            self.watch(change, actions)
            return actions
        except BaseException as error:
            problems = self.revert(change, enabled)
            if self.previous is None:
                back = "There is no earlier release: the new services were stopped and disabled."
            elif self.previous == self.id:
                back = "The release itself did not change (%s)." % self.id
            else:
                back = "Reverted to release %s." % self.previous
            if problems:
                back += " But on the way back: " + " ".join(problems)
            if not isinstance(error, Failure):
                self.report.say(back)
                raise
            raise Failure("%s %s Next: mend what is named above, then run `pulumi up` again." % (error, back))

    def revert(self, change, enabled):
        """Files first, then the services that were touched."""
        problems = []
        for step in (
            lambda: self.tree.switch(self.previous),
            lambda: run(["systemctl", "disable", *enabled], check=False) if enabled else None,
            self.replaced.undo,
            lambda: install_units(Replaced(), self.tree.contents(self.previous), UNITS) if self.previous else None,
            lambda: systemctl("daemon-reload"),
            lambda: problems.extend(change.undo(old_markers(self.tree, self.previous), self.before)),
            lambda: self.tree.discard(self.id) if self.id != self.previous else None,
        ):
            try:
                step()
            except (Failure, OSError) as error:
                problems.append(str(error))
        return problems

    def watch(self, change, actions):
        """The pause of a roll-out: what was changed on a host that served must stay healthy for so long, or it goes back."""
        seconds = self.payload.get("pauseSeconds") or 0
        if not seconds or self.previous is None or not any(actions.values()):
            return
        self.report.say("watching for %d s before the next wave" % seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.report.listening:
            wait_healthy(self.report, [change.watch(each, None) for each in self.services if not each.get("standby")], 20)
            time.sleep(min(2, max(end - time.monotonic(), 0)))

    def finish(self):
        self.applied.proved(self.id, recorded(self.state), self.services)
        remember(self.tree, self.id, self.payload)
        remove(os.path.join(self.tree.root, ROLLED_BACK))
        self.tree.own(self.payload["owner"])
        self.tree.touch(self.id)
        self.tree.prune(self.payload["keepReleases"])
        if self.payload["role"] == "worker":
            forget_certificate_keys(self.report, self.tree)

    def summary(self, actions):
        counts = [(sum(1 for action in actions.values() if action == kind), word) for kind, word in (("start", "started"), ("stop", "stopped"), ("reload", "reloaded"), ("restart", "restarted"))]
        parts = ["%d service%s %s" % (n, "" if n == 1 else "s", word) for n, word in counts if n]
        if self.changed_state:
            parts.append("%d state file%s replaced" % (len(self.changed_state), "" if len(self.changed_state) == 1 else "s"))
        if self.previous == self.id and not parts:
            return "release %s was already live, nothing to do (%.1f s)" % (self.id, self.report.seconds())
        came = "" if self.previous in (None, self.id) else ", was %s" % self.previous
        return "release %s is live%s: %s (%.1f s)" % (self.id, came, ", ".join(parts) or "no service had to be touched", self.report.seconds())

    def run(self):
        """All of it, alone on the host."""
        held = lock(self.report, "the %s release" % self.payload["role"], LOCK_SECONDS, self.payload.get("stack"))
        try:
            self.prepare()
            self.stage()
            actions = self.activate()
            self.finish()
            self.report.say(self.summary(actions))
            return actions
        finally:
            unlock(held)


def release_main(report, payload):
    Release(report, payload).run()
